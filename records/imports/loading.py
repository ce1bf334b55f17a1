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
from permissions.holder import Holder
from records.actions.refusals import Invalid, Taken
from records.importing import Refused
from records.importing.convert import TAKEN
from records.imports import store
from records.imports.designs import choices_of, stamp_of
from records.imports.destination import Destination
from records.imports.destinations import where
from records.imports.refusals import CheckAgain, NotNow
from records.imports.rights import check_may_import, holder_now
from records.imports.store import Spool
from records.imports.targets import still_there
from records.models import Import, ImportState
from records.values import loads


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
    there: Destination
    spool: Spool
    by: UUID | None
    holder: Holder

    def step(self, place: Place) -> Place:
        """Load the next rows and return the place after them."""
        frame = self.spool.rows(place.piece)
        step = self.there.step
        part = frame.slice(place.start, step)
        rows = list(zip(part["row"].to_list(), part["document"].to_list(), strict=True))
        refused = self._put(place, rows) if rows else []
        if refused:
            self.spool.put_refused(place.piece, refused, late=place.start)
        is_last = place.start + step >= len(frame)
        return replace(
            place,
            piece=place.piece + is_last,
            start=0 if is_last else place.start + step,
            loaded=place.loaded + len(rows) - len(refused),
            late=place.late + len(refused),
        )

    def _put(self, place: Place, rows: Sequence[tuple[int, str]]) -> list[Refused]:
        """Add the rows and return those that cannot be, such as those whose unique values were just taken."""
        try:
            self.there.put(
                [document.encode() for _, document in rows],
                import_id=self.row.pk,
                by=self.by,
                at=datetime.fromisoformat(place.at),
            )
        except Invalid as problem:
            if len(rows) == 1:
                return [Refused(rows[0][0], self._columns(problem), "", _words(problem))]
            free, refused = self._apart(rows) if isinstance(problem, Taken) else (rows, [])
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
        for spec in self.there.specs():
            if spec.unique:
                given = [one[spec.key] for one in documents.values() if spec.key in one]
                used = self.there.used(spec.key, given)
                for number, one in documents.items():
                    if one.get(spec.key) in used:
                        shown = "" if spec.sensitive else str(one[spec.key])[:80]
                        refused[number] = Refused(number, spec.name, shown, TAKEN)
        return [one for one in rows if one[0] not in refused], list(refused.values())

    def _columns(self, problem: Invalid) -> str:
        names = {spec.key: spec.name for spec in self.there.specs()}
        return ", ".join(names[key] for key in problem.errors if key in names)


def _words(problem: Invalid) -> str:
    """Return why one row is refused."""
    return TAKEN if isinstance(problem, Taken) else " ".join(problem.errors.values()) or str(problem)


def _begin(run: Run, import_id: UUID) -> tuple[Load, Place]:
    """Return the import and where to go on; ask anew whether all that the check saw still holds."""
    row = Import.objects.select_for_update(of=("self",)).select_related("collection").get(pk=import_id)
    if row.state != ImportState.APPLYING:
        raise NotNow
    there, choices, now = where(row), choices_of(row), timezone.now()
    holder = holder_now(run.created_by_id, at=now)
    check_may_import(holder, there, choices)
    spool = Spool.of(row.pk, row.stamp)
    load = Load(row, there, spool, run.created_by_id, holder)
    if run.state:
        return load, Place(**run.state)
    if row.stamp != stamp_of(row, there.version) or not still_there(spool.links(), holder):
        raise CheckAgain
    there.add_fields(choices, at=now)
    return load, Place(at=now.isoformat())


def _finish(load: Load, place: Place) -> dict[str, Any]:
    """Write the outcome down and let go of what is needed no more."""
    Import.objects.filter(pk=load.row.pk).update(
        state=ImportState.DONE,
        imported=place.loaded,
        refused=F("refused") + place.late,
        applied_at=timezone.now(),
        path="",
        proposal={},
        report={**load.row.report, "links": load.there.links_made_possible(load.holder)},
    )
    events.record(
        "import.done",
        target=load.there.told_of(load.row),
        details={"count": place.loaded, "collection": load.there.name},
        personal={"file": load.row.filename},
        subject=load.row.pk,
    )
    load.there.finish()
    store.drop_upload(load.row)
    load.spool.drop_rows()
    return {"records": place.loaded, "refused": load.row.refused + place.late}
