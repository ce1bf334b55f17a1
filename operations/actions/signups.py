"""Sign-up on the public site: ask, confirm the address, make the organisation."""

from datetime import datetime
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.template.loader import render_to_string
from django.urls import reverse

from jobs.mail import send_now
from operations.actions.provisioning import SlugTaken, Wish, provision
from operations.models import SignUp
from operations.models.signup import token_digest
from tenants.addresses import site_url
from tenants.models import Organisation
from tenants.names import checked_slug
from tenants.refusals import Refusal


class LinkSpent(Refusal):
    """The link was used, is too old, or never was one."""

    code = "link-spent"
    status = 410
    message = "This link has been used or is too old. Sign up again to get a new one."


def ask(
    *, email: str, person_name: str, organisation_name: str, slug: str, at: datetime, region: str = ""
) -> SignUp:
    """Write down a wish; the mail goes out after the commit. Raises BadSlug or SlugTaken."""
    slug = checked_slug(slug)
    if Organisation.objects.filter(slug=slug).exists():
        raise SlugTaken
    with transaction.atomic(using="control"):
        return SignUp.objects.create(
            email=email.strip(),
            person_name=person_name.strip(),
            organisation_name=organisation_name.strip(),
            slug=slug,
            region=region,
            asked_at=at,
        )


def mail_confirmation(*, signup_id: UUID, at: datetime) -> bool:
    """Send the link to the address. Returns False when there is nothing to send any more.

    The mail server is spoken to outside of any transaction; a failure leaves the row unmailed, and
    the sweep tries again.
    """
    signup = SignUp.objects.unmailed(at=at).filter(pk=signup_id).first()
    if signup is None:
        return False
    link = site_url(settings.BASE_DOMAIN) + reverse(
        "public:confirm", args=[signup.new_token()], urlconf=settings.ROOT_URLCONF
    )
    text = render_to_string("public/confirmation_mail.txt", {"signup": signup, "link": link})
    send_now(to=signup.email, subject=f"Confirm your address for {signup.organisation_name}", text=text)
    SignUp.objects.filter(pk=signup.pk).update(mailed_at=at)
    return True


def find(*, token: str, at: datetime) -> SignUp:
    """Return the open sign-up of a token; raise LinkSpent."""
    signup = SignUp.objects.open(at=at).filter(token_hash=token_digest(token)).first()
    if signup is None:
        raise LinkSpent
    return signup


def confirm(*, token: str, password: str, slug: str, at: datetime) -> Organisation:
    """Make the organisation that was asked for, once. Raises LinkSpent, BadSlug or SlugTaken."""
    signup = find(token=token, at=at)
    if not signup.claim(at=at):
        raise LinkSpent
    try:
        organisation = provision(
            Wish(
                slug=slug,
                name=signup.organisation_name,
                owner_email=signup.email,
                owner_name=signup.person_name,
                owner_password=password,
                region=signup.region,
            ),
            at=at,
        )
    except Exception:
        signup.give_back()
        raise
    SignUp.objects.filter(pk=signup.pk).update(organisation=organisation)
    return organisation


def send_waiting(*, at: datetime) -> int:
    """Send the mails that a dead worker left behind; return how many."""
    waiting = list(SignUp.objects.unmailed(at=at).values_list("pk", flat=True)[:50])
    return sum(mail_confirmation(signup_id=pk, at=at) for pk in waiting)
