"""Rows of a file to documents of a collection, with a reason for every row that is refused."""

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, tzinfo
from types import MappingProxyType
from typing import Literal, TypeAlias

import polars as pl

from records.importing.columns import NOT_FOUND, ColumnParser, LinkResolver
from records.importing.frames import Table
from records.importing.seen import Seen
from records.importing.source import Source
from records.values import REQUIRED, FieldSpec, FieldType, dumps

OnMissingLink: TypeAlias = Literal["refuse", "leave_empty"]
Taken: TypeAlias = Callable[[str, set[str]], Collection[str]]
"""`taken(field key, JSON texts) -> those already kept by a record`, for fields that are unique."""

EXCERPT = 80  # characters
EMPTY_ROW = "This row is empty."
REPEATED = "An earlier row of this file has the same value, and every value may be there once."
TAKEN = "A record with this value exists already, and every value may be there once."
NO_MARKERS: Mapping[str, Collection[str]] = MappingProxyType({})
FORMULA = r"^\s*[=@＝＠\t\r]|^\s*[-+＋－][^0-9.,\s]|^\s*[-+][0-9.,]+[^0-9.,\s].*[(!|]"


@dataclass(frozen=True, slots=True)
class Refused:
    """Why a row was not taken. `column` is the name in the file, "" if it is about the row as a whole.

    `value_excerpt` is what the cell holds, cut; for a sensitive field it is left out.
    """

    row: int
    column: str
    value_excerpt: str
    reason: str


@dataclass(slots=True)
class Checked:
    """The outcome of one piece of the file.

    `frame` has the columns `row` (Int64) and `document` (String: canonical JSON, empty fields absent).
    Every data row of the piece is either in it or in `refused`.
    """

    first_row: int
    next_row: int  # where to go on after this piece
    frame: pl.DataFrame
    refused: list[Refused] = field(default_factory=list)
    missing_links: dict[str, int] = field(default_factory=dict)  # rows by field key
    formulas: dict[str, int] = field(default_factory=dict)  # cells that look like formulas, by column

    @property
    def good(self) -> list[tuple[int, bytes]]:
        """Return (row number, JSON) of the rows that can be kept."""
        documents = self.frame["document"].cast(pl.Binary).to_list()
        return list(zip(self.frame["row"].to_list(), documents, strict=True))

    @property
    def refused_rows(self) -> int:
        """Return how many rows are refused; a row may have several reasons."""
        return len({refusal.row for refusal in self.refused})


def check(
    source: Source,
    mapping: Mapping[str, FieldSpec],
    links: LinkResolver | None = None,
    *,
    on_missing_link: OnMissingLink = "refuse",
    taken: Taken | None = None,
    markers: Mapping[str, Collection[str]] = NO_MARKERS,
    zone: tzinfo = UTC,
    start_row: int = 0,
) -> Iterator[Checked]:
    """Check and convert the rows from `start_row` on, piece after piece.

    `mapping` goes from column name to field. `markers` says which texts of a column mean "empty"; without a
    word about it, the usual ones do, except in texts. The same file gives the same pieces, so a job may go on
    at the `next_row` of the last piece it has committed. A value that must be unique counts as used by the
    first row that has it, whatever becomes of that row. Raises ValueError for a mapping that cannot be.
    """
    checker = _Checker(
        source, mapping, links, on_missing_link=on_missing_link, taken=taken, markers=markers, zone=zone
    )
    return checker.run(start_row)


