"""Attaching files to records and taking them off again."""

import re
from collections.abc import Iterable
from datetime import datetime

from django.db import transaction
from django.db.models import F

from accounts.identity.models import User
from audit.actions import events
from records.actions.done import Done
from records.actions.refusals import CannotDesign, Gone
from records.files import storage
from records.files.refusals import FileRefused
from records.models import Record, RecordFile
from records.values import FieldType

MOST_FILES = 200
_HOSTILE = re.compile(r"[\x00-\x1f\x7f/\\\u202a-\u202e\u2066-\u2069]")


def attach(
    *,
    record: Record,
    name: str,
    chunks: Iterable[bytes],
    by: User | None,
    at: datetime,
    field_key: str = "",
) -> RecordFile:
    """Store content and attach it to a record, in a file field or beside the fields.

    A file field then holds this file in place of the one before, which stays attached. Raises
    FileRefused for content that cannot be taken, CannotDesign for a field that holds no file.
    """
    if field_key:
        fields = {field.key: field for field in record.collection.live_fields()}
        if field_key not in fields or fields[field_key].type != FieldType.FILE:
            raise CannotDesign("This field holds no file.")
    if record.files.filter(deleted_at=None).count() >= MOST_FILES:
        raise FileRefused(f"A record may have at most {MOST_FILES} files.")
    stored = storage.write(chunks, name=name)
    try:
        with transaction.atomic():
            file = RecordFile.objects.create(
                record=record,
                field_key=field_key,
                name=clean_name(name),
                content_type=stored.content_type,
                size=stored.size,
                sha256=stored.sha256,
                path=stored.path,
                created_at=at,
                created_by=by.pk if by else None,
            )
            if field_key:
                _put_into_field(record, field_key, file, by=by, at=at)
            events.record("file.attached", target=record, personal={"file": file.name}, subject=record.pk)
    except BaseException:
        storage.discard(stored.path)
        raise
    return file


def remove(*, file: RecordFile, by: User | None, at: datetime) -> Done:
    """Take a file off its record. Its content is swept later, so that this can be taken back till then.

    Raises FileRefused for the file in a field that no record is without.
    """
    with transaction.atomic():
        RecordFile.objects.filter(pk=file.pk).update(deleted_at=at)
        if file.field_key:
            record = Record.objects.select_for_update(of=("self",)).get(pk=file.record_id)
            if record.values.get(file.field_key) == str(file.pk):
                _check_not_required(record, file.field_key)
                rest = {key: value for key, value in record.values.items() if key != file.field_key}
                _write(record, rest, by=by, at=at)
        events.record(
            "file.removed", target=file.record, personal={"file": file.name}, subject=file.record_id
        )
    return Done(f"{file.name} removed")


def _check_not_required(record: Record, key: str) -> None:
    field = next((one for one in record.collection.live_fields() if one.key == key), None)
    if field is not None and field.required:
        raise FileRefused(f"{field.name} is required. Put another file in its place instead.")


def bring_back(*, file: RecordFile, by: User | None, at: datetime) -> Done:
    """Attach a file again that was taken off its record. Raises Gone if its row is not there any more."""
    with transaction.atomic():
        if not RecordFile.objects.filter(pk=file.pk).exclude(deleted_at=None).update(deleted_at=None):
            raise Gone("This file is not there any more.")
        if file.field_key and file.field_key not in file.record.values:
            _put_into_field(file.record, file.field_key, file, by=by, at=at)
        events.record(
            "file.attached", target=file.record, personal={"file": file.name}, subject=file.record_id
        )
    return Done(f"{file.name} is back")


def _put_into_field(record: Record, key: str, file: RecordFile, *, by: User | None, at: datetime) -> None:
    locked = Record.objects.select_for_update(of=("self",)).get(pk=record.pk)
    _write(locked, {**locked.values, key: str(file.pk)}, by=by, at=at)


def _write(record: Record, values: dict[str, object], *, by: User | None, at: datetime) -> None:
    Record.objects.filter(pk=record.pk).update(
        values=values, version=F("version") + 1, updated_at=at, updated_by=by.pk if by else None
    )


def clean_name(name: str) -> str:
    """Return what a file is called, without paths and characters that deceive."""
    last = name.replace("\\", "/").rpartition("/")[2]
    kept = _HOSTILE.sub("", last).strip().strip(".") or "file"
    stem, dot, ending = kept.rpartition(".")
    return kept if len(kept) <= 200 else f"{stem[: 199 - len(ending)]}{dot}{ending}"[:200]
