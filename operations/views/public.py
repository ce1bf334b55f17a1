"""The public site: what this is, and sign-up."""

from csp.decorators import csp_update
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from accounts.limits import slow_down
from operations.actions import signups
from operations.actions.placing import open_regions
from operations.actions.provisioning import SlugTaken
from operations.forms import ConfirmForm, SignUpForm
from tenants.addresses import site_url


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """Say what Enclave is and lead to sign-up."""
    return render(request, "public/home.html", {"base_domain": settings.BASE_DOMAIN})


@require_http_methods(["GET", "POST"])
@slow_down("sign-up", rate="10/h")
def sign_up(request: HttpRequest) -> HttpResponse:
    """Take down who wants an organisation; the answer is the same for every address."""
    form = SignUpForm(request.POST or None, regions=open_regions())
    if request.method == "POST" and form.is_valid():
        try:
            signups.ask(at=timezone.now(), **form.cleaned_data)
        except SlugTaken as refusal:
            form.add_error("slug", str(refusal))
        else:
            return redirect("public:sent")
    return _page(request, "public/sign_up.html", form)


@require_safe
def sent(request: HttpRequest) -> HttpResponse:
    """Say that a mail is under way."""
    return render(request, "public/sent.html", {})


# The answer to the form leads to the new organisation's host; browsers hold redirects to the policy too.
@csp_update({"form-action": [site_url(f"*.{settings.BASE_DOMAIN}")]})  # type: ignore[arg-type]  # django-csp types only views without parameters
@require_http_methods(["GET", "POST"])
@slow_down("confirm", rate="30/h")
def confirm(request: HttpRequest, token: str) -> HttpResponse:
    """Choose a password and make the organisation. Opening the link alone changes nothing."""
    now = timezone.now()
    signup = signups.find(token=token, at=now)
    form = ConfirmForm(request.POST or None, initial={"slug": signup.slug})
    if request.method == "POST" and form.is_valid():
        try:
            organisation = signups.confirm(token=token, at=now, **form.cleaned_data)
        except SlugTaken as refusal:
            form.add_error("slug", str(refusal))
        else:
            return redirect(site_url(organisation.primary_host) + "/")
    return _page(request, "public/confirm.html", form, signup=signup)


def _page(
    request: HttpRequest, template: str, form: SignUpForm | ConfirmForm, **context: object
) -> HttpResponse:
    status = 422 if form.is_bound else 200
    return render(
        request, template, {"form": form, "base_domain": settings.BASE_DOMAIN, **context}, status=status
    )
