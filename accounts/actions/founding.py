"""The first rows of an organisation: its first owner."""

from datetime import datetime

from django.utils import timezone

from accounts.actions.people import add_person
from accounts.actions.resets import request_reset
from accounts.identity.models import User
from permissions.actions.memberships import found_owner


def found(
    *, owner_email: str, owner_name: str, owner_password: str | None, at: datetime | None = None
) -> User:
    """Write the first owner, inside the organisation just made. Without a password they are sent a link."""
    now = at or timezone.now()
    existing = User.objects.filter(email=owner_email.strip().lower()).first()
    if existing is not None:
        return existing
    owner = add_person(email=owner_email, name=owner_name, password=owner_password, at=now)
    found_owner(user=owner, at=now)
    if owner_password is None:
        request_reset(email=owner.email, first=True)
    return owner
