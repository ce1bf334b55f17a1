"""What makes a link to choose a password good once, and in one place only."""

from datetime import datetime

from allauth.account.models import EmailAddress
from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.tokens import PasswordResetTokenGenerator

from tenants.context import required


class ResetTokens(PasswordResetTokenGenerator):
    """Ends with any change of the password, of the addresses, and of the schema that its person lives in.

    The schema, because who has left and come back has another: links of before open nothing then.
    """

    def _make_hash_value(self, user: AbstractBaseUser, timestamp: int | datetime) -> str:
        mine = EmailAddress.objects.filter(user_id=user.pk).order_by("email").values_list("email", flat=True)
        parts = (super()._make_hash_value(user, timestamp), *mine, required().schema)  # type: ignore[arg-type]  # any user
        return "|".join(parts)
