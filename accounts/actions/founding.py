"""The first rows of an organisation: its first owner."""

from accounts.identity.models import User


def found(*, owner_email: str, owner_name: str, owner_password: str | None) -> User:
    """Write the first owner, inside the organisation just made. Without a password they are sent a link."""
    existing = User.objects.filter(email__iexact=owner_email).first()
    if existing is not None:
        return existing
    return User.objects.create_user(owner_email, owner_name, owner_password)
