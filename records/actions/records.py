"""One record, or some picked by hand: add, change, bin, restore, delete for good."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, tzinfo
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import F

from accounts.identity.models import User
from audit.actions import events
from records import finding
from records.actions import checking
from records.actions.done import Done, keep, some
from records.actions.refusals import Conflict, Gone, Invalid, Taken
from records.indexes.rules import plan_now_and_then
from records.models import Collection, Record, RecordFile
from records.values import Canonical, FieldType, Validator, compile_validator

Values = Mapping[str, object]


def create(
    *,
    collection: Collection,
    values: Values,
    by: User | None,
    at: datetime,
    zone: tzinfo = UTC,
) -> Done:
    """Add a record with what people typed. Raises Invalid with a message for each field, or Taken."""
    finding.load_design(collection)
    # A file belongs to a record that is there: it comes afterwards, in the same transaction.
    specs = [
        replace(one, required=False) if one.type is FieldType.FILE else one for one in collection.specs()
    ]
    clean, errors = compile_validator(specs, zone=zone).validate(values)
    errors |= checking.broken_links(collection.specs(), clean, record=None)
    _refuse(errors, checking.taken_fields(collection, clean, record=None))
    who = by.pk if by else None
    try:
        with transaction.atomic():
            record = Record.objects.create(
                collection=collection,
                values=clean,
                created_by=who,
                updated_by=who,
                created_at=at,
                updated_at=at,
            )
    except IntegrityError as problem:
        raise checking.taken_by_race(problem, collection) from problem
    plan_now_and_then(collection, record.pk)
    undo = keep("create", {"ids": [str(record.pk)]}, collection=collection, by=who, at=at)
    return Done("Added", undo=undo, record=record)


def change(
    *,
    record: Record,
    values: Values,
    expected: int,
    by: User | None,
    at: datetime,
    zone: tzinfo = UTC,
    seen: Mapping[str, Canonical | None] | None = None,
) -> Done:
    """Change some fields of a record; fields that are not in `values` stay as they are.

    `expected` is the version that the person saw. Raises Conflict when the record has another one by
    now, unless `seen`, the old values of the changed fields as the person saw them, still stand; Gone
    when it is in the bin; Invalid with a message for each field; Taken.
    """
    row = finding.locked(record.pk)
    if row is None:
        raise Gone
    collection = row.collection = finding.load_design(record.collection)
    validator = compile_validator(collection.specs(), zone=zone)
    merged, errors = validator.merge(row.values, values)
    mine = {key: merged.get(key) for key in values if key in validator.fields}
    if row.version != expected and not _untouched(row, seen, mine):
        raise Conflict(theirs=row, mine=mine)
    _check(row, merged, errors, mine)
    old = {key: row.values.get(key) for key in mine}
    row.values, row.version = merged, row.version + 1
    row.updated_at, row.updated_by = at, by.pk if by else None
    try:
        with transaction.atomic():
            row.save(update_fields=["values", "version", "updated_at", "updated_by"])
    except IntegrityError as problem:
        raise checking.taken_by_race(problem, collection) from problem
    payload = {"changes": [[str(row.pk), old, mine]]}
    undo = keep("change", payload, collection=collection, by=by.pk if by else None, at=at)
    return Done("Saved", undo=undo, record=row)


def _untouched(
    row: Record, seen: Mapping[str, Canonical | None] | None, mine: Mapping[str, Canonical | None]
) -> bool:
    """Return whether the fields to be changed still are as they were seen: then nobody is overwritten."""
    return seen is not None and all(key in seen and row.values.get(key) == seen[key] for key in mine)


def _check(
    row: Record,
    merged: Mapping[str, Canonical],
    errors: dict[str, str],
    mine: Mapping[str, Canonical | None],
) -> None:
    changed = {key: merged[key] for key in mine if key in merged}
    errors |= checking.broken_links(row.collection.specs(), changed, record=row.pk)
    _refuse(errors, checking.taken_fields(row.collection, changed, record=row.pk))


def _refuse(errors: Mapping[str, str], taken: Mapping[str, str]) -> None:
    if errors:
        raise Invalid({**taken, **errors})
    if taken:
        raise Taken(taken)


def move_to_bin(*, collection: Collection, ids: Sequence[UUID], by: User | None, at: datetime) -> Done:
    """Move records to the bin. Raises Gone if none of them was there."""
    who = by.pk if by else None
    rows = Record.objects.live().filter(collection=collection, pk__in=ids)
    count = rows.update(deleted_at=at, updated_at=at, updated_by=who, version=F("version") + 1)
    if not count:
        raise Gone
    events.record(
        "records.binned", target=collection, details={"count": count, "collection": collection.name}
    )
    undo = keep(
        "bin", {"ids": [str(pk) for pk in ids], "at": at.isoformat()}, collection=collection, by=who, at=at
    )
    return Done(f"{some(count)} moved to the bin", count=count, undo=undo)


def restore(*, collection: Collection, ids: Sequence[UUID], by: User | None, at: datetime) -> Done:
    """Take records out of the bin. Raises Gone, or Taken if a live record has a unique value of theirs."""
    who = by.pk if by else None
    rows = Record.objects.binned().filter(collection=collection, pk__in=ids)
    try:
        with transaction.atomic():
            count = rows.update(deleted_at=None, updated_at=at, updated_by=who, version=F("version") + 1)
    except IntegrityError as problem:
        raise checking.taken_by_race(problem, collection) from problem
    if not count:
        raise Gone
    events.record(
        "records.restored", target=collection, details={"count": count, "collection": collection.name}
    )
    undo = keep("create", {"ids": [str(pk) for pk in ids]}, collection=collection, by=who, at=at)
    return Done(f"{some(count)} taken out of the bin", count=count, undo=undo)


def purge(*, collection: Collection, ids: Sequence[UUID], by: User | None, at: datetime) -> Done:
    """Delete records of the bin for good, with their files. This cannot be undone. Raises Gone."""
    rows = Record.objects.binned().filter(collection=collection, pk__in=ids)
    found = list(rows.values_list("pk", flat=True))
    if not found:
        raise Gone
    # Contents are swept when no row names them any more: see records.files.
    RecordFile.objects.filter(record_id__in=found).delete()
    rows.filter(pk__in=found).delete()
    events.record(
        "records.purged", target=collection, details={"count": len(found), "collection": collection.name}
    )
    return Done(f"{some(len(found))} deleted for good", count=len(found))


def validator_of(collection: Collection, *, zone: tzinfo = UTC) -> Validator:
    """Return the compiled design of a collection."""
    return compile_validator(collection.specs(), zone=zone)
