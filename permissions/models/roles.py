"""Roles, who has which from when until when, and the ceiling for guests.

A person has one role at a time. Periods of one person never overlap: the migration adds an exclusion
constraint for it. A GiST index knows no equality of UUIDs without an extension that the embedded
server lacks, so the two halves of the key are compared as ranges of one number each
(`int8range(half, half, '[]') WITH &&`), which is exact.
"""

from datetime import datetime
from typing import ClassVar, Self
from uuid import UUID

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Lower

from permissions import perms
from permissions.models.closed import ReadOnlyQuerySet
from permissions.models.periods import Period, holding
from tenants.models.base import TenantRow

# The built-in roles have the same key in every organisation, so that a merge has nothing to match.
OWNER_ID = UUID("00000000-0000-7000-8000-000000000001")
ADMIN_ID = UUID("00000000-0000-7000-8000-000000000002")
MEMBER_ID = UUID("00000000-0000-7000-8000-000000000003")
GUEST_ID = UUID("00000000-0000-7000-8000-000000000004")
SETTINGS_ID = UUID("00000000-0000-7000-8000-000000000005")

OWNER_RANK, ADMIN_RANK, MEMBER_RANK, GUEST_RANK = 400, 300, 200, 100
# Own roles stand on a rung of the ladder beside a built-in one; nobody stands beside the owners.
OWN_RANKS = (ADMIN_RANK, MEMBER_RANK, GUEST_RANK)


class RoleQuerySet(ReadOnlyQuerySet["Role"]):
    """Sets of roles."""

    def in_use(self) -> Self:
        """Return the roles that can be given."""
        return self.filter(retired_at=None)

    def by_rank(self) -> Self:
        """Return the roles from the highest down, the built-in one of each rung first."""
        return self.order_by("-rank", "-built_in", "name")


class Role(TenantRow):
    """A set of permissions with a place on the ladder.

    The built-in roles (owner, admin, member, guest) hold what the running code declares for them, so
    that a new release's permissions reach every organisation; their `perms` stay empty. `rank` says
    who may edit whom. Guests, of whatever role, are held under the organisation's ceiling.
    """

    code = models.SlugField(max_length=40, unique=True)
    name = models.CharField(max_length=60)
    description = models.CharField(max_length=300, blank=True, default="")
    built_in = models.BooleanField(default=False)
    is_guest = models.BooleanField(default=False)
    rank = models.PositiveSmallIntegerField()
    perms = ArrayField(models.CharField(max_length=60), default=list, blank=True)
    # A deleted role stays for the history of who had it, and cannot be given any more.
    retired_at = models.DateTimeField(null=True, blank=True)

    objects: ClassVar[RoleQuerySet] = RoleQuerySet.as_manager()  # type: ignore[assignment]  # as_manager is not seen as its QuerySet
    writer: ClassVar[models.Manager["Role"]] = models.Manager()

    class Meta:
        ordering = ("-rank", "name")
        constraints = [
            models.UniqueConstraint(Lower("name"), name="role_name_once", condition=Q(retired_at=None)),
            models.CheckConstraint(
                name="role_own_is_below_owner", condition=Q(built_in=True) | Q(rank__lt=OWNER_RANK)
            ),
            models.CheckConstraint(
                name="role_guest_is_lowest", condition=Q(is_guest=False) | Q(rank=GUEST_RANK)
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def is_owner(self) -> bool:
        """Return whether this is the role of owners."""
        return self.pk == OWNER_ID

    def held(self) -> frozenset[str]:
        """Return the permissions of this role, with what they imply, before any ceiling.

        Names in the row that the running code no longer declares are left out.
        """
        if self.built_in:
            return perms.of_built_in(self.code)
        return perms.closed(perms.every_name() & frozenset(self.perms))


class MembershipQuerySet(ReadOnlyQuerySet["Membership"]):
    """Sets of memberships."""

    def current(self, *, at: datetime) -> Self:
        """Return the memberships that hold at `at`."""
        return self.filter(holding(at=at))

    def lasting_owners(self, *, at: datetime) -> Self:
        """Return the memberships that keep the organisation owned: begun, without end, of active people."""
        return self.filter(role_id=OWNER_ID, starts_at__lte=at, ends_at=None, user__is_active=True)


class Membership(Period, TenantRow):
    """A person has a role for a period. Ended periods stay: history says who was what, when."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="memberships")
    role = models.ForeignKey(Role, on_delete=models.PROTECT, related_name="memberships")

    objects: ClassVar[MembershipQuerySet] = MembershipQuerySet.as_manager()  # type: ignore[assignment]  # as_manager is not seen as its QuerySet
    writer: ClassVar[models.Manager["Membership"]] = models.Manager()

    class Meta:
        ordering = ("starts_at",)
        constraints = [
            models.UniqueConstraint(
                fields=["user"], condition=Q(ends_at=None), name="membership_one_open_per_person"
            ),
            models.CheckConstraint(
                name="membership_ends_after_start",
                condition=Q(ends_at=None) | Q(ends_at__gte=F("starts_at")),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user_id} {self.role_id}"


class PermissionSettings(TenantRow):
    """The organisation's one row about rights; changes of memberships take turns on it.

    `guest_ceiling` is the most a guest may hold; `people_changed_at` the time of the last change.
    """

    guest_ceiling = ArrayField(models.CharField(max_length=60), default=list, blank=True)
    people_changed_at = models.DateTimeField(null=True, blank=True)

    objects: ClassVar[models.Manager["PermissionSettings"]] = ReadOnlyQuerySet[
        "PermissionSettings"
    ].as_manager()
    writer: ClassVar[models.Manager["PermissionSettings"]] = models.Manager()

    class Meta:
        constraints = [
            models.CheckConstraint(name="permission_settings_one_row", condition=Q(pk=SETTINGS_ID))
        ]

    def __str__(self) -> str:
        return "Settings of permissions"
