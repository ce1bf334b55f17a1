"""What stands beside a record: who can see it and why, files, history, and what links to it."""

from typing import Any
from uuid import UUID

from django.db.models import Q
from django.http import HttpRequest
from django.urls import reverse

from permissions.panels import panel_for
from permissions.policies import policy_for
from records.files.storage import largest
from records.models import Collection, Field, RecordFile
from records.tables import CollectionTable, Filter, Op, Row, TableQuery, of_collection
from records.values import FieldType
from records.views.history import history
from records.views.places import Place
from records.views.seen import visible_collections

LINKED = 5
MOST_GROUPS = 8


def around(request: HttpRequest, place: Place, row: Row, *, may_change: bool) -> dict[str, Any]:
    """Return the context of the sections beside a record."""
    said, older = history(place, row)
    return {
        "sharing": panel_for(request, row.obj),
        "history": said,
        "older_url": f"{place.url('history', row.id)}?after={older}" if older else "",
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
