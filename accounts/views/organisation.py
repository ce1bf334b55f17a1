"""The organisation's look: settings, stylesheet, logo."""

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.actions import profile as profiles
from accounts.actions.answering import open_questions
from accounts.actions.profile import Look, accent_digest
from accounts.adapters import say
from accounts.forms_organisation import LogoForm, ProfileForm
from accounts.identity.models import User
from accounts.models import OrganisationProfile
from accounts.models.profile import PROFILE_ID
from accounts.refusals import NotAnImage
from config.ui.brand import brand_css
from config.ui.colour import Colour
from permissions import perms
from permissions.access import public, requires
from tenants.context import current_tenant

_FOR_EVER = "private, max-age=31536000, immutable"


def _user(request: HttpRequest) -> User:
    assert isinstance(request.user, User)
    return request.user


@require_http_methods(["GET", "POST"])
@requires(perms.SETTINGS_CHANGE)
def settings(request: HttpRequest) -> HttpResponse:
    """Show and save name, mark, colour and time zone."""
    profile = profiles.load()
    form = ProfileForm.of(profile, current_tenant().name, request.POST or None)
    if request.method == "POST" and form.is_valid():
        profiles.change(look=Look(**form.cleaned_data), by=_user(request), at=timezone.now())
        say(request, _("The settings are saved."))
        return redirect("accounts:settings")
    context = {"form": form, "logo_form": LogoForm(), "profile": profile, "questions": open_questions()}
    return render(request, "accounts/settings.html", context, status=422 if form.errors else 200)


@require_POST
@requires(perms.SETTINGS_CHANGE)
def change_logo(request: HttpRequest) -> HttpResponse:
    """Keep another logo."""
    form = LogoForm(request.POST, request.FILES)
    if form.is_valid():
        upload = form.cleaned_data["logo"]
        try:
            profiles.change_logo(
                content=upload.read(profiles.LOGO_READ + 1), by=_user(request), at=timezone.now()
            )
        except NotAnImage as refusal:
            form.add_error("logo", str(refusal))
        else:
            say(request, _("The logo is saved."))
            return redirect("accounts:settings")
    profile = profiles.load()
    context = {
        "form": ProfileForm.of(profile, current_tenant().name),
        "logo_form": form,
        "profile": profile,
    }
    return render(request, "accounts/settings.html", context, status=422)


@require_POST
@requires(perms.SETTINGS_CHANGE)
def remove_logo(request: HttpRequest) -> HttpResponse:
    """Take the logo away."""
    profiles.change_logo(content=None, by=_user(request), at=timezone.now())
    say(request, _("The logo is taken away."))
    return redirect("accounts:settings")


@require_safe
@public
def brand(request: HttpRequest, digest: str) -> HttpResponse:
    """Answer the stylesheet of the organisation's colour, under a name that changes with it."""
    accent = profiles.load().accent
    if digest != accent_digest(accent):
        raise Http404
    response = HttpResponse(brand_css(Colour.parse(accent)), content_type="text/css; charset=utf-8")
    response.headers["Cache-Control"] = _FOR_EVER
    return response


@require_safe
@public
def logo(request: HttpRequest, digest: str) -> HttpResponse:
    """Answer the logo, which we drew ourselves, under a name that changes with it."""
    found = OrganisationProfile.objects.filter(pk=PROFILE_ID, logo_digest=digest).first()
    if found is None or not found.logo:
        raise Http404
    response = HttpResponse(bytes(found.logo), content_type="image/png")
    response.headers["Cache-Control"] = _FOR_EVER
    return response