class _Checker:
    def __init__(
        self,
        source: Source,
        mapping: Mapping[str, FieldSpec],
        links: LinkResolver | None,
        *,
        on_missing_link: OnMissingLink,
        taken: Taken | None,
        markers: Mapping[str, Collection[str]],
        zone: tzinfo,
    ) -> None:
        places = {name: str(at) for at, name in enumerate(source.headers)}
        unknown = [name for name in mapping if name not in places]
        if unknown or not mapping:
            raise ValueError(f"no such columns: {unknown}")
        if len({spec.key for spec in mapping.values()}) != len(mapping):
            raise ValueError("two columns go to the same field")
        self.source, self.taken, self.on_missing_link = source, taken, on_missing_link
        self.specs = mapping
        self.places = {name: places[name] for name in mapping}
        self.parsers = {
            name: ColumnParser(spec, zone=zone, markers=markers.get(name), resolve=links)
            for name, spec in mapping.items()
        }
        self.seen = {name: Seen() for name, spec in mapping.items() if spec.unique}

    def run(self, start_row: int) -> Iterator[Checked]:
        if self.seen and start_row:
            self._catch_up(start_row)
        for table in self.source.tables(start_row):
            yield self.piece(table)

    def _catch_up(self, start_row: int) -> None:
        """Learn the unique values of the rows that an earlier run has dealt with."""
        for table in self.source.tables():
            if table.first_row >= start_row:
                return
            before = table.numbers < start_row
            for name, seen in self.seen.items():
                parsed = self.parsers[name].parse(table.cells[self.places[name]].filter(before))
                seen.repeats(parsed.json.str.to_lowercase())

    def piece(self, table: Table) -> Checked:
        columns: dict[str, pl.Series] = {}
        reasons: list[tuple[int, str, str]] = []  # place, column, reason
        checked = Checked(table.first_row, table.next_row, pl.DataFrame())
        for name, parser in self.parsers.items():
            cells = table.cells[self.places[name]]
            parsed = parser.parse(cells)
            columns[name] = parsed.json
            reasons += [(place, name, reason) for place, reason in parsed.refused.items()]
            if parsed.missing:
                checked.missing_links[parser.spec.key] = len(parsed.missing)
                # An empty link would be refused too where one is required; this says why it is empty.
                if self.on_missing_link == "refuse" or parser.spec.required:
                    reasons += [(place, name, self._not_found(name)) for place in parsed.missing]
            if parser.spec.type in (FieldType.TEXT, FieldType.LONG_TEXT):
                count = int(cells.str.contains(FORMULA).sum())
                if count:
                    checked.formulas[name] = count
        reasons += self._rules(columns, {(place, name) for place, name, _ in reasons})
        self._settle(table, columns, reasons, checked)
        return checked

    def _not_found(self, name: str) -> str:
        target = self.specs[name].option("collection_name", "")
        return f"Nothing in {target} matches this value." if target else NOT_FOUND

    def _rules(
        self, columns: dict[str, pl.Series], faulty: set[tuple[int, str]]
    ) -> list[tuple[int, str, str]]:
        """Return the reasons that follow from required and unique."""
        reasons: list[tuple[int, str, str]] = []
        for name, spec in self.specs.items():
            json = columns[name]
            if spec.required and json.null_count():
                lacking = json.is_null().arg_true().to_list()
                reasons += [(place, name, REQUIRED) for place in lacking if (place, name) not in faulty]
            if spec.unique:
                # Values that differ in case only are the same value to unique fields.
                again = self.seen[name].repeats(json.str.to_lowercase())
                reasons += [(place, name, REPEATED) for place in again.arg_true().to_list()]
                if self.taken is not None:
                    used = list(self.taken(spec.key, set(json.drop_nulls().to_list())))
                    there = (json.is_in(used) & ~again).fill_null(value=False)
                    reasons += [(place, name, TAKEN) for place in there.arg_true().to_list()]
        return reasons

    def _settle(
        self,
        table: Table,
        columns: dict[str, pl.Series],
        reasons: list[tuple[int, str, str]],
        checked: Checked,
    ) -> None:
        frame = pl.DataFrame({str(at): json for at, json in enumerate(columns.values())})
        keep = pl.repeat(value=True, n=len(frame), dtype=pl.Boolean, eager=True)
        empty = frame.select(pl.all_horizontal(pl.all().is_null())).to_series()
        barren = set(empty.arg_true().to_list()) - {
            place for place, _, reason in reasons if reason != REQUIRED
        }
        if reasons or barren:
            bad = sorted(barren | {place for place, _, _ in reasons})
            keep = keep.scatter(bad, False)
            self._report(table, reasons, barren, checked)
        documents = _documents(frame, [spec.key for spec in self.specs.values()])
        checked.frame = pl.DataFrame({"row": table.numbers, "document": documents}).filter(keep)
        width = len(self.source.headers)
        for row, found in table.ragged:
            checked.refused.append(
                Refused(row, "", "", f"This row has {found:,} cells, but there are {width:,} columns.")
            )
        checked.refused.sort(key=lambda refusal: refusal.row)

    def _report(
        self, table: Table, reasons: list[tuple[int, str, str]], barren: set[int], checked: Checked
    ) -> None:
        for place in barren:
            checked.refused.append(Refused(int(table.numbers[place]), "", "", EMPTY_ROW))
        for place, name, reason in reasons:
            if place in barren:
                continue
            cell = "" if self.specs[name].sensitive else str(table.cells[self.places[name]][place])
            excerpt = cell if len(cell) <= EXCERPT else cell[: EXCERPT - 1] + "…"
            checked.refused.append(Refused(int(table.numbers[place]), name, excerpt, reason))


def _documents(frame: pl.DataFrame, keys: list[str]) -> pl.Series:
    """Return one JSON object per row. Built as text by columns: measured at six times orjson row by row."""
    names = [dumps(key).decode() for key in keys]
    if frame["0"].null_count():
        pieces = [pl.concat_str(pl.lit(f"{name}:"), pl.col(str(at))) for at, name in enumerate(names)]
        body = pl.concat_str(pieces, separator=",", ignore_nulls=True)
        return frame.select(pl.concat_str(pl.lit("{"), body, pl.lit("}"))).to_series()
    parts: list[pl.Expr] = []
    for at, name in enumerate(names):
        before, column = pl.lit(f"{',' if at else '{'}{name}:"), pl.col(str(at))
        if frame[str(at)].null_count():
            parts.append(pl.concat_str(before, column).fill_null(""))
        else:
            parts += [before, column]
    return frame.select(pl.concat_str(*parts, pl.lit("}"))).to_series()
