"""Which table an address is about, and what else has an address there.

A collection answers below /c/<key>/, a registered room below /rooms/<key>/; the same views serve both.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import wraps
from typing import Any
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse

from permissions import perms
from permissions.access import get_or_404, signed_in
from permissions.holder import Holder, holder_of
from records import finding, rooms
from records.models import Collection, Record
from records.rooms.actions import typed_specs
from records.rooms.registry import Room
from records.rooms.table import RoomTable
from records.tables import CollectionTable, Column, Row, Table, TableQuery, of_collection
from records.values import FieldType

View = Callable[..., HttpResponse]


@dataclass(frozen=True, slots=True)
class Place:
    """A table as the person of this request sees it, and the addresses around it."""

    table: Table
    collection: Collection | None

    def url(self, name: str, *args: object) -> str:
        """Return the address of a page of this table by its short name: "list", "record", …"""
        prefix = "" if self.collection else "room-"
        return reverse(f"records:{prefix}{name}", args=[self.table.key, *args])

    def list_url(self, query: TableQuery | None = None, *, view: str = "") -> str:
        """Return the address of the list with everything that `query` says."""
        words = query.encode() if query else ""
        if view:
            words = f"{words}&view={view}" if words else f"view={view}"
        return f"{self.url('list')}?{words}" if words else self.url("list")

    def way_on(self) -> str:
        """Return where to go when a row is gone: the list, or home for who sees nothing else of it."""
        seen = self.may(perms.RECORDS_VIEW) or self.table.rows().exists()
        return self.url("list") if seen else reverse("home")

    def may(self, perm: str) -> bool:
        """Return whether the person may do `perm` to every row."""
        return perm in self.table.permissions

    @property
    def of_collection(self) -> CollectionTable:
        """Return the table of a collection. Raises Http404 for a room, which has no such page."""
        if not isinstance(self.table, CollectionTable):
            raise Http404
        return self.table

    def typed(self) -> list[Column]:
        """Return the columns that people type into."""
        if isinstance(self.table, RoomTable):
            known = {spec.key for spec in typed_specs(self.table.room)}
            return [column for key, column in self.table.columns.items() if key in known]
        return [
            column
            for column in self.table.columns.values()
            if not column.system and column.type is not FieldType.FILE
        ]

    def in_place(self) -> list[Column]:
        """Return the columns that are changed in place: those typed into, and those that hold a file."""
        typed = {column.key for column in self.typed()}
        holds_files = self.collection is not None
        return [
            column
            for key, column in self.table.columns.items()
            if key in typed or (holds_files and column.type is FieldType.FILE)
        ]

    def labels(self, columns: Sequence[Column], values: Sequence[Mapping[str, Any]]) -> dict[str, str]:
        """Name what some values refer to, as far as the person may see it."""
        if not any(column.type.is_reference for column in columns):
            return {}
        found = [Row("", "", row, 0, Record()) for row in values]
        return self.table.labels(found)

    @property
    def room(self) -> Room | None:
        """Return the room, if it is one."""
        return self.table.room if isinstance(self.table, RoomTable) else None

    @property
    def icon(self) -> str:
        """Return the icon of the table."""
        return self.table.room.icon if isinstance(self.table, RoomTable) else self.design.icon

    @property
    def design(self) -> Collection:
        """Return the collection. Raises Http404 for a room."""
        return self.of_collection.collection


def find_place(request: HttpRequest, kind: str, key: str, *, to: str) -> Place:
    """Return the table behind an address.

    Raises Http404 if the person does not see it, PermissionDenied if they see it and may not do `to`
    to all of it.
    """
    holder = holder_of(request)
    place = _room(holder, key) if kind == "room" else _collection(holder, key)
    if to != perms.COLLECTIONS_VIEW and not place.may(to):
        if place.collection is not None:
            get_or_404(holder, Collection, place.collection.pk, to=to)
        raise PermissionDenied
    return place


def _collection(holder: Holder, key: str) -> Place:
    found = finding.collection_of_key(key, holder)
    if found is None:
        raise Http404
    collection, permissions = found
    finding.load_design(collection)
    return Place(of_collection(collection, holder, at=holder.at, permissions=permissions), collection)


def _room(holder: Holder, key: str) -> Place:
    table = rooms.table_of(key, holder, at=holder.at)
    if perms.RECORDS_VIEW not in table.permissions and not table.rows().exists():
        raise Http404
    return Place(table, None)


def at_place(to: str = perms.COLLECTIONS_VIEW) -> Callable[[View], View]:
    """Give the view the Place of its address; 404 and 403 as `find_place`."""
    perms.known(to)

    def decorate(view: View) -> View:
        @signed_in
        @wraps(view)
        def placed(request: HttpRequest, kind: str, key: str, **kwargs: Any) -> HttpResponse:
            return view(request, find_place(request, kind, key, to=to), **kwargs)

        return placed

    return decorate


def find_row(place: Place, pk: UUID, *, to: str = perms.RECORDS_VIEW) -> Row:
    """Return one row. Raises Http404 if the person does not see it, PermissionDenied if they may not."""
    found = place.table.find(pk)
    if found is None:
        raise Http404
    if not may_do(place, pk, to):
        get_or_404(place.table.holder, type(found), pk, to=to)
        raise PermissionDenied
    return place.table.row(found)


def may_do(place: Place, pk: UUID, perm: str) -> bool:
    """Return whether the person may do `perm` to one row."""
    return perm == perms.RECORDS_VIEW or place.may(perm) or place.table.rows(to=perm).filter(pk=pk).exists()


def page_part(request: HttpRequest) -> str:
    """Return the id of the element that a fragment is for, "" when a whole page is asked for.

    A fragment that htmx puts in the place of an element without an id is "here".
    """
    htmx: Any = getattr(request, "htmx", None)
    if not htmx or htmx.boosted or htmx.history_restore_request:
        return ""
    return str(htmx.target or "here")
