"""Reading grants across all registered models: for sharing pages, and for what a group gives."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib.auth.models import Group
from django.db.models import Model

from accounts.identity.models import User
from permissions.models.periods import unended
from permissions.policies import ObjectPolicy, registered


@dataclass(frozen=True, slots=True)
class Shared:
    """One object shared with one holder by one person until one moment, with all that was given so."""

    policy: ObjectPolicy[Any]
    obj: Model
    user: User | None
    group: Group | None
    by: User | None
    at: datetime
    until: datetime | None
    names: frozenset[str]


def names_granted_to(group: Group) -> frozenset[str]:
    """Return every permission that is granted to a group, on whatever object, ended or not."""
    found: set[str] = set()
    for policy in registered().values():
        names = policy.names_by_id()
        numbers = policy.group_grants.objects.filter(group=group, permission_id__in=list(names))
        found.update(names[number] for number in numbers.values_list("permission_id", flat=True).distinct())
    return frozenset(found)


def shared_on(obj: Model, policy: ObjectPolicy[Any], *, at: datetime) -> list[Shared]:
    """Return with whom an object itself is shared at `at`."""
    found: list[Shared] = []
    for grants in (policy.user_grants, policy.group_grants):
        rows = policy.grants_on(grants, [obj.pk]).filter(unended(at=at))
        found.extend(_gathered(policy, rows, {str(obj.pk): obj}))
    return found


def shared_with(*, at: datetime, user: User | None = None, group: Group | None = None) -> list[Shared]:
    """Return what is shared with a person or a group at `at`, in two queries a kind of object."""
    whose: dict[str, Any] = {"user": user} if user is not None else {"group": group}
    found: list[Shared] = []
    for policy in registered().values():
        grants = policy.user_grants if user is not None else policy.group_grants
        found.extend(_with_objects(policy, grants, at=at, **whose))
    return found


def everything_shared(*, at: datetime, most: int) -> list[Shared]:
    """Return what is shared at all, the newest first, at most about `most` of each kind."""
    found: list[Shared] = []
    for policy in registered().values():
        for grants in (policy.user_grants, policy.group_grants):
            found.extend(_with_objects(policy, grants, at=at, most=most))
    return sorted(found, key=lambda shared: shared.at, reverse=True)[:most]


def _with_objects(
    policy: ObjectPolicy[Any], grants: type[Any], *, at: datetime, most: int | None = None, **whose: Any
) -> list[Shared]:
    numbers = list(policy.names_by_id())
    rows = grants.objects.filter(unended(at=at), permission_id__in=numbers, **whose)
    # A grant of five permissions is five rows; the limit is on rows, generously.
    limited = list(_related(rows).order_by("-granted_at", "-pk")[: most * len(numbers) if most else None])
    keys = {getattr(row, policy.key_field(grants)) for row in limited}
    objects = {str(obj.pk): obj for obj in policy.rows().filter(pk__in=keys)}
    return _gathered(policy, limited, objects)


def _related(rows: Any) -> Any:
    holder = "group" if _is_of_group(rows.model) else "user"
    return rows.select_related("granted_by", holder)


def _is_of_group(grants: type[Any]) -> bool:
    return any(field.name == "group" for field in grants._meta.fields)


def _gathered(policy: ObjectPolicy[Any], rows: Any, objects: dict[str, Model]) -> list[Shared]:
    rows = rows if isinstance(rows, list) else list(_related(rows).order_by("granted_at", "pk"))
    return list(_together(policy, rows, objects))


def _together(policy: ObjectPolicy[Any], rows: list[Any], objects: dict[str, Model]) -> Iterator[Shared]:
    names = policy.names_by_id()
    together: dict[Any, list[Any]] = {}
    for row in rows:
        of_group = _is_of_group(type(row))
        key = str(getattr(row, policy.key_field(type(row))))
        if key in objects:
            holder = row.group_id if of_group else row.user_id
            together.setdefault((key, of_group, holder, row.granted_by_id, row.ends_at), []).append(row)
    for (key, of_group, _, _, until), same in together.items():
        yield Shared(
            policy=policy,
            obj=objects[key],
            user=None if of_group else same[0].user,
            group=same[0].group if of_group else None,
            by=same[0].granted_by,
            at=same[0].granted_at,
            until=until,
            names=frozenset(names[row.permission_id] for row in same if row.permission_id in names),
        )
