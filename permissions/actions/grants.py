"""Sharing: giving persons and groups permissions on one object, and taking them back.

Guardian's tables keep the grants and its managers make them; the rules are here: who shares must be
allowed to share the object, must hold what they give, and for as long as they give it.
"""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from django.contrib.auth.models import Group
from django.db import transaction
from django.db.models import Model

from accounts.identity.models import User
from audit.actions import events
from permissions import perms
from permissions.holder import Holder, load, unpin
from permissions.models import GroupProfile
from permissions.policies import ObjectPolicy, policy_for
from permissions.reasons import doing
from permissions.refusals import (
    EndsTooEarly,
    LongerThanYouHold,
    MoreThanYouHold,
    NotAllowed,
    NotAMember,
    NotGrantable,
)

# A moment after every end: who holds something then holds it without one.
_WITHOUT_END = datetime(9999, 1, 1, tzinfo=UTC)


@transaction.atomic
def grant(
    *,
    obj: Model,
    to: User | GroupProfile,
    names: Iterable[str],
    by: User,
    at: datetime,
    ends_at: datetime | None = None,
) -> frozenset[str]:
    """Share `obj` with a person or a group; return what was given: `names` with what they imply.

    Given again, the end is replaced. Raises NotAllowed, NotGrantable, MoreThanYouHold,
    LongerThanYouHold, NotAMember or EndsTooEarly.
    """
    policy: ObjectPolicy[Any] = policy_for(type(obj))
    wanted = _grantable(policy, names)
    if ends_at is not None and ends_at <= at:
        raise EndsTooEarly
    if isinstance(to, User) and not load(to, at=at).is_member:
        raise NotAMember
    holder = load(by, at=at)
    if not policy.allows(holder, policy.share, obj, at):
        raise NotAllowed("You may not share this.")
    _check_holds(policy, holder, obj, wanted)
    last = load(by, at=ends_at or _WITHOUT_END)
    if not wanted <= policy.perms_of(last, obj, last.at):
        raise LongerThanYouHold
    _write(policy, obj, to, wanted, by=by, at=at, ends_at=ends_at)
    _tell("access.granted", policy, obj, to, wanted, until=ends_at)
    return wanted


@transaction.atomic
def revoke(
    *,
    obj: Model,
    to: User | GroupProfile,
    by: User,
    at: datetime,
    names: Iterable[str] | None = None,
) -> frozenset[str]:
    """Take back what is shared of `obj`, all of it or `names` with everything that implies them.

    Everybody may give up what is shared with themself. Returns what was taken; raises NotAllowed, or
    MoreThanYouHold for what the one who acts could not have given.
    """
    policy: ObjectPolicy[Any] = policy_for(type(obj))
    grants, whose = _table(policy, to)
    rows = policy.grants_on(grants, [obj.pk]).filter(**whose)
    known = policy.names_by_id()
    there = frozenset(
        known[number] for number in rows.values_list("permission_id", flat=True) if number in known
    )
    taken = there if names is None else there & _with_givers(names)
    if not (isinstance(to, User) and to.pk == by.pk):
        holder = load(by, at=at)
        if not policy.allows(holder, policy.share, obj, at):
            raise NotAllowed("You may not decide with whom this is shared.")
        _check_holds(policy, holder, obj, taken)
    rows.filter(permission_id__in=policy.permission_ids(taken)).delete()
    if isinstance(to, User):
        unpin(to)
    if taken:
        _tell("access.revoked", policy, obj, to, taken)
    return taken


def _grantable(policy: ObjectPolicy[Any], names: Iterable[str]) -> frozenset[str]:
    """Return the names with what they imply on this kind of object; raise NotGrantable for others."""
    asked = perms.checked(names)
    if not asked or not asked <= frozenset(policy.grantable):
        raise NotGrantable
    return perms.closed(asked) & frozenset(policy.grantable)


def _with_givers(names: Iterable[str]) -> frozenset[str]:
    return frozenset(giver for name in names for giver in perms.givers(name))


def _check_holds(policy: ObjectPolicy[Any], holder: Holder, obj: Model, names: frozenset[str]) -> None:
    if not names <= policy.perms_of(holder, obj, holder.at):
        raise MoreThanYouHold


def _table(policy: ObjectPolicy[Any], to: User | GroupProfile) -> tuple[type[Any], dict[str, Any]]:
    if isinstance(to, GroupProfile):
        return policy.group_grants, {"group_id": to.group_id}
    return policy.user_grants, {"user_id": to.pk}


def _write(
    policy: ObjectPolicy[Any],
    obj: Model,
    to: User | GroupProfile,
    names: frozenset[str],
    *,
    by: User,
    at: datetime,
    ends_at: datetime | None,
) -> None:
    """Insert the grants, or renew those that are there, in one statement."""
    grants, whose = _table(policy, to)
    where: dict[str, Any] = {"content_object_id": obj.pk}
    key = "content_object"
    if grants.objects.is_generic():
        where, key = {"object_pk": str(obj.pk), "content_type_id": policy.type_id}, "object_pk"
    grants.objects.bulk_create(
        [
            grants(**whose, **where, permission_id=number, granted_by=by, granted_at=at, ends_at=ends_at)
            for number in policy.permission_ids(names)
        ],
        update_conflicts=True,
        unique_fields=["group" if isinstance(to, GroupProfile) else "user", "permission", key],
        update_fields=["ends_at", "granted_by", "granted_at"],
    )
    if isinstance(to, User):
        unpin(to)


def _tell(
    code: str,
    policy: ObjectPolicy[Any],
    obj: Model,
    to: User | GroupProfile,
    names: frozenset[str],
    **details: object,
) -> None:
    told = {"perms": doing(names), "names": sorted(names), **details}
    if isinstance(to, GroupProfile):
        told |= {"holder": f"the group {to.group.name}", "group": to.pk}
        events.record(code, target=obj, details=told)
    else:
        events.record(code, target=obj, details=told, personal={"holder": to.name}, subject=to.pk)


def profile_of(group: Group) -> GroupProfile:
    """Return the profile of a Django group. Raises GroupProfile.DoesNotExist for one made elsewhere."""
    return GroupProfile.objects.select_related("group").get(group=group)
