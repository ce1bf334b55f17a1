"""What a validator cannot know by itself: that links lead somewhere, and that unique values are free."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from django.db import IntegrityError

from accounts.identity.models import User
from records.actions.refusals import Taken
from records.models import Collection, Field, Record, RecordFile
from records.statements import taken_places
from records.values import Canonical, FieldSpec, FieldType

NO_RECORD = "This record is not there any more. Choose another one."
NO_PERSON = "This person is not there any more. Choose another one."
NO_FILE = "This file does not belong to the record."
TAKEN = "Another record has this value already."
UNIQUE_CONSTRAINT = "records_uniquevalue_pkey"


def broken_links(
    specs: Sequence[FieldSpec], values: Mapping[str, Canonical], *, record: UUID | None
) -> dict[str, str]:
    """Return a message for each reference that leads nowhere. One query for a kind of reference."""
    errors: dict[str, str] = {}
    linked = _of_type(FieldType.RECORD, specs, values)
    if linked:
        rows = Record.objects.live().filter(pk__in=linked.values())
        there = dict(rows.values_list("pk", "collection_id"))
        for spec in specs:
            if spec.key in linked:
                home, wanted = there.get(linked[spec.key]), spec.option("collection", "")
                if home is None or (wanted and str(home) != wanted):
                    errors[spec.key] = NO_RECORD
    people = _of_type(FieldType.PERSON, specs, values)
    if people:
        known = set(User.objects.filter(pk__in=people.values()).values_list("pk", flat=True))
        errors.update({key: NO_PERSON for key, value in people.items() if value not in known})
    files = _of_type(FieldType.FILE, specs, values)
    if files:
        own = RecordFile.objects.filter(deleted_at=None, pk__in=files.values())
        found = {pk for pk, home in own.values_list("pk", "record_id") if home == record}
        errors.update({key: NO_FILE for key, value in files.items() if value not in found})
    return errors


def _of_type(kind: FieldType, specs: Sequence[FieldSpec], values: Mapping[str, Canonical]) -> dict[str, UUID]:
    return {
        spec.key: UUID(str(values[spec.key])) for spec in specs if spec.type is kind and spec.key in values
    }


def taken_fields(
    collection: Collection, values: Mapping[str, Canonical], *, record: UUID | None
) -> dict[str, str]:
    """Return a message for each unique field whose value another record has."""
    unique = [field for field in collection.live_fields() if field.unique and field.key in values]
    return {field.key: TAKEN for field in unique if taken_places(field, [values[field.key]], besides=record)}


def taken_by_race(problem: IntegrityError, collection: Collection) -> Taken:
    """Return the refusal for a unique value that another transaction took first; re-raise anything else."""
    diagnosis = getattr(problem.__cause__, "diag", None)
    if diagnosis is None or diagnosis.constraint_name != UNIQUE_CONSTRAINT:
        raise problem
    detail = diagnosis.message_detail or ""
    hit = [field.key for field in collection.live_fields() if str(field.pk) in detail]
    return Taken(dict.fromkeys(hit, TAKEN))


def unique_fields(collection: Collection) -> list[Field]:
    """Return the fields whose values no two live records share."""
    return [field for field in collection.live_fields() if field.unique]
