"""Changing the design of a collection."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, tzinfo
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import F, Max

from accounts.identity.models import User
from audit.actions import events
from jobs.actions import enqueue
from records.actions.converting import Consequences, converter, links_for, preview
from records.actions.done import Done
from records.actions.refusals import CannotDesign
from records.finding import forget_design
from records.indexes.rules import plan, try_again
from records.models import Collection, Field, Record, UniqueValue
from records.models.field import UNIQUE_TYPES
from records.statements import fill_unique, hold_records, set_values
from records.values import Choice, FieldSpec, FieldType

MOST_FIELDS = 200


def add(
    *,
    collection: Collection,
    name: str,
    type: FieldType,
    by: User | None,
    at: datetime,
    required: bool = False,
    unique: bool = False,
    choices: Sequence[Choice] = (),
    help: str = "",
    sensitive: bool = False,
    options: Mapping[str, object] | None = None,
    indexed: bool = False,
    key: str = "",
) -> Field:
    """Add a field at the end. Raises CannotDesign for a name that is taken or rules that cannot be.

    `key` is for designs that bring their keys along, such as the demonstration's.
    """
    kept = {"key": key} if key else {}
    field = Field(
        collection=collection,
        name=name.strip(),
        type=type.value,
        required=required,
        unique=unique,
        choices=_stored(choices),
        help=help.strip(),
        sensitive=sensitive,
        options=dict(options or {}),
        indexed=indexed,
        position=_last_position(collection) + 1,
        **kept,
    )
    _check(field)
    _save(field)
    _design_changed(collection, at=at)
    return field


def preview_change(
    *, field: Field, new: FieldSpec, zone: tzinfo = UTC, by: User | None = None
) -> Consequences:
    """Say what changing a field to `new` will do with the data in it. Changes nothing."""
    return preview(field, new, zone=zone, by=by.pk if by else None)


def change(
    *,
    field: Field,
    new: FieldSpec,
    by: User | None,
    at: datetime,
    zone: tzinfo = UTC,
    indexed: bool | None = None,
) -> Done:
    """Change a field to `new` (its key stays) and convert the values in it.

    What `preview_change` said happens; many values are converted by a job, whose id is in Done.
    Raises CannotDesign with the first of the preview's refusals.
    """
    with transaction.atomic():
        if new.unique and not field.unique:
            hold_records()
        told = preview(field, new, zone=zone, by=by.pk if by else None, at=at)
        if told.refusals:
            raise CannotDesign(told.refusals[0])
        old = field.spec()
        before_unique = field.unique
        _take_over(field, new, indexed)
        _check(field)
        _save(field)
        _follow_unique(field, before=before_unique)
        job = None
        if told.converted or told.emptied:
            job = _convert_all(field, old, told, by=by, at=at, zone=zone)
            details = {
                "field": field.name,
                "collection": field.collection.name,
                "type": new.type.label.lower(),
                "emptied": told.emptied,
            }
            events.record("field.converted", target=field.collection, details=details)
        _design_changed(field.collection, at=at)
    return Done("Being converted" if job else "Saved", count=told.converted + told.emptied, job=job)


def reorder(*, collection: Collection, keys: Sequence[str], by: User | None, at: datetime) -> Done:
    """Put the fields in this order; those not named follow in the order they had."""
    fields = {field.key: field for field in collection.live_fields()}
    wanted = [key for key in keys if key in fields]
    ordered = [*wanted, *(key for key in fields if key not in wanted)]
    for position, key in enumerate(ordered):
        fields[key].position = position
    Field.objects.bulk_update(fields.values(), ["position"])
    _design_changed(collection, at=at)
    return Done("Saved", count=len(ordered))


def make_quick(*, field: Field, by: User | None, at: datetime) -> Done:
    """Have a field prepared for filtering and sorting; what could not be prepared before is tried again."""
    field.indexed = True
    field.save(update_fields=["indexed"])
    forget_design(field.collection)
    if not plan(field.collection):
        try_again(field.collection)
    return Done(f"{field.name} is being prepared. Lists get quick as soon as that is done.")


def remove(*, field: Field, by: User | None, at: datetime) -> Done:
    """Take a field out of the design. Its values stay in the records, out of sight, until they are purged."""
    collection = field.collection
    with transaction.atomic():
        was_unique, field.deleted_at, field.unique = field.unique, at, False
        field.save(update_fields=["deleted_at", "unique"])
        _follow_unique(field, before=was_unique)
        if collection.title_key == field.key:
            collection.title_key = ""
            collection.save(update_fields=["title_key"])
        details = {"field": field.name, "collection": collection.name}
        events.record("field.removed", target=collection, details=details)
        _design_changed(collection, at=at)
    return Done(f"{field.name} removed")


def bring_back(*, field: Field, by: User | None, at: datetime) -> Done:
    """Put a removed field back, with the values it had. Raises CannotDesign if its name is taken."""
    field.deleted_at = None
    _save(field)
    _design_changed(field.collection, at=at)
    return Done(f"{field.name} is back")


def _take_over(field: Field, new: FieldSpec, indexed: bool | None) -> None:
    field.name, field.type, field.required, field.unique = new.name, new.type.value, new.required, new.unique
    field.choices, field.help, field.sensitive = _stored(new.choices), new.help, new.sensitive
    field.options = dict(new.options)
    if indexed is not None:
        field.indexed = indexed


def _stored(choices: Sequence[Choice]) -> list[dict[str, str]]:
    return [{"code": choice.code, "label": choice.label} for choice in choices]


def _check(field: Field) -> None:
    if not field.name:
        raise CannotDesign("Give the field a name.")
    if field.unique and FieldType(field.type) not in UNIQUE_TYPES:
        raise CannotDesign(f"{FieldType(field.type).label} cannot be unique.")
    if field.type in (FieldType.CHOICE, FieldType.CHOICES) and not field.choices:
        raise CannotDesign("Give the field at least one choice.")
    if field.type == FieldType.RECORD and not _linked_exists(field):
        raise CannotDesign("Choose the collection that the field links to.")
    if field._state.adding and field.collection.fields.filter(deleted_at=None).count() >= MOST_FIELDS:
        raise CannotDesign(f"A collection has at most {MOST_FIELDS} fields.")
    try:
        field.spec()
    except ValueError as problem:
        raise CannotDesign(f"The field cannot be like this: {problem}.") from None


def _linked_exists(field: Field) -> bool:
    try:
        wanted = UUID(str(field.options.get("collection", "")))
    except ValueError:
        return False
    return Collection.objects.live().filter(pk=wanted).exists()


def _save(field: Field) -> None:
    try:
        with transaction.atomic():
            field.save()
    except IntegrityError as problem:
        diagnosis: Any = getattr(problem.__cause__, "diag", None)
        if diagnosis is not None and diagnosis.constraint_name == "field_name_once":
            raise CannotDesign(f"There is a field called {field.name} already.") from None
        raise


def _last_position(collection: Collection) -> int:
    found = collection.fields.aggregate(last=Max("position"))["last"]
    return -1 if found is None else int(found)


def _follow_unique(field: Field, *, before: bool) -> None:
    if field.unique and not before:
        fill_unique(field)
    elif before and not field.unique:
        UniqueValue.objects.filter(field=field.pk).delete()


def _design_changed(collection: Collection, *, at: datetime) -> None:
    Collection.objects.filter(pk=collection.pk).update(design=F("design") + 1)
    forget_design(collection)
    plan(collection)


def _convert_all(
    field: Field, old: FieldSpec, told: Consequences, *, by: User | None, at: datetime, zone: tzinfo
) -> UUID | None:
    if told.is_large:
        job = enqueue(
            "records.convert",
            payload={"field": str(field.pk), "old": spec_payload(old), "zone": str(zone)},
            label=f"Convert {field.name} of {field.collection.name}",
            by=by,
        )
        return job.pk
    convert_some(field, old, after=None, limit=10**6, by=by.pk if by else None, at=at, zone=zone)
    return None


def spec_payload(spec: FieldSpec) -> dict[str, Any]:
    """Return a design of a field as JSON."""
    return {
        "key": spec.key,
        "name": spec.name,
        "type": spec.type.value,
        "choices": _stored(spec.choices),
        "options": dict(spec.options),
    }


def convert_some(
    field: Field,
    old: FieldSpec,
    *,
    after: UUID | None,
    limit: int,
    by: UUID | None,
    at: datetime,
    zone: tzinfo,
) -> tuple[UUID | None, int]:
    """Convert the values of up to `limit` records after one; return the last and how many were looked at.

    Values that are of the new type already stay, so doing it twice does no harm.
    """
    rows = Record.objects.filter(collection_id=field.collection_id).order_by("pk")
    chunk = list((rows.filter(pk__gt=after) if after else rows).select_for_update(of=("self",))[:limit])
    new = field.spec()
    there = [row.values[field.key] for row in chunk if field.key in row.values]
    convert = converter(old, new, zone=zone, links=links_for(old, new, there, by=by, at=at))
    changed: list[tuple[UUID, object]] = []
    for row in chunk:
        if field.key in row.values:
            kept = convert(row.values[field.key])
            if kept != row.values[field.key]:
                rest = {key: value for key, value in row.values.items() if key != field.key}
                changed.append((row.pk, rest if kept is None else {**row.values, field.key: kept}))
    if changed:
        set_values(changed, by=by, at=at)
    return (chunk[-1].pk if chunk else None), len(chunk)
