"""Which indexes a collection should have, and asking for those that are missing."""

import hashlib
from collections.abc import Iterable
from uuid import UUID

from jobs.actions import enqueue
from records.models import Collection, Field, IndexState
from records.models.index import IndexKind, IndexStatus
from records.values import FieldType

# A collection of fewer records answers quickly without.
INDEXED_FROM = 5_000
SEARCH_INDEXED_FROM = 1_000
# What people look by even if nobody asks for it.
BY_RULE = frozenset(
    {
        FieldType.DATE,
        FieldType.DATETIME,
        FieldType.CHOICE,
        FieldType.CHOICES,
        FieldType.RECORD,
        FieldType.PERSON,
    }
)
KIND = "records.index"
# The last bits of keys are drawn by lot.
ASKED_EVERY = 256


def wanted(collection: Collection) -> set[tuple[IndexKind, str]]:
    """Return the indexes that a collection should have, as (kind, key of the field)."""
    count = collection.record_count() + collection.binned_count()
    found: set[tuple[IndexKind, str]] = set()
    if count >= SEARCH_INDEXED_FROM:
        found.add((IndexKind.SEARCH, ""))
    for field in collection.live_fields():
        by_rule = count >= INDEXED_FROM and (
            field.key == collection.title_key or FieldType(field.type) in BY_RULE
        )
        if by_rule or field.indexed:
            found.add((kind_for(field), field.key))
    return found


def kind_for(field: Field) -> IndexKind:
    """Return the kind of index that serves a field."""
    return IndexKind.MEMBERS if field.type == FieldType.CHOICES else IndexKind.ORDER


def index_name(collection: Collection, kind: str, field: Field | None) -> str:
    """Return the name of an index. A field whose type changed needs another index, so another name."""
    parts = (str(collection.pk), kind, field.key if field else "", field.type if field else "")
    return "ux_" + hashlib.sha256("\x1f".join(parts).encode()).hexdigest()[:20]


def plan(collection: Collection) -> bool:
    """Compare what there is with what should be; ask the owner's worker if that differs.

    Cheap: call it after changing a design and after loading many records. Returns whether it asked.
    """
    by_key = {field.key: field for field in collection.live_fields()}
    should = {index_name(collection, kind, by_key.get(key)): (kind, key) for kind, key in wanted(collection)}
    there = {state.name: state for state in IndexState.objects.filter(collection=collection)}
    missing = [
        IndexState(collection=collection, field_key=key, kind=kind, name=name)
        for name, (kind, key) in should.items()
        if name not in there
    ]
    # What was asked for by rule stays when records go: a collection that shrank may grow again.
    gone = [state for state in there.values() if _is_useless(state, by_key, collection)]
    if not missing and not gone:
        return False
    IndexState.objects.bulk_create(missing, ignore_conflicts=True)
    IndexState.objects.filter(pk__in=[state.pk for state in gone]).update(status=IndexStatus.UNWANTED)
    _ask(collection)
    return True


def plan_now_and_then(collection: Collection, pk: UUID) -> None:
    """Let a collection that grows record by record get its indexes too; `pk` is the key of a new one.

    Asking costs more than the record itself, so one in a few hundred asks.
    """
    if pk.int % ASKED_EVERY == 0:
        plan(collection)


def try_again(collection: Collection) -> None:
    """Ask once more for indexes that could not be made."""
    failed = IndexState.objects.filter(collection=collection, status=IndexStatus.FAILED)
    if failed.update(status=IndexStatus.WANTED, error=""):
        _ask(collection)


def _is_useless(state: IndexState, by_key: dict[str, Field], collection: Collection) -> bool:
    """Return whether an index serves nothing: its field is gone, or has another type."""
    if state.kind == IndexKind.SEARCH or state.status == IndexStatus.UNWANTED:
        return False
    field = by_key.get(state.field_key)
    return field is None or state.name != index_name(collection, kind_for(field), field)


def _ask(collection: Collection) -> None:
    enqueue(
        KIND,
        payload={"collection": str(collection.pk)},
        label=f"Prepare searching and sorting of {collection.name}",
        by=None,
    )


def statuses(states: Iterable[IndexState]) -> dict[str, IndexStatus]:
    """Return how far indexes are, by name."""
    return {state.name: IndexStatus(state.status) for state in states}
