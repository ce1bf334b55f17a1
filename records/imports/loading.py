"""The import itself: what the check converted goes in by COPY, a piece a transaction.

The place reached is committed with the rows, and only while this worker has the job. So whatever
dies, and however often, no row is lost and none comes twice.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import F
from django.utils import timezone

from audit.actions import events
from jobs.actions import Run
from records.actions import fields, loading
from records.actions.refusals import Taken
from records.importing import Refused
from records.importing.convert import TAKEN
from records.imports import store
from records.imports.designs import ColumnChoice, choices_of, stamp_of
from records.imports.refusals import CheckAgain, NotNow
from records.imports.rights import check_may_import, holder_now
from records.imports.store import Spool
from records.imports.targets import still_there
from records.indexes.rules import plan
from records.models import Collection, Import, ImportState
from records.values import loads

ROWS = 12_000  # a transaction: a piece of usual rows fits, and at half of the target it takes a second


@dataclass(frozen=True, slots=True)
class Place:
    """How far the loading is: rows of a piece that are in, rows loaded, rows refused on the way."""

    at: str
    piece: int = 0
    start: int = 0
    loaded: int = 0
    late: int = 0


def load_rows(run: Run) -> Mapping[str, Any]:
    """Load the rows that the check found good."""
    import_id = UUID(run.payload["import"])
    try:
        with run.chunk():
            load, place = _begin(run, import_id)
            run.checkpoint(asdict(place), done=place.loaded, total=load.row.good, note="")
    except CheckAgain:
        # Only after the transaction that found it out: that one is rolled back.
        with run.chunk(closing=True):
            Import.objects.filter(pk=import_id, state=ImportState.APPLYING).update(
                state=ImportState.CHECKED, stamp=""
            )
        raise
    while place.piece < load.row.report["pieces"]:
        with run.chunk():
            place = load.step(place)
            run.checkpoint(asdict(place), done=place.loaded)
    with run.chunk():
        return _finish(load, place)


@dataclass(frozen=True, slots=True)
class Load:
    """One import being loaded."""

    row: Import
    collection: Collection
    spool: Spool
    by: UUID | None

    def step(self, place: Place) -> Place:
        """Load the next rows and return the place after them."""
        frame = self.spool.rows(place.piece)
        part = frame.slice(place.start, ROWS)
        rows = list(zip(part["row"].to_list(), part["document"].to_list(), strict=True))
        refused = self._put(place, rows) if rows else []
        if refused:
            self.spool.put_refused(place.piece, refused, late=place.start)
        is_last = place.start + ROWS >= len(frame)
        return replace(
            place,
            piece=place.piece + is_last,
            start=0 if is_last else place.start + ROWS,
            loaded=place.loaded + len(rows) - len(refused),
            late=place.late + len(refused),
        )

    def _put(self, place: Place, rows: Sequence[tuple[int, str]]) -> list[Refused]:
        """COPY the rows and return those whose unique values were taken since the check."""
        try:
            loading.copy_in(
                collection=self.collection,
                rows=[document.encode() for _, document in rows],
                import_id=self.row.pk,
                by=self.by,
                at=datetime.fromisoformat(place.at),
            )
        except Taken as taken:
            if len(rows) == 1:
                return [Refused(rows[0][0], self._columns(taken), "", TAKEN)]
            free, refused = self._apart(rows)
            if refused:
                return [*refused, *(self._put(place, free) if free else [])]
            # Taken by somebody who commits at this moment: halves find out which ones.
            middle = len(rows) // 2
            return [*self._put(place, rows[:middle]), *self._put(place, rows[middle:])]
        return []

    def _apart(self, rows: Sequence[tuple[int, str]]) -> tuple[list[tuple[int, str]], list[Refused]]:
        """Return the rows that are free, and a refusal for each of those whose values are taken."""
        documents = {number: loads(document) for number, document in rows}
        refused: dict[int, Refused] = {}
        for field in self.collection.live_fields():
            if field.unique:
                used = loading.taken(
                    field=field, values=[one[field.key] for one in documents.values() if field.key in one]
                )
                for number, one in documents.items():
                    if one.get(field.key) in used:
                        shown = "" if field.sensitive else str(one[field.key])[:80]
                        refused[number] = Refused(number, field.name, shown, TAKEN)
        return [one for one in rows if one[0] not in refused], list(refused.values())

    def _columns(self, taken: Taken) -> str:
        names = {field.key: field.name for field in self.collection.live_fields()}
        return ", ".join(names[key] for key in taken.errors if key in names)


def _begin(run: Run, import_id: UUID) -> tuple[Load, Place]:
    """Return the import and where to go on; ask anew whether all that the check saw still holds."""
    row = Import.objects.select_for_update(of=("self",)).select_related("collection").get(pk=import_id)
    if row.state != ImportState.APPLYING or row.collection is None:
        raise NotNow
    choices, now = choices_of(row), timezone.now()
    holder = holder_now(run.created_by_id, at=now)
    check_may_import(holder, row.collection, choices)
    spool = Spool.of(row.pk, row.stamp)
    load = Load(row, row.collection, spool, run.created_by_id)
    if run.state:
        return load, Place(**run.state)
    if row.stamp != stamp_of(row, row.collection.design) or not still_there(spool.links(), holder):
        raise CheckAgain
    _add_fields(row.collection, choices, at=now)
    return load, Place(at=now.isoformat())


def _add_fields(collection: Collection, choices: Sequence[ColumnChoice], *, at: datetime) -> None:
    for one in choices:
        if one.is_new:
            fields.add(
                collection=collection,
                key=one.spec.key,
                name=one.spec.name,
                type=one.spec.type,
                unique=one.spec.unique,
                choices=one.spec.choices,
                options=one.spec.options,
                by=None,
                at=at,
            )


def _finish(load: Load, place: Place) -> dict[str, Any]:
    """Write the outcome down and let go of what is needed no more."""
    Import.objects.filter(pk=load.row.pk).update(
        state=ImportState.DONE,
        imported=place.loaded,
        refused=F("refused") + place.late,
        applied_at=timezone.now(),
        path="",
        proposal={},
    )
    events.record(
        "import.done",
        target=load.collection,
        details={"count": place.loaded, "collection": load.collection.name},
        personal={"file": load.row.filename},
        subject=load.row.pk,
    )
    plan(load.collection)
    store.drop_upload(load.row)
    load.spool.drop_rows()
    return {"records": place.loaded, "refused": load.row.refused + place.late}
