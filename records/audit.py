"""What the trail keeps of this room."""

from audit.codes import declare
from audit.registry import trail
from permissions.audit import register_grants
from records.models import (
    Collection,
    CollectionGroupGrant,
    CollectionUserGrant,
    Field,
    Import,
    ImportedRow,
    IndexState,
    Record,
    RecordFile,
    RecordGroupGrant,
    RecordUserGrant,
    SavedView,
    Tally,
    UndoStep,
    UniqueValue,
)

for _model in (Field, SavedView):
    trail.register(_model)
# `design` counts the changes of fields, each of which is an event of its own.
trail.register(Collection, exclude_fields=["design"])
trail.register(RecordFile, personal=["name"], subject="record")
# Who and when stand in each event already; the values are personal, and about the record.
trail.register(
    Record,
    exclude_fields=["created_at", "created_by", "updated_at", "updated_by", "version"],
    personal=["values"],
    bulk=True,
)
# How far it is, and what was seen in the file, changes with every step and belongs to nobody's history.
trail.register(
    Import,
    exclude_fields=[
        "job",
        "proposal",
        "mapping",
        "report",
        "path",
        "stamp",
        "state",
        "rows",
        "good",
        "refused",
        "missing",
        "straight",
    ],
    personal=["filename"],
)
register_grants(CollectionUserGrant, CollectionGroupGrant, RecordUserGrant, RecordGroupGrant)
trail.exclude(Tally, reason="Counts derived from the records by triggers.")
trail.exclude(UniqueValue, reason="Derived from the values of the records by triggers.")
trail.exclude(UndoStep, reason="Old values for an hour; the change itself and its undoing are captured.")
trail.exclude(ImportedRow, reason="Which rows a file brought; their own events say that they were added.")
trail.exclude(IndexState, reason="How far the making of an index is; no data of the organisation.")

declare("collection.made", sentence="{actor} made the collection {collection}", about=Collection)
declare(
    "collection.binned", sentence="{actor} moved the collection {collection} to the bin", about=Collection
)
declare(
    "collection.restored",
    sentence="{actor} took the collection {collection} out of the bin",
    about=Collection,
)
declare(
    "field.converted",
    sentence="{actor} changed {field} of {collection} to {type}; values emptied: {emptied}",
    about=Collection,
)
declare("field.removed", sentence="{actor} removed the field {field} from {collection}", about=Collection)
declare(
    "records.changed_many",
    sentence="{actor} changed {count:record|records} of {collection}",
    about=Collection,
)
declare(
    "records.binned",
    sentence="{actor} moved {count:record|records} of {collection} to the bin",
    about=Collection,
)
declare(
    "records.restored",
    sentence="{actor} took {count:record|records} of {collection} out of the bin",
    about=Collection,
)
declare(
    "records.purged",
    sentence="{actor} deleted {count:record|records} of {collection} for good",
    about=Collection,
)
declare("records.undone", sentence="{actor} undid: {what}", about=Collection)
declare("import.done", sentence="{actor} imported {count:record|records} into {collection}", about=Collection)
declare(
    "import.undone",
    sentence="{actor} undid an import into {collection}: {count:record|records} deleted for good",
    about=Collection,
)
declare("file.attached", sentence="{actor} attached {file}", about=Record)
declare("file.removed", sentence="{actor} removed the file {file}", about=Record)
