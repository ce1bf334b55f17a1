"""What stands beside a record: who can see it and why, files, history, and what links to it."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db.models import Q
from django.http import HttpRequest
from django.urls import reverse

from audit.actions.events import reference
from audit.queries import Entry, Filters, page
from audit.sentences import Said, say
from permissions.panels import panel_for
from permissions.policies import policy_for
from records.files.storage import largest
from records.models import Collection, Field, RecordFile
from records.tables import CollectionTable, Filter, Op, Row, TableQuery, of_collection
from records.values import FieldSpec, FieldType, display
from records.views.places import Place
from records.views.seen import visible_collections

ENTRIES = 20
_VALUE = "values."
# Columns that say nothing on the page of the record itself.
_KNOWN_ANYWAY = frozenset({"collection_id", "import_id", "version"})
LINKED = 5
MOST_GROUPS = 8


def around(request: HttpRequest, place: Place, row: Row, *, may_change: bool) -> dict[str, Any]:
    """Return the context of the sections beside a record."""
    return {
        "sharing": panel_for(request, row.obj),
        "history": history(place, row),
        **(files(place, row, may_change=may_change) if place.collection else {}),
        "linked": linked(request, place, row) if place.collection else [],
    }


def files(place: Place, row: Row, *, may_change: bool) -> dict[str, Any]:
    """Return the files of a record with what can be done to them."""
    found = RecordFile.objects.filter(record_id=row.id, deleted_at=None)
    in_fields = _hidden(place)
    return {
        "files": [
            {
                "name": file.name,
                "size": words_of_size(file.size),
                "kind": words_of_kind(file.content_type),
                "at": file.created_at,
                "url": place.url("file", row.id, file.pk),
                "remove_url": place.url("file-remove", row.id, file.pk) if may_change else "",
            }
            for file in found
            if file.field_key not in in_fields
        ],
        "attach_url": place.url("file-attach", row.id) if may_change else "",
        "largest": words_of_size(largest()),
    }


def words_of_size(size: int) -> str:
    """Return a number of bytes as people read it."""
    if size < 1_000_000:
        return f"{max(1, round(size / 1_000)):,} kB"
    return f"{size / 1_000_000:,.1f} MB"


_KINDS = {
    "application/pdf": "PDF",
    "text/csv": "CSV",
    "text/plain": "Text",
    "application/zip": "ZIP",
    "application/octet-stream": "File",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": "Word",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": "Excel",
    "application/vnd.openxmlformats-officedocument.presentationml.presentation": "PowerPoint",
}


def words_of_kind(content_type: str) -> str:
    """Return a content type in a word."""
    return _KINDS.get(content_type) or content_type.rpartition("/")[2].upper()


def linked(request: HttpRequest, place: Place, row: Row) -> list[dict[str, Any]]:
    """Return the records that link to this one, the first few of each field that does."""
    seen = {str(collection.pk): collection for collection in visible_collections(request)}
    fields = Field.objects.filter(
        Q(options__collection=str(place.design.pk)),
        type=FieldType.RECORD,
        deleted_at=None,
        collection_id__in=list(seen),
    ).select_related("collection")
    found = []
    for field in fields.order_by("position")[:MOST_GROUPS]:
        group = _linking(place, row, seen[str(field.collection_id)], field)
        if group is not None:
            found.append(group)
    return found


def _linking(place: Place, row: Row, collection: Collection, field: Field) -> dict[str, Any] | None:
    table = of_collection(collection, place.table.holder, at=place.table.at)
    if field.key not in table.columns:
        return None
    query = TableQuery(filters=(Filter(field.key, Op.IS, (row.id,)),), size=LINKED)
    shown = table.page(query)
    if not shown.rows:
        return None
    home = reverse("records:list", args=[collection.key])
    return {
        "title": f"{collection.name}: {field.name}",
        "items": [{"title": one.title, "url": f"{home}r/{one.id}/"} for one in shown.rows],
        "more_url": f"{home}?{TableQuery(filters=query.filters).encode()}" if shown.following else "",
    }


def history(place: Place, row: Row) -> list[Said]:
    """Return what happened to a record, without the values of fields that the person may not read."""
    type_id, key = reference(row.obj)
    found = page(Filters(object_id=key, type_id=type_id), size=ENTRIES)
    specs = _specs(place)
    raw = [_by_key(specs, values) for entry in found.entries for values in (entry.before, entry.after)]
    labels = place.labels(list(place.table.columns.values()), raw)
    words = _Words(specs, labels, place)
    return say([words.entry(entry) for entry in found.entries])


def _by_key(specs: Mapping[str, FieldSpec], values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values of fields; those of a room stand in columns of their own names."""
    named = {name.removeprefix(_VALUE): value for name, value in values.items()}
    return {key: named[key] for key in specs if key in named}


def _specs(place: Place) -> dict[str, FieldSpec]:
    """Return the fields that the person may read, by key."""
    return {key: column.spec for key, column in place.table.columns.items() if not column.system}


@dataclass(frozen=True, slots=True)
class _Words:
    """Turns what the trail keeps of a record into words, and leaves out what is not to be read."""

    specs: Mapping[str, FieldSpec]
    labels: Mapping[str, str]
    place: Place

    def entry(self, entry: Entry) -> Entry:
        """Return an entry whose values are words."""
        return replace(entry, before=self._said(entry.before), after=self._said(entry.after))

    def _said(self, values: Mapping[str, Any]) -> dict[str, Any]:
        hidden = _hidden(self.place)
        kept: dict[str, Any] = {}
        for name, value in values.items():
            key = name.removeprefix(_VALUE)
            if key in self.specs:
                kept[name] = self._value(self.specs[key], value)
            elif key not in hidden and name not in _KNOWN_ANYWAY:
                kept[name] = value
        return kept

    def _value(self, spec: FieldSpec, value: Any) -> str:
        found = Decimal(str(value)) if isinstance(value, float) else value
        return display(spec, found, zone=self.place.table.zone, labels=self.labels) or str(value)


def _hidden(place: Place) -> frozenset[str]:
    return place.table.hidden if isinstance(place.table, CollectionTable) else frozenset()


def visible_file(place: Place, row: Row, pk: UUID) -> RecordFile | None:
    """Return a file of a record, unless it stands in a field that the person may not read."""
    seen = policy_for(RecordFile).visible_to(place.table.holder, place.table.at)
    file = seen.filter(pk=pk, record_id=row.id).first()
    return None if file is None or is_hidden(place, file) else file


def is_hidden(place: Place, file: RecordFile) -> bool:
    """Return whether a file stands in a field that the person may not read."""
    return file.field_key in _hidden(place)
