"""The second step's codes, checked so that each opens once, whatever happens to the cache."""

from allauth.core.internal.cryptokit import compare_user_code
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value, yield_hotp_counters_from_time
from django.db import transaction

from accounts.identity.models import User
from accounts.keys import unseal

# In the data of a TOTP authenticator: the last time step whose code was used.
_USED = "used"


def use_code(*, user: User, code: str) -> Authenticator | None:
    """Use up one code of a person: from their app, or a recovery code. None if it opens nothing."""
    with transaction.atomic():
        # Locked, so that of two parallel tries with one code the second sees it used.
        own = Authenticator.objects.select_for_update().filter(user=user)
        for authenticator in own.exclude(type=Authenticator.Type.WEBAUTHN).order_by("pk"):
            if authenticator.type == Authenticator.Type.TOTP:
                used = _use_totp(authenticator, code)
            else:
                used = bool(authenticator.wrap().validate_code(code))
            if used:
                return authenticator
    return None


def _use_totp(authenticator: Authenticator, code: str) -> bool:
    secret = unseal(authenticator.data["secret"])
    last: int = authenticator.data.get(_USED, 0)
    for step in yield_hotp_counters_from_time():
        if step > last and compare_user_code(
            actual=code, expected=format_hotp_value(hotp_value(secret, step))
        ):
            authenticator.data[_USED] = step
            authenticator.save(update_fields=["data"])
            return True
    return False
