"""The tables of the room: collections, their fields, records and what belongs to them."""

from records.models.collection import Collection
from records.models.field import Field
from records.models.file import RecordFile
from records.models.grants import (
    CollectionGroupGrant,
    CollectionUserGrant,
    RecordGroupGrant,
    RecordUserGrant,
)
from records.models.imports import Import, ImportedRow, ImportState, MissingLink
from records.models.index import IndexState
from records.models.record import Record
from records.models.tally import Tally
from records.models.undo import UndoStep
from records.models.unique import UniqueValue
from records.models.view import SavedView

__all__ = [
    "Collection",
    "CollectionGroupGrant",
    "CollectionUserGrant",
    "Field",
    "Import",
    "ImportState",
    "ImportedRow",
    "IndexState",
    "MissingLink",
    "Record",
    "RecordFile",
    "RecordGroupGrant",
    "RecordUserGrant",
    "SavedView",
    "Tally",
    "UndoStep",
    "UniqueValue",
]
