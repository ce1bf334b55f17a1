"""One column of texts to canonical JSON, all rows at once.

A cell that is already written the canonical way, as nearly all are, is recognised by a pattern and used as it
stands. Every other cell goes, once per distinct text, through the very parser that forms and the API use; so
the import can never keep a value that a form would refuse.
"""

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import tzinfo
from typing import TypeAlias

import polars as pl

from records.values import FieldSpec, FieldType, Wrong, dumps, parser_for

LinkResolver: TypeAlias = Callable[[str, set[str]], Mapping[str, str]]
"""`resolve(field key, texts) -> {text: id}`, for links to records or people. Unknown texts are left out."""

EMPTY_MARKERS = frozenset({"NA", "N/A", "n/a", "#N/A", "NaN", "nan", "null", "NULL", "None", "-", "--"})
REMEMBERED = 100_000  # distinct odd cells per column whose outcome is kept
NOT_FOUND = "Nothing matches this value."

_TEXT = r"^[!#-\[\]-~]([ !#-\[\]-~]{0,198}[!#-\[\]-~])?$"
_DAY = r"(?:19|20)\d\d-(?:0[1-9]|1[0-2])-(?:0[1-9]|1\d|2[0-8])"  # days 29 to 31 depend: the parser decides
_CLOCK = r"(?:[01]\d|2[0-3]):[0-5]\d"
_WORD = r"[A-Za-z0-9]+(?:[._%+-][A-Za-z0-9]+)*"
_HOST = r"[a-z0-9]+(?:-[a-z0-9]+)*(?:\.[a-z0-9]+(?:-[a-z0-9]+)*)+"


@dataclass(frozen=True, slots=True)
class Shape:
    """How canonical cells of a type look, and what stands around them in JSON."""

    pattern: str
    before: str = '"'
    after: str = '"'
    cut: int | None = None  # characters of the cell to use
    longest: int | None = None  # bytes up to which the pattern speaks


_NUMBER = r"^(?:0|-?[1-9][0-9]{0,14}|-?(?:0|[1-9][0-9]{0,14})\.[0-9]{0,%d}[1-9])$"
SHAPES: Mapping[FieldType, Shape] = {
    FieldType.TEXT: Shape(_TEXT),
    FieldType.LONG_TEXT: Shape(_TEXT),
    FieldType.INTEGER: Shape(r"^(?:0|-?[1-9][0-9]{0,17})$", "", ""),
    FieldType.DECIMAL: Shape(_NUMBER % 17, "", ""),
    FieldType.MONEY: Shape(r"^(?:0|-?[1-9][0-9]{0,14})$", "", ""),
    FieldType.DATE: Shape(rf"^{_DAY}$"),
    FieldType.DATETIME: Shape(rf"^{_DAY}T{_CLOCK}:[0-5]\dZ$", '"', '.000000Z"', cut=19),
    FieldType.TIME: Shape(rf"^{_CLOCK}:[0-5]\d$"),
    FieldType.EMAIL: Shape(rf"^{_WORD}@{_HOST}$", longest=60),
    FieldType.LINK: Shape(rf"^https?://{_HOST}(?:/[A-Za-z0-9._~/-]*)?$", longest=250),
}


def shape_of(spec: FieldSpec) -> Shape | None:
    """Return how canonical cells of a field look, or None where every distinct cell is parsed."""
    shape = SHAPES.get(spec.type)
    if spec.type is FieldType.MONEY and spec.places:
        return Shape(_NUMBER % (spec.places - 1), "", "")
    if spec.option("decimal_mark", ".") != "." and spec.type.is_number:
        return None
    return shape


