"""Bulk load: what imports and the demonstration put records in with."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import CASCADE

from records.actions.checking import taken_by_race
from records.models import Collection, Field, Record
from records.statements import copy_records, taken_places
from records.values import Canonical


def copy_in(
    *,
    collection: Collection,
    rows: Iterable[bytes],
    import_id: UUID | None,
    by: UUID | None,
    at: datetime,
) -> int:
    """Add records by one COPY inside the caller's transaction and return how many.

    `rows` are canonical values as JSON (`records.values.dumps`), already validated. Counts, trail and
    unique values follow by trigger. Call it for a chunk that takes less than a second. Raises Taken,
    leaving the transaction usable, if a value of a unique field is there already or comes twice.
    """
    try:
        with transaction.atomic():
            return copy_records(collection, rows, import_id=import_id, by=by, at=at)
    except IntegrityError as problem:
        raise taken_by_race(problem, collection) from problem


def taken(*, field: Field, values: Sequence[Canonical]) -> set[Canonical]:
    """Return which of some values live records have in a unique field already."""
    if not values:
        return set()
    return {value for place in taken_places(field, values) if not isinstance(value := values[place], list)}


def take_out(
    *, collection: Collection, import_id: UUID, limit: int = 5_000, unchanged_only: bool = False
) -> int:
    """Delete for good up to `limit` records of an import and return how many; 0 when none is left.

    `unchanged_only` leaves those that somebody has changed since.
    """
    some = Record.objects.filter(collection=collection, import_id=import_id).order_by("pk")
    if unchanged_only:
        some = some.filter(version=1)
    ids = list(some.values_list("pk", flat=True)[:limit])
    if ids:
        _delete(ids)
    return len(ids)


def _delete(ids: Sequence[UUID]) -> None:
    """Delete records and what hangs on them by one statement each.

    Django would read every record and delete a hundred at a time, and each statement fires all triggers.
    """
    hanging = (relation for relation in Record._meta.related_objects if relation.on_delete is CASCADE)
    for relation in hanging:
        relation.related_model._base_manager.filter(**{f"{relation.field.name}__in": ids}).delete()
    rows = Record.objects.filter(pk__in=ids)
    rows._raw_delete(rows.db)
