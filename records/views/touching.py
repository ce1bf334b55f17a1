"""What a form changed: the fields that a person touched, and the values they saw when they began.

Both travel in the form, so that two people who change different fields of a record do not meet at
all, and two who change the same one are asked.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Any
from uuid import UUID

from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.http import HttpRequest, QueryDict
from django.utils import timezone

from accounts.identity.models import User
from records.actions import files, records
from records.actions.done import Done
from records.actions.refusals import Conflict, Invalid
from records.files.refusals import FileRefused
from records.models import Record
from records.rooms import RoomTable
from records.rooms import actions as room_actions
from records.tables import Column, Row
from records.values import REQUIRED, Canonical, FieldType, Wrong, dumps, loads, parser_for
from records.views.answers import person
from records.views.inputs import posted, typed_value
from records.views.places import Place

FIELDS, SEEN, EXPECTED = "_fields", "_seen", "_version"


@dataclass(frozen=True, slots=True)
class Sent:
    """What was sent: `values` of the touched fields as typed, `seen` and `expected` as the form began."""

    data: QueryDict
    values: Mapping[str, object]
    seen: Mapping[str, Canonical | None]
    expected: int


def hidden(
    columns: Sequence[Column], values: Mapping[str, Canonical | None], version: int
) -> list[tuple[str, str]]:
    """Return the hidden fields of a form that begins with these values."""
    seen = {column.key: values.get(column.key) for column in columns}
    named = [(FIELDS, column.key) for column in columns]
    return [*named, (SEEN, dumps(seen).decode()), (EXPECTED, str(version))]


def read(data: QueryDict, columns: Sequence[Column], *, zone: tzinfo) -> Sent:
    """Return what a form changed. What is broken in its hidden fields counts as never seen."""
    seen = _seen(data.get(SEEN, ""))
    there = set(data.getlist(FIELDS))
    values: dict[str, object] = {}
    for column in columns:
        if column.key not in there:
            continue
        value = posted(column.spec, data, column.key)
        if _touched(column, value, seen.get(column.key), zone):
            values[column.key] = value
    version = data.get(EXPECTED, "")
    return Sent(data, values, seen, int(version) if version.isdecimal() and len(version) < 10 else 0)


def _seen(text: str) -> dict[str, Canonical | None]:
    try:
        found = loads(text)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _touched(column: Column, value: Any, first: Canonical | None, zone: tzinfo) -> bool:
    if value == typed_value(column.spec, first):
        return False
    try:
        return bool(parser_for(column.spec, zone=zone)(value) != first)
    except Wrong:
        return True


class Clash(Exception):
    """Somebody changed a field that was touched: `row` is what stands now, `mine` what was to be kept."""

    def __init__(
        self, row: Row, mine: Mapping[str, Canonical | None], *, by: UUID | None, at: datetime | None
    ) -> None:
        super().__init__()
        self.row, self.mine, self.by, self.at = row, dict(mine), by, at


def save(request: HttpRequest, place: Place, row: Row, sent: Sent) -> tuple[Done, Row]:
    """Keep what was touched; return what was done and the row as it is now.

    Raises Clash, Invalid, Taken, Gone.
    """
    if not sent.values:
        return Done("Nothing was changed", count=0), row
    if isinstance(place.table, RoomTable):
        return _save_in_room(request, place.table, row, sent)
    if not isinstance(row.obj, Record):
        raise TypeError("A row of a collection is a record.")
    try:
        done = records.change(
            record=row.obj,
            values=sent.values,
            expected=sent.expected,
            seen=sent.seen,
            by=person(request),
            at=timezone.now(),
            zone=place.table.zone,
        )
    except Conflict as conflict:
        theirs = conflict.theirs
        now = place.table.row(theirs)
        raise Clash(now, conflict.mine, by=theirs.updated_by, at=theirs.updated_at) from conflict
    return done, place.table.row(done.record or row.obj)


def _save_in_room(request: HttpRequest, table: RoomTable, row: Row, sent: Sent) -> tuple[Done, Row]:
    try:
        obj = room_actions.change(
            room=table.room,
            pk=UUID(row.id),
            values=sent.values,
            seen=sent.seen,
            by=person(request),
            at=timezone.now(),
            zone=table.zone,
        )
    except room_actions.RowConflict as conflict:
        now = table.row(table.rows().get(pk=row.id))
        raise Clash(now, conflict.mine, by=None, at=None) from conflict
    return Done("Saved"), table.row(obj)


def create(request: HttpRequest, place: Place, values: Mapping[str, object]) -> tuple[Done, Row]:
    """Add a row with what was typed and the files that came along. Raises Invalid, Taken."""
    who, at, zone = person(request), timezone.now(), place.table.zone
    if isinstance(place.table, RoomTable):
        obj = room_actions.create(room=place.table.room, values=values, by=who, at=at, zone=zone)
        return Done("Added"), place.table.row(obj)
    holders = {column.key: column for column in place.in_place() if column.type is FieldType.FILE}
    sent = {key: request.FILES.get(key) for key in holders}
    uploads = {key: upload for key, upload in sent.items() if isinstance(upload, UploadedFile)}
    lacking = {key: REQUIRED for key, one in holders.items() if one.spec.required and key not in uploads}
    with transaction.atomic():
        try:
            done = records.create(collection=place.design, values=values, by=who, at=at, zone=zone)
        except Invalid as refusal:
            raise Invalid({**refusal.errors, **lacking}) from refusal
        if lacking:
            raise Invalid(lacking)
        if done.record is None:
            raise TypeError("Adding a record answers with it.")
        for key, upload in uploads.items():
            _put(done.record, key, upload, by=who, at=at)
            done.record.refresh_from_db(fields=["values", "version"])
    return done, place.table.row(done.record)


def _put(record: Record, key: str, upload: "UploadedFile[bytes]", *, by: User, at: datetime) -> None:
    try:
        files.attach(
            record=record, name=upload.name or "file", chunks=upload.chunks(), by=by, at=at, field_key=key
        )
    except FileRefused as refusal:
        raise Invalid({key: str(refusal)}) from refusal


def remove(request: HttpRequest, place: Place, row: Row) -> Done:
    """Delete a row of a room for good. Raises CannotDesign while others need it."""
    if not isinstance(place.table, RoomTable):
        raise TypeError("Records are moved to the bin.")
    return room_actions.remove(room=place.table.room, pk=UUID(row.id), by=person(request), at=timezone.now())


def filled(sent: Sent, columns: Sequence[Column], values: Mapping[str, Canonical]) -> QueryDict:
    """Return what was sent, with the record's own values for the fields that the form did not have."""
    data = sent.data.copy()
    there = set(data.getlist(FIELDS))
    for column in columns:
        if column.key not in there:
            value = typed_value(column.spec, values.get(column.key))
            data.setlist(column.key, value if isinstance(value, list) else [str(value)])
    return data
