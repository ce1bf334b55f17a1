"""Groups of people, and who is in which from when until when.

A group is Django's, because guardian's grants point to it. Django's own list of a group's users has
no dates and is never read here; the periods below are. Numbers of groups are never used again, so a
group made after another was deleted inherits nothing from it.
"""

from datetime import datetime
from typing import ClassVar, Self

from django.conf import settings
from django.contrib.auth.models import Group
from django.db import models
from django.db.models import F, Q

from permissions.models.closed import ReadOnlyQuerySet
from permissions.models.periods import Period, holding
from tenants.models.base import TenantRow


class GroupProfile(TenantRow):
    """What Django's group lacks: a key that survives moves and merges, and a description."""

    group = models.OneToOneField(Group, on_delete=models.CASCADE, related_name="profile")
    description = models.CharField(max_length=300, blank=True, default="")
    made_at = models.DateTimeField()

    objects: ClassVar[models.Manager["GroupProfile"]] = ReadOnlyQuerySet["GroupProfile"].as_manager()
    writer: ClassVar[models.Manager["GroupProfile"]] = models.Manager()

    class Meta:
        ordering = ("group__name",)

    def __str__(self) -> str:
        return str(self.group)

    @property
    def name(self) -> str:
        """Return the group's name."""
        return self.group.name


class GroupMembershipQuerySet(ReadOnlyQuerySet["GroupMembership"]):
    """Sets of group memberships."""

    def current(self, *, at: datetime) -> Self:
        """Return those that hold at `at`."""
        return self.filter(holding(at=at))


class GroupMembership(Period, TenantRow):
    """A person is in a group for a period. The migration keeps the periods of one person apart."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="group_memberships"
    )
    group = models.ForeignKey(Group, on_delete=models.CASCADE, related_name="periods")

    objects: ClassVar[GroupMembershipQuerySet] = GroupMembershipQuerySet.as_manager()  # type: ignore[assignment]  # as_manager is not seen as its QuerySet
    writer: ClassVar[models.Manager["GroupMembership"]] = models.Manager()

    class Meta:
        ordering = ("starts_at",)
        constraints = [
            models.CheckConstraint(
                name="group_membership_ends_after_start",
                condition=Q(ends_at=None) | Q(ends_at__gte=F("starts_at")),
            ),
        ]
        indexes = [models.Index(fields=["user", "group"], name="group_membership_of_user")]

    def __str__(self) -> str:
        return f"{self.user_id} {self.group_id}"
