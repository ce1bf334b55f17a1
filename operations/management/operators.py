"""Who gives a command."""

from django.core.management.base import CommandError

from accounts.identity.models import User
from tenants.context import control_plane


def operator_named(email: str | None) -> User:
    """Return the operator whom somebody says to be with --by. Raises CommandError.

    It is believed: who has the owner's login could do anything anyway.
    """
    with control_plane():
        user = User.objects.filter(email__iexact=email or "", is_staff=True, is_active=True).first()
    if user is None:
        raise CommandError("Say with --by which operator you are.")
    return user
