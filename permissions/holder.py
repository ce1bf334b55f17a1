"""The holder: what one person holds by role and groups, under their ceiling, at one moment.

Loading it costs one query. In a request it is loaded once and pinned to the request's user, so that
every policy asked for the same page answers from the same moment; the next request loads it again,
which is how a change takes effect at once.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from django.contrib.auth.models import AnonymousUser
from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import QuerySet, Subquery
from django.http import HttpRequest
from django.utils import timezone

from accounts.identity.models import User
from permissions import perms
from permissions.models import GroupMembership, Membership, PermissionSettings, Role
from tenants.prepared import KEY, MOMENT, Prepared

# How long a pinned holder speaks for its request.
PINNED_FOR = timedelta(seconds=30)
_PIN = "_enclave_holder"


@dataclass(frozen=True, slots=True)
class Holder:
    """What a person holds at `at`. `role` is None for who has no membership then: they hold nothing.

    `ceiling` is the most they may hold, whatever is granted; None where there is none.
    """

    user_id: UUID | None
    at: datetime
    name: str = ""
    role: Role | None = None
    held: frozenset[str] = frozenset()
    groups: frozenset[int] = frozenset()
    ceiling: frozenset[str] | None = None
    since: datetime | None = None

    @property
    def is_member(self) -> bool:
        """Return whether the person belongs to the organisation."""
        return self.role is not None

    @property
    def rank(self) -> int:
        """Return the rung of the ladder; 0 for who does not belong."""
        return self.role.rank if self.role else 0

    def holds(self, perm: str) -> bool:
        """Return whether the role gives `perm` in the whole organisation. Raises UnknownPermission."""
        return perms.known(perm).name in self.held

    def under_ceiling(self, names: frozenset[str]) -> frozenset[str]:
        """Return what is left of `names`, with all they imply, when the ceiling is applied."""
        if not self.is_member:
            return frozenset()
        reached = perms.closed(names)
        return reached if self.ceiling is None else reached & self.ceiling

    def may_reach(self, perm: str) -> bool:
        """Return whether `perm` could be held at all, by whatever grant."""
        return self.is_member and (self.ceiling is None or perm in self.ceiling)


Person = User | AnonymousUser
Who = Person | Holder


def _of_person(user_id: UUID, at: datetime) -> QuerySet[Membership]:
    """Return the membership of a person at `at`, with role, groups, and the ceiling for guests."""
    groups = GroupMembership.objects.current(at=at).filter(user_id=user_id).order_by()
    return (
        Membership.objects.current(at=at)
        .filter(user_id=user_id, user__is_active=True)
        .select_related("role")
        .annotate(
            ceiling=Subquery(PermissionSettings.objects.values("guest_ceiling")[:1]),
            in_groups=ArraySubquery(groups.values("group_id")),
        )[:1]
    )


# Asked by every request of a person who is signed in.
_OF_PERSON = Prepared(_of_person, user_id=KEY, at=MOMENT)


def load(user: Person, *, at: datetime) -> Holder:
    """Read what a person holds at `at`, in one query. An inactive person holds nothing.

    `is_staff` and `is_superuser` mean nothing here: they are for operators, in the control plane.
    """
    if isinstance(user, AnonymousUser):
        return Holder(None, at)
    found = _OF_PERSON(user_id=user.pk, at=at)
    membership = found[0] if found else None
    if membership is None:
        return Holder(user.pk, at, user.name)
    holder = Holder(
        user_id=user.pk,
        at=at,
        name=user.name,
        role=membership.role,
        groups=frozenset(vars(membership)["in_groups"]),
        # No row of settings, no rights: what is missing must not open a door.
        ceiling=frozenset(vars(membership)["ceiling"] or ()) if membership.role.is_guest else None,
        since=membership.starts_at,
    )
    return replace(holder, held=holder.under_ceiling(membership.role.held()))


def holder_for(who: Who, *, at: datetime) -> Holder:
    """Return the holder for a person at `at`: the one pinned by the request, or else a fresh one."""
    if isinstance(who, Holder):
        return who
    pinned = getattr(who, _PIN, None)
    if (
        isinstance(pinned, Holder)
        and pinned.user_id == who.pk
        and timedelta() <= at - pinned.at <= PINNED_FOR
    ):
        return pinned
    return load(who, at=at)


def holder_of(request: HttpRequest) -> Holder:
    """Return the holder of a request, loaded at its first use and pinned to its user."""
    user = request.user
    pinned = getattr(user, _PIN, None)
    if isinstance(pinned, Holder):
        return pinned
    if not user.is_authenticated:
        return Holder(None, timezone.now())
    fresh = load(user, at=timezone.now())
    setattr(user, _PIN, fresh)
    user.role_name = fresh.role.name if fresh.role else ""  # type: ignore[attr-defined]  # shown by the frame
    return fresh


def unpin(user: User) -> None:
    """Forget what was pinned to this user, after an action changed it."""
    user.__dict__.pop(_PIN, None)


def holds(who: Who, perm: str, *, at: datetime) -> bool:
    """Return whether a person holds `perm` in the whole organisation at `at`."""
    return holder_for(who, at=at).holds(perm)


def members(*, at: datetime) -> QuerySet[User]:
    """Return the people who belong to the organisation at `at`."""
    current = Membership.objects.current(at=at).values("user_id")
    return User.objects.filter(is_active=True, pk__in=current)
