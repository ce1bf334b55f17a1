"""Taking a whole import out again."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.utils import timezone

from audit.actions import events
from jobs.actions import Run
from records.imports.destination import Destination
from records.imports.destinations import where
from records.imports.refusals import NotAllowedAnyMore, NotNow
from records.imports.rights import holder_now, may_undo
from records.models import Import, ImportState

ROWS = 2_000  # a transaction


def take_out(run: Run) -> Mapping[str, Any]:
    """Delete the records of an import for good; those changed since stay if the person said so."""
    keep = bool(run.payload["keep"])
    with run.chunk():
        row = Import.objects.select_related("collection").get(pk=UUID(run.payload["import"]))
        if row.state != ImportState.UNDOING:
            raise NotNow
        there = where(row)
        if not may_undo(holder_now(run.created_by_id, at=timezone.now()), there):
            raise NotAllowedAnyMore
        done, after = int(run.state.get("removed", 0)), str(run.state.get("after", ""))
        run.checkpoint({"removed": done, "after": after}, done=done, total=row.imported or None, note="")
    while True:
        with run.chunk():
            gone = there.take_out(row.pk, after=after, limit=ROWS, unchanged_only=keep)
            if gone.after is None:
                return _finish(row, there, done)
            done, after = done + gone.count, gone.after
            run.checkpoint({"removed": done, "after": after}, done=done)


def _finish(row: Import, there: Destination, removed: int) -> dict[str, Any]:
    kept = there.count(row.pk)
    Import.objects.filter(pk=row.pk).update(
        state=ImportState.UNDONE, removed=removed, kept=kept, undone_at=timezone.now()
    )
    events.record(
        "import.undone",
        target=there.told_of(row),
        details={"count": removed, "collection": there.name},
        personal={"file": row.filename},
        subject=row.pk,
    )
    return {"removed": removed, "kept": kept}
