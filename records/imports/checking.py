"""The dry run: every row is checked and converted, nothing is put into the collection."""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Self
from uuid import UUID
from zoneinfo import ZoneInfo

from django.utils import timezone

from accounts.identity.models import User
from jobs.actions import Run
from records.importing import Checked, OnMissingLink, Refused, check, open_source
from records.imports import store
from records.imports.designs import ColumnChoice, choices_of, stamp_of
from records.imports.destination import Destination
from records.imports.destinations import where
from records.imports.rights import check_may_import, holder_now
from records.imports.starting import start_loading
from records.imports.store import Spool
from records.models import Import, ImportState
from records.values import FieldSpec, dumps, loads

SHOWN_ROWS = 50
MOST_REASONS = 200


@dataclass
class Tally:
    """What a check has found so far; all of it is in the job's checkpoint."""

    next_row: int = 0
    pieces: int = 0
    good: int = 0
    refused: int = 0
    reasons: Counter[tuple[str, str]] = field(default_factory=Counter)
    shown: list[list[Any]] = field(default_factory=list)
    missing: Counter[str] = field(default_factory=Counter)
    formulas: Counter[str] = field(default_factory=Counter)

    @classmethod
    def of(cls, state: Mapping[str, Any]) -> Self:
        """Return what a checkpoint says."""
        if not state:
            return cls()
        reasons: Counter[tuple[str, str]] = Counter()
        for column, reason, rows in state["reasons"]:
            reasons[column, reason] = rows
        plain = {name: state[name] for name in ("next_row", "pieces", "good", "refused", "shown")}
        return cls(
            **plain, reasons=reasons, missing=Counter(state["missing"]), formulas=Counter(state["formulas"])
        )

    def state(self) -> dict[str, Any]:
        """Return the checkpoint."""
        return {
            "next_row": self.next_row,
            "pieces": self.pieces,
            "good": self.good,
            "refused": self.refused,
            **self.report(),
        }

    def report(self) -> dict[str, Any]:
        """Return what people are shown: reasons by how many rows have them, and the first rows."""
        return {
            "reasons": [[column, reason, rows] for (column, reason), rows in self.reasons.most_common()],
            "shown": self.shown,
            "missing": dict(self.missing),
            "formulas": dict(self.formulas),
        }

    def add(self, piece: Checked, refused_rows: int) -> None:
        """Take in one piece."""
        self.next_row = piece.next_row
        self.pieces += 1
        self.good += len(piece.frame)
        self.refused += refused_rows
        for one in piece.refused:
            self._count(one)
        self.missing.update(piece.missing_links)
        self.formulas.update(piece.formulas)

    def _count(self, one: Refused) -> None:
        # A ragged row names its own width; people want those counted together.
        reason = one.reason if one.column else "It does not have as many cells as there are columns."
        if not one.column and "empty" in one.reason:
            reason = one.reason
        if (one.column, reason) in self.reasons or len(self.reasons) < MOST_REASONS:
            self.reasons[one.column, reason] += 1
        if len(self.shown) < SHOWN_ROWS:
            self.shown.append([one.row, one.column, one.value_excerpt, one.reason])


def check_file(run: Run) -> Mapping[str, Any]:
    """Check the file, piece after piece; what can be loaded is spooled for the import that may follow."""
    import_id = UUID(run.payload["import"])
    with run.chunk():
        row = Import.objects.select_related("collection").get(pk=import_id)
        there, choices = where(row), choices_of(row)
        holder = holder_now(run.created_by_id, at=timezone.now())
        check_may_import(holder, there, choices)
        path, folder = store.location(row), store.uploads()
        stamp = stamp_of(row, there.version)
        spool = Spool.of(row.pk, stamp)
        spool.prepare()
        finder = there.finder(holder, choices)
        columns = {one.spec.key: one.column for one in choices}
        # A checkpoint of another design or other choices says nothing about this one.
        tally = Tally.of(run.state["tally"] if run.state.get("stamp") == stamp else {})
        run.checkpoint({"stamp": stamp, "tally": tally.state()}, total=row.rows, note="Reading the file")
    with run.busy():
        source = open_source(path, row.filename, folder=folder, encoding=row.encoding or None)
    with source:
        checks = check(
            source,
            {one.column: spec_for_check(one) for one in choices},
            finder,
            on_missing_link=_on_missing(row),
            taken=_taken(there),
            markers={one.column: one.markers for one in choices if one.markers is not None},
            zone=ZoneInfo(row.zone),
            start_row=tally.next_row,
        )
        while True:
            with run.chunk():
                piece = next(checks, None)
                if piece is None:
                    return _finish(run, row, tally, stamp)
                there.judge(piece, columns)
                spool.put_rows(tally.pieces, piece.frame)
                spool.put_links(tally.pieces, finder.used)
                finder.used.clear()
                tally.add(piece, spool.put_refused(tally.pieces, piece.refused))
                run.checkpoint(
                    {"stamp": stamp, "tally": tally.state()},
                    done=tally.good + tally.refused,
                    total=source.rows,
                    note=f"{tally.refused:,} refused" if tally.refused else "",
                )


def spec_for_check(one: ColumnChoice) -> FieldSpec:
    """Return the field as the check takes it."""
    if not one.linked:
        return one.spec
    return replace(one.spec, options={**one.spec.options, "collection_name": one.linked})


def _on_missing(row: Import) -> OnMissingLink:
    return "refuse" if row.on_missing == "refuse" else "leave_empty"


def _taken(there: Destination) -> Callable[[str, set[str]], set[str]]:
    """Return the question which JSON texts are there already in a unique field."""

    def ask(key: str, texts: set[str]) -> set[str]:
        used = there.used(key, [loads(text) for text in sorted(texts)])
        return {dumps(value).decode() for value in used}

    return ask


def _finish(run: Run, row: Import, tally: Tally, stamp: str) -> dict[str, Any]:
    Import.objects.filter(pk=row.pk).update(
        state=ImportState.CHECKED,
        stamp=stamp,
        good=tally.good,
        refused=tally.refused,
        missing=sum(tally.missing.values()),
        report={**tally.report(), "pieces": tally.pieces},
    )
    found = {"good": tally.good, "refused": tally.refused}
    if row.straight and tally.good and not tally.refused and not tally.missing:
        row.refresh_from_db()
        assert run.created_by_id is not None  # nobody's check would have been refused
        start_loading(row, by=User.objects.get(pk=run.created_by_id), at=timezone.now())
    return found