@dataclass(slots=True)
class Parsed:
    """The outcome of one column: JSON texts (null is empty), and the places of the refused cells."""

    json: pl.Series
    refused: dict[int, str] = field(default_factory=dict)
    missing: list[int] = field(default_factory=list)  # places whose link leads nowhere


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one distinct cell."""

    json: str | None = None
    refusal: str | None = None
    missing: bool = False


EMPTY = Outcome()


class ColumnParser:
    """Parses one field's column, piece after piece, remembering the odd cells it has met."""

    def __init__(
        self,
        spec: FieldSpec,
        *,
        zone: tzinfo,
        markers: Collection[str] | None = None,
        resolve: LinkResolver | None = None,
    ) -> None:
        if spec.type is FieldType.FILE:
            raise ValueError("a file cannot come from a table")
        if spec.type.is_reference and resolve is None:
            raise ValueError(f"{spec.key} needs somebody who resolves links")
        self.spec = spec
        self.resolve = resolve
        textual = spec.type in (FieldType.TEXT, FieldType.LONG_TEXT)
        self.markers = (
            frozenset(markers) if markers is not None else frozenset() if textual else EMPTY_MARKERS
        )
        self.shape = None if spec.type.is_reference else shape_of(spec)
        self.one = parser_for(spec, zone=zone)
        self.known: dict[str, Outcome] = {}
        # Markers that look like values of the type would slip through the pattern.
        pattern = re.compile(self.shape.pattern) if self.shape else None
        self.shadowed = [mark for mark in sorted(self.markers) if pattern and pattern.match(mark)]

    def parse(self, cells: pl.Series) -> Parsed:
        """Return the column as canonical JSON. Never raises for what a cell holds."""
        plain = self._plain(cells)
        if plain is not None and plain.all():
            return Parsed(self._dressed(cells))
        outcomes = self._outcomes(cells if plain is None else cells.filter(~plain))
        texts = list(outcomes)
        answers = cells.replace_strict(
            pl.Series(texts, dtype=pl.String),
            pl.Series([outcomes[text].json for text in texts], dtype=pl.String),
            default=None,
            return_dtype=pl.String,
        )
        json = answers if plain is None else self._dressed(cells).zip_with(plain, answers)
        parsed = Parsed(json)
        faulty = [text for text in texts if outcomes[text].refusal or outcomes[text].missing]
        if faulty:
            self._note(cells, faulty, outcomes, parsed)
        return parsed

    def _plain(self, cells: pl.Series) -> pl.Series | None:
        if self.shape is None:
            return None
        plain = cells.str.contains(self.shape.pattern)
        if self.shape.longest is not None:
            plain &= cells.str.len_bytes() <= self.shape.longest
        if self.shadowed:
            plain &= ~cells.is_in(self.shadowed)
        return plain

    def _dressed(self, cells: pl.Series) -> pl.Series:
        shape = self.shape
        if shape is None or not shape.before + shape.after:
            return cells
        column = pl.col(cells.name)
        body = column if shape.cut is None else column.str.slice(0, shape.cut)
        around = pl.concat_str(pl.lit(shape.before), body, pl.lit(shape.after))
        return cells.to_frame().select(around).to_series()

    def _outcomes(self, cells: pl.Series) -> dict[str, Outcome]:
        texts = [text for text in cells.unique().to_list() if text is not None]
        if len(self.known) > REMEMBERED:
            self.known.clear()
        fresh = [text for text in texts if text not in self.known]
        if fresh:
            self.known.update(
                self._linked(fresh) if self.spec.type.is_reference else map(self._judged, fresh)
            )
        return {text: self.known[text] for text in texts}

    def _judged(self, text: str) -> tuple[str, Outcome]:
        if text.strip() in self.markers:
            return text, EMPTY
        try:
            value = self.one(text)
        except Wrong as refusal:
            return text, Outcome(refusal=str(refusal))
        return text, EMPTY if value is None else Outcome(json=dumps(value).decode())

    def _linked(self, texts: list[str]) -> dict[str, Outcome]:
        trimmed = {text: text.strip() for text in texts}
        wanted = {text for text in trimmed.values() if text}
        found = self.resolve(self.spec.key, wanted) if self.resolve and wanted else {}
        outcomes: dict[str, Outcome] = {}
        for text, key in trimmed.items():
            if key in found:
                outcomes[text] = Outcome(json=dumps(str(found[key])).decode())
            elif not key or key in self.markers:
                outcomes[text] = EMPTY
            else:
                outcomes[text] = Outcome(missing=True)
        return outcomes

    def _note(
        self, cells: pl.Series, faulty: list[str], outcomes: dict[str, Outcome], parsed: Parsed
    ) -> None:
        places = cells.is_in(faulty).arg_true()
        for place, text in zip(places.to_list(), cells.gather(places).to_list(), strict=True):
            refusal = outcomes[text].refusal
            if refusal is None:
                parsed.missing.append(place)
            else:
                parsed.refused[place] = refusal
