"""A new password by a link in a mail.

The page only writes down that an address asked; a job looks whether somebody here has it. So the page
answers the same, and takes as long, for every address.
"""

from allauth.account.forms import default_token_generator
from allauth.account.models import EmailAddress
from allauth.account.utils import user_pk_to_url_str

from accounts import mails
from accounts.identity.models import User
from accounts.links import link_to
from jobs.actions import enqueue
from tenants.context import current_tenant

KIND = "accounts.reset"


def request_reset(*, email: str, first: bool = False) -> None:
    """Write down that somebody asked for a link. `first`: for a person who has no password yet."""
    enqueue(
        KIND, payload={"email": email, "first": first}, label="Mail: a link to choose a password", by=None
    )


def mail_reset(*, email: str, first: bool = False) -> bool:
    """Send the link if an active person here has the address, verified; return whether that was so."""
    address = (
        EmailAddress.objects.filter(email=email.strip().lower(), verified=True, user__is_active=True)
        .select_related("user")
        .first()
    )
    if address is None:
        return False
    mails.send(
        to=address.email,
        template="accounts/mail/first_password" if first else "accounts/mail/password_reset",
        context={
            "link": reset_link(address.user),
            "name": address.user.name,
            "whose": current_tenant().name,
        },
    )
    return True


def reset_link(user: User) -> str:
    """Return a link that opens once, for an hour: it stops working with any change of the password."""
    return link_to(
        "account_reset_password_from_key",
        uidb36=user_pk_to_url_str(user),
        key=default_token_generator.make_token(user),
    )
