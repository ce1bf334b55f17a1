"""Which organisations an address belongs to, without the address: the switcher's list."""

import hashlib
import hmac
from typing import ClassVar, Self
from uuid import UUID

from django.conf import settings
from django.db import models

from tenants.models.base import ControlRow
from tenants.models.organisation import Organisation


def address_digest(address: str) -> bytes:
    """Return the keyed digest of an e-mail address, case folded; 32 bytes."""
    key = hashlib.sha256(b"directory" + settings.SECRET_KEY.encode()).digest()
    return hmac.new(key, address.strip().casefold().encode(), hashlib.sha256).digest()


class DirectoryQuerySet(models.QuerySet["DirectoryEntry"]):
    """Sets of directory entries."""

    def of(self, address: str) -> Self:
        """Return the entries of one verified address."""
        return self.filter(digest=address_digest(address)).select_related("organisation")


class DirectoryEntry(ControlRow):
    """One verified address in one organisation. Only the digest is kept here."""

    digest = models.BinaryField(max_length=32)
    organisation = models.ForeignKey(Organisation, on_delete=models.CASCADE, related_name="directory")
    user_id = models.UUIDField()

    objects: ClassVar[DirectoryQuerySet] = DirectoryQuerySet.as_manager()  # type: ignore[assignment]  # a manager with the queryset's methods

    class Meta:
        constraints = [
            models.UniqueConstraint(name="directory_once", fields=["digest", "organisation"]),
        ]

    def __str__(self) -> str:
        return f"{self.organisation_id}:{self.user_id}"


def note_address(*, organisation_id: UUID, user_id: UUID, address: str) -> None:
    """Write down that a verified address has a user in an organisation. Idempotent."""
    DirectoryEntry.objects.update_or_create(
        digest=address_digest(address), organisation_id=organisation_id, defaults={"user_id": user_id}
    )


def forget_address(*, organisation_id: UUID, user_id: UUID) -> None:
    """Remove a user's entries: deactivated, left, or the address changed."""
    DirectoryEntry.objects.filter(organisation_id=organisation_id, user_id=user_id).delete()
