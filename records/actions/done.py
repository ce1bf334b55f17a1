"""What an action answers, and how it is taken back."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from records.models import Collection, Record, UndoStep

KEPT = timedelta(hours=1)
CLEARED_EVERY = 16


@dataclass(frozen=True, slots=True)
class Done:
    """A change that was made. `undo` is the token for `undo.undo`, "" where it cannot be taken back.

    `count` is the number of records; `job` the id of the job that does the work, where it is long.
    """

    sentence: str
    count: int = 1
    undo: str = ""
    record: Record | None = None
    job: UUID | None = None


def keep(
    kind: str,
    payload: dict[str, Any],
    *,
    collection: Collection,
    by: UUID | None,
    at: datetime,
    token: str = "",
) -> str:
    """Keep what taking back needs and return its token; parts of one change share it."""
    kept = UUID(token) if token else uuid4()
    if kept.int % CLEARED_EVERY == 0:
        # Looking for what is old costs as much as keeping, so few do it.
        UndoStep.objects.filter(made_at__lt=at - KEPT).delete()
    UndoStep.objects.create(
        token=kept, kind=kind, collection=collection, owner_id=by, payload=payload, made_at=at
    )
    return str(kept)


def some(count: int, what: str = "record") -> str:
    """Return "1 record", "12 records"."""
    return f"{count:,} {what}" if count == 1 else f"{count:,} {what}s"
