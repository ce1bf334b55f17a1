"""The first rows of an organisation: its first owner."""

from django.utils import timezone

from accounts.actions.people import add_person
from accounts.identity.models import User
from permissions.actions.memberships import found_owner


def found(*, owner_email: str, owner_name: str, owner_password: str | None) -> User:
    """Write the first owner, inside the organisation just made. Without a password they are sent a link."""
    existing = User.objects.filter(email=owner_email.strip().lower()).first()
    if existing is not None:
        return existing
    at = timezone.now()
    owner = add_person(email=owner_email, name=owner_name, password=owner_password, at=at)
    found_owner(user=owner, at=at)
    return owner
