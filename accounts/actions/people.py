"""Persons: adding them, ending their sessions, letting them in and out."""

from datetime import datetime
from uuid import UUID

from allauth.account.models import EmailAddress
from django.db import transaction
from django.db.models import F

from accounts.identity.models import Session, User


def add_person(*, email: str, name: str, at: datetime, password: str | None = None) -> User:
    """Add a person whose address is known to be theirs. Without a password they sign in by another way."""
    with transaction.atomic():
        user = User.objects.create_user(email, name, password, joined_at=at)
        EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
    return user


def sign_out_everywhere(*, user: User, keep: UUID | None = None) -> int:
    """End every session of a person, but `keep`; return how many there were. Felt on the next request."""
    with transaction.atomic():
        User.objects.filter(pk=user.pk).update(session_version=F("session_version") + 1)
        user.refresh_from_db(fields=["session_version"])
        theirs = Session.objects.of(user.pk)
        ended, _ = (theirs.exclude(pk=keep) if keep else theirs).delete()
        theirs.update(version=user.session_version)
    return ended


def sign_out_session(*, user: User, session_id: UUID) -> bool:
    """End one session of a person; return whether there was such a one."""
    ended, _ = Session.objects.of(user.pk).filter(pk=session_id).delete()
    return ended == 1


def rename(*, user: User, name: str) -> None:
    """Write what somebody is called."""
    user.name = name.strip()
    user.save(update_fields=["name"])
