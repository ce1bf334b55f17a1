"""Finding one collection, its design, one record: what nearly every request of this room asks."""

from collections.abc import Callable, Iterable
from datetime import datetime
from functools import lru_cache
from itertools import islice
from typing import Any
from uuid import UUID

from django.db.models import QuerySet

from permissions.holder import Holder
from permissions.models import Role
from permissions.policies import policy_for
from records.models import Collection, Field, Record
from tenants.prepared import ANOTHER_KEY, KEY, MOMENT, TEXT, Prepared

# People in more groups than this are rare, and each number of groups is a statement of its own.
MOST_GROUPS = 20
_GROUPS = {f"group_{number}": -2_000_000_000 - number for number in range(MOST_GROUPS)}
_FIELDS = Prepared(lambda collection_id: Field.objects.filter(collection_id=collection_id), collection_id=KEY)
_RECORD = Prepared(
    lambda pk, collection_id: Record.objects.live().filter(collection_id=collection_id, pk=pk),
    pk=KEY,
    collection_id=ANOTHER_KEY,
)
_LOCKED = Prepared(
    lambda pk: Record.objects.select_for_update(of=("self",)).live().filter(pk=pk),
    pk=KEY,
)


def collection_of_key(key: str, holder: Holder) -> tuple[Collection, frozenset[str]] | None:
    """Return the collection of an address and what a person may do to it; None if they do not see it."""
    policy = policy_for(Collection)
    if not holder.is_member or len(holder.groups) > MOST_GROUPS:
        rows, told = policy.visible_with_perms(holder, holder.at)
        found = list(rows.filter(key=key)[:1])
    else:
        prepared, told = _visible(holder.held, holder.ceiling, len(holder.groups))
        groups = dict(zip(_GROUPS, holder.groups, strict=False))
        found = prepared(key=key, user_id=holder.user_id, at=holder.at, **groups)
    return (found[0], told(found[0])) if found else None


@lru_cache(maxsize=512)
def _visible(
    held: frozenset[str], ceiling: frozenset[str] | None, groups: int
) -> tuple[Prepared[Collection], Callable[[Collection], frozenset[str]]]:
    """Return the question for people who hold the same by their role and are in as many groups."""
    policy = policy_for(Collection)
    stand_ins = dict(islice(_GROUPS.items(), groups))

    def seen(user_id: UUID, at: datetime, in_groups: Iterable[int]) -> Any:
        holder = Holder(user_id, at, role=Role(), held=held, groups=frozenset(in_groups), ceiling=ceiling)
        return policy.visible_with_perms(holder, at)

    def build(key: str, user_id: UUID, at: datetime, **in_groups: int) -> QuerySet[Collection]:
        rows: QuerySet[Collection] = seen(user_id, at, in_groups.values())[0]
        return rows.filter(key=key)

    # Who holds everything by their role is asked about no grants.
    by_grant = ("user_id", "at", *stand_ins)
    prepared = Prepared(build, optional=by_grant, key=TEXT, user_id=KEY, at=MOMENT, **stand_ins)
    return prepared, seen(KEY, MOMENT, stand_ins.values())[1]


def load_design(collection: Collection) -> Collection:
    """Read the fields of a collection once; `specs` and `live_fields` then ask nothing."""
    kept: dict[str, object] = collection.__dict__.setdefault("_prefetched_objects_cache", {})
    if "fields" not in kept:
        found = _FIELDS(collection_id=collection.pk)
        for field in found:
            field.collection = collection
        # As a prefetch would leave it: whoever narrows it further asks anew, of this collection alone.
        fields: Any = collection.fields.get_queryset()
        fields._result_cache, fields._prefetch_done = found, True
        kept["fields"] = fields
    return collection


def forget_design(collection: Collection) -> None:
    """Let the fields be read again, after they changed."""
    getattr(collection, "_prefetched_objects_cache", {}).pop("fields", None)


def record_in(collection: Collection, pk: UUID) -> Record | None:
    """Return a record of a collection, unless it is in the bin. It asks nobody's rights."""
    return next(iter(_RECORD(pk=pk, collection_id=collection.pk)), None)


def locked(pk: UUID) -> Record | None:
    """Return a record, unless it is in the bin; nobody else changes it before the transaction has ended."""
    return next(iter(_LOCKED(pk=pk)), None)
