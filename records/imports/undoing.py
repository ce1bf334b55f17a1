"""Taking a whole import out again."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.utils import timezone

from audit.actions import events
from jobs.actions import Run
from records.actions import loading
from records.imports.refusals import NotNow
from records.imports.rights import check_may_undo, holder_now
from records.models import Import, ImportState, Record

ROWS = 2_000  # a transaction


def take_out(run: Run) -> Mapping[str, Any]:
    """Delete the records of an import for good; those changed since stay if the person said so."""
    keep = bool(run.payload["keep"])
    with run.chunk():
        row = Import.objects.select_related("collection").get(pk=UUID(run.payload["import"]))
        if row.state != ImportState.UNDOING or row.collection is None:
            raise NotNow
        collection = row.collection
        check_may_undo(holder_now(run.created_by_id, at=timezone.now()), collection)
        done = int(run.state.get("removed", 0))
        run.checkpoint({"removed": done}, done=done, total=row.imported or None, note="")
    while True:
        with run.chunk():
            gone = loading.take_out(collection=collection, import_id=row.pk, limit=ROWS, unchanged_only=keep)
            if not gone:
                return _finish(row, done)
            done += gone
            run.checkpoint({"removed": done}, done=done)


def _finish(row: Import, removed: int) -> dict[str, Any]:
    kept = Record.objects.filter(collection=row.collection, import_id=row.pk).count()
    Import.objects.filter(pk=row.pk).update(
        state=ImportState.UNDONE, removed=removed, kept=kept, undone_at=timezone.now()
    )
    collection = row.collection
    assert collection is not None  # asked for at the beginning
    events.record(
        "import.undone",
        target=collection,
        details={"count": removed, "collection": collection.name},
        personal={"file": row.filename},
        subject=row.pk,
    )
    return {"removed": removed, "kept": kept}
