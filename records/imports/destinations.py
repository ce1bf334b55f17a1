"""Which table the rows of a file go into."""

from records import rooms
from records.imports.destination import Destination
from records.imports.into_collection import IntoCollection
from records.imports.into_room import IntoRoom
from records.models import Collection, Import
from records.rooms import Room


def into(table: Collection | Room) -> Destination:
    """Return a table as what a file goes into."""
    return IntoRoom(table) if isinstance(table, Room) else IntoCollection(table)


def destination_of(row: Import) -> Destination | None:
    """Return where an import goes; None while its collection is not made yet.

    Raises NoRoom, which is a 404, for a room that this release does not have.
    """
    if row.room:
        return IntoRoom(rooms.get(row.room))
    return IntoCollection(row.collection) if row.collection is not None else None


def where(row: Import) -> Destination:
    """Return where an import goes that has a place already."""
    there = destination_of(row)
    assert there is not None  # its state says so
    return there
