"""The organisation's own roles, and the most that guests may hold."""

from collections.abc import Iterable
from datetime import datetime
from uuid import uuid4

from django.db import IntegrityError, transaction

from accounts.identity.models import User
from audit.actions import events
from permissions import perms
from permissions.actions.memberships import assign_role, take_turns
from permissions.ladder import acting, check_holds_all, check_may_give, check_not_above
from permissions.models import Membership, PermissionSettings, Role
from permissions.models.roles import GUEST_RANK, OWN_RANKS, SETTINGS_ID
from permissions.refusals import AboveYou, BuiltIn, NameMissing, NameTaken, Retired, RoleInUse


@transaction.atomic
def create_role(
    *,
    name: str,
    names: Iterable[str],
    rank: int,
    by: User,
    at: datetime,
    description: str = "",
    is_guest: bool = False,
) -> Role:
    """Make a role with the permissions `names`, on the rung `rank` (one of OWN_RANKS).

    A role for guests stands on their rung and is held under their ceiling. Raises NotAllowed,
    AboveYou, MoreThanYouHold, NameMissing, NameTaken or UnknownPermission.
    """
    actor = acting(by, perm=perms.ROLES_MANAGE, at=at)
    held = perms.closed(perms.checked(names))
    check_holds_all(actor, held)
    rung = GUEST_RANK if is_guest else rank
    if rung not in OWN_RANKS or rung > actor.rank:
        raise AboveYou("You cannot make a role above your own.")
    role = Role(
        code=f"own-{uuid4().hex[:12]}",
        name=_clean(name),
        description=description.strip(),
        rank=rung,
        is_guest=is_guest,
        perms=sorted(held),
    )
    _save(role)
    events.record("role.made", target=role, details={"role": role.name, "perms": role.perms})
    return role


@transaction.atomic
def change_role(
    *, role: Role, name: str, names: Iterable[str], by: User, at: datetime, description: str = ""
) -> Role:
    """Change what an own role is called and holds; everybody who has it feels it at once.

    Raises NotAllowed, BuiltIn, Retired, AboveYou, MoreThanYouHold, NameMissing or NameTaken.
    """
    actor = acting(by, perm=perms.ROLES_MANAGE, at=at)
    role = _own(role)
    check_not_above(actor, role)
    held = perms.closed(perms.checked(names))
    # What the role holds already may be taken away only by who could have given it.
    check_holds_all(actor, held ^ role.held())
    before = role.perms
    role.name, role.description, role.perms = _clean(name), description.strip(), sorted(held)
    _save(role)
    events.record(
        "role.changed", target=role, details={"role": role.name, "before": before, "perms": role.perms}
    )
    return role


@transaction.atomic
def delete_role(*, role: Role, by: User, at: datetime, instead: Role | None = None) -> int:
    """Delete an own role; who has it gets `instead`. Returns how many people that were.

    Raises NotAllowed, BuiltIn, Retired, AboveYou, MoreThanYouHold, or RoleInUse without `instead`.
    """
    at = take_turns(at=at)
    actor = acting(by, perm=perms.ROLES_MANAGE, at=at)
    role = _own(role)
    check_not_above(actor, role)
    check_holds_all(actor, role.held())
    people = [
        membership.user
        for membership in Membership.objects.current(at=at).filter(role=role).select_related("user")
    ]
    if people and instead is None:
        raise RoleInUse
    if instead is not None and people:
        check_may_give(actor, instead)
        for person in people:
            assign_role(user=person, role=instead, by=by, at=at)
    Role.writer.filter(pk=role.pk).update(retired_at=at)
    events.record("role.deleted", target=role, details={"role": role.name, "people": len(people)})
    return len(people)


@transaction.atomic
def set_guest_ceiling(*, names: Iterable[str], by: User, at: datetime) -> frozenset[str]:
    """Set the most that guests may hold, whatever is shared with them. Felt at once.

    Raises NotAllowed or MoreThanYouHold.
    """
    actor = acting(by, perm=perms.SETTINGS_CHANGE, at=at)
    wanted = perms.closed(perms.checked(names))
    settings = PermissionSettings.writer.select_for_update(no_key=True).get(pk=SETTINGS_ID)
    before = frozenset(settings.guest_ceiling)
    check_holds_all(actor, wanted ^ (before & perms.every_name()))
    PermissionSettings.writer.filter(pk=SETTINGS_ID).update(guest_ceiling=sorted(wanted))
    events.record(
        "guests.ceiling_changed",
        target=settings,
        details={"before": sorted(before), "perms": sorted(wanted)},
    )
    return wanted


def _own(role: Role) -> Role:
    found = Role.writer.select_for_update(no_key=True).get(pk=role.pk)
    if found.built_in:
        raise BuiltIn
    if found.retired_at is not None:
        raise Retired
    return found


def _clean(name: str) -> str:
    wanted = " ".join(name.split())[:60]
    if not wanted:
        raise NameMissing("Give the role a name.")
    return wanted


def _save(role: Role) -> None:
    try:
        with transaction.atomic():
            role.save()
    except IntegrityError as problem:
        raise NameTaken("Another role has this name. Choose a different name.") from problem
