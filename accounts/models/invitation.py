"""Invitations: single use, bound to one address, with an end."""

import hashlib
import secrets
from datetime import datetime, timedelta
from typing import ClassVar, Self

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from permissions.models import Role
from tenants.models.base import TenantRow

LASTS = timedelta(days=7)


def token_digest(token: str) -> bytes:
    """Return what is stored of a token."""
    return hashlib.sha256(token.encode()).digest()


class InvitationQuerySet(models.QuerySet["Invitation"]):
    """Sets of invitations."""

    def waiting(self) -> Self:
        """Return those which were neither accepted nor revoked; some may be too old to be accepted."""
        return self.filter(accepted_at=None, revoked_at=None)

    def open(self, *, at: datetime) -> Self:
        """Return those which can be accepted."""
        return self.waiting().filter(expires_at__gt=at)


class Invitation(TenantRow):
    """One address may join, in a role and in groups. The link's token is stored as its digest only."""

    email = models.EmailField(max_length=254)
    role = models.ForeignKey(Role, on_delete=models.PROTECT, related_name="invitations")
    # Keys of group profiles; one that is deleted meanwhile is passed over.
    groups = ArrayField(models.UUIDField(), default=list, blank=True)
    token_hash = models.BinaryField(max_length=32, unique=True)
    invited_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="invitations_sent"
    )
    created_at = models.DateTimeField()
    sent_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    accepted_at = models.DateTimeField(null=True, blank=True)
    accepted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="invitations_accepted",
    )
    revoked_at = models.DateTimeField(null=True, blank=True)

    objects: ClassVar[InvitationQuerySet] = InvitationQuerySet.as_manager()  # type: ignore[assignment]  # as_manager is not seen as its QuerySet

    class Meta:
        ordering = ("-created_at",)
        constraints = [
            models.UniqueConstraint(
                fields=["email"],
                name="invitation_one_waiting_per_address",
                condition=Q(accepted_at=None, revoked_at=None),
            ),
            models.CheckConstraint(
                name="invitation_accepted_or_revoked", condition=Q(accepted_at=None) | Q(revoked_at=None)
            ),
        ]

    def __str__(self) -> str:
        return self.email

    def new_token(self, *, at: datetime) -> str:
        """Give the invitation a new token and a new end, and return the token. Not saved yet."""
        token = secrets.token_urlsafe(32)
        self.token_hash = token_digest(token)
        self.sent_at = at
        self.expires_at = at + LASTS
        return token

    def is_open(self, *, at: datetime) -> bool:
        """Return whether it can be accepted at `at`."""
        return self.accepted_at is None and self.revoked_at is None and at < self.expires_at

    def claim(self, *, at: datetime) -> bool:
        """Mark as accepted; False if somebody got there first, or it was revoked, or sent anew."""
        won = (
            Invitation.objects.open(at=at)
            .filter(pk=self.pk, token_hash=self.token_hash)
            .update(accepted_at=at)
        )
        if won:
            self.accepted_at = at
        return won == 1
