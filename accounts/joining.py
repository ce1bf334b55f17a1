"""What becomes of people, and of how they sign in, when their organisation is joined to another.

Who has the same address in both is one person afterwards: the one who was there, with that password, those
second steps and that role.
"""

from allauth.account.models import EmailAddress, EmailConfirmation
from allauth.mfa.models import Authenticator

from accounts.identity.models import Session, User
from accounts.models import Invitation, OrganisationAnswer, OrganisationProfile
from tenants.joining import Rule, comes, stays

comes(User, rule=Rule(same="lower(r.email)"))
comes(EmailAddress, rule=Rule(newcomer="user", follows=True))
comes(
    Authenticator,
    rule=Rule(
        newcomer="user",
        # A passkey is good for the address at which it was made.
        only=f"r.type IN ('{Authenticator.Type.TOTP}', '{Authenticator.Type.RECOVERY_CODES}')",
        follows=True,
    ),
)
stays(Session, because="A session is valid on one host.")
stays(EmailConfirmation, because="A link in a mail is good for the address that sent it.")
stays(Invitation, because="An invitation is to an organisation that will not be there.")
stays(OrganisationProfile, because="An organisation looks like itself.")
stays(OrganisationAnswer, because="Everybody answers for themselves.")
