"""Somebody asked for an organisation on the public site; nothing is made before the address is confirmed."""

import hashlib
import secrets
from datetime import datetime, timedelta
from typing import ClassVar, Self

from django.db import models

from tenants.models import ControlRow, Organisation

VALID_FOR = timedelta(days=2)
_MAILS_TRIED_FOR = timedelta(hours=6)


def token_digest(token: str) -> str:
    """Return what is stored of a token: its SHA-256, in hexadecimal."""
    return hashlib.sha256(token.encode()).hexdigest()


class SignUpQuerySet(models.QuerySet["SignUp"]):
    """Sets of sign-ups."""

    def open(self, *, at: datetime) -> Self:
        """Return those that can still be confirmed."""
        return self.filter(confirmed_at=None, asked_at__gt=at - VALID_FOR)

    def unmailed(self, *, at: datetime) -> Self:
        """Return those whose mail has not gone out yet, while it is still worth sending."""
        return self.open(at=at).filter(mailed_at=None, asked_at__gt=at - _MAILS_TRIED_FOR)


class SignUp(ControlRow):
    """One wish for an organisation. The token goes out by mail; only its digest stays, once it has gone."""

    email = models.EmailField(max_length=254)
    person_name = models.CharField(max_length=120)
    organisation_name = models.CharField(max_length=120)
    slug = models.CharField(max_length=40)
    region = models.CharField(max_length=40, blank=True, default="", db_default="")
    token_hash = models.CharField(max_length=64, blank=True, default="", db_index=True)
    asked_at = models.DateTimeField()
    mailed_at = models.DateTimeField(null=True)
    confirmed_at = models.DateTimeField(null=True)
    organisation = models.ForeignKey(Organisation, null=True, on_delete=models.SET_NULL, related_name="+")

    objects: ClassVar[SignUpQuerySet] = SignUpQuerySet.as_manager()  # type: ignore[assignment]  # a manager with the queryset's methods

    class Meta:
        ordering = ("-asked_at",)

    def __str__(self) -> str:
        return f"{self.slug} for {self.email}"

    def new_token(self) -> str:
        """Return a fresh token; the last one given out is the only one that works."""
        token = secrets.token_urlsafe(32)
        self.token_hash = token_digest(token)
        type(self).objects.filter(pk=self.pk).update(token_hash=self.token_hash)
        return token

    def claim(self, *, at: datetime) -> bool:
        """Mark as confirmed; False if somebody got there first."""
        won = type(self).objects.filter(pk=self.pk, confirmed_at=None).update(confirmed_at=at)
        return won == 1

    def give_back(self) -> None:
        """Let it be confirmed again, after the making failed."""
        type(self).objects.filter(pk=self.pk, organisation=None).update(confirmed_at=None)
