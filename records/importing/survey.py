"""What one column of a file holds, found by looking at all of it."""

import re
import unicodedata
from collections.abc import Mapping, Set
from dataclasses import dataclass, field
from datetime import UTC
from types import MappingProxyType

import polars as pl

from records.importing.columns import EMPTY_MARKERS, ColumnParser
from records.importing.convert import FORMULA
from records.importing.seen import Seen
from records.values import FieldSpec, FieldType

REMEMBERED = 20_000  # distinct values of a column
EXAMPLES = 3
LONG = 200  # characters from which a text is a long one
NONE: Mapping[str, object] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Candidate:
    """A type that a column may have: all its distinct cells look like it and can be parsed."""

    type: FieldType
    look: str
    options: Mapping[str, object] = field(default_factory=lambda: NONE)


_WHOLE = r"(?:0|[1-9]\d{0,17}|[1-9]\d{0,2}(?:,\d{3})+)"
_POINT = r"(?:(?:0|[1-9]\d{0,14}|[1-9]\d{0,2}(?:,\d{3})+)?\.\d{1,18}|0|[1-9]\d{0,14}|[1-9]\d{0,2}(?:,\d{3})+)"
_COMMA = r"(?:(?:0|[1-9]\d{0,14}|[1-9]\d{0,2}(?:\.\d{3})+)(?:,\d{1,18})?)"
# A small e is how programs write 1000; a capital one without a point is as likely part of a code.
_SMALL = r"(?:\d+\.\d+[eE][+-]?\d{1,2}|\d+e[+-]?\d{1,2})"
_PARTS = r"\d{1,2}[/.-]\d{1,2}[/.-]\d{4}"
_CLOCK = r"\d{1,2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?(?: ?[AaPp][Mm])?"
_ORDERS = ({"date_order": "dmy"}, {"date_order": "mdy"})
_MONEY = (
    ("EUR", "€"),
    ("USD", r"\$"),
    ("GBP", "£"),
    ("JPY", "¥"),
    ("CHF", "CHF"),
    ("USD", "USD"),
    ("EUR", "EUR"),
)

CANDIDATES: tuple[Candidate, ...] = (
    Candidate(FieldType.YES_NO, r"(?i:true|false|yes|no|y|n)"),
    Candidate(FieldType.INTEGER, rf"-?{_WHOLE}"),
    Candidate(FieldType.DECIMAL, rf"-?(?:{_POINT}|{_SMALL})"),
    Candidate(FieldType.DECIMAL, rf"-?{_COMMA}", {"decimal_mark": ","}),
    *(
        Candidate(FieldType.MONEY, rf"-?(?:{sign} ?-?{_POINT}|{_POINT} ?{sign})", {"currency": currency})
        for currency, sign in _MONEY
    ),
    Candidate(FieldType.DATE, r"\d{4}-\d{2}-\d{2}|\d{1,2}[ -][A-Za-z]{3,9}[ -]\d{4}"),
    *(Candidate(FieldType.DATE, _PARTS, order) for order in _ORDERS),
    Candidate(FieldType.DATETIME, rf"\d{{4}}-\d{{2}}-\d{{2}}(?:[T ]{_CLOCK} ?(?:Z|UTC|[+-]\d\d:?\d\d)?)?"),
    *(Candidate(FieldType.DATETIME, rf"{_PARTS},? {_CLOCK}", order) for order in _ORDERS),
    Candidate(FieldType.TIME, _CLOCK),
    Candidate(FieldType.EMAIL, r"[^@\s]+@[^@\s]+\.[^@\s]+"),
    Candidate(FieldType.LINK, r"https?://\S+"),
)


class ColumnSurvey:
    """Looks at a column piece after piece. Memory is bounded whatever the column holds."""

    def __init__(self, column: str) -> None:
        self.column = column
        self.candidates = list(CANDIDATES)
        self.parsers: dict[int, ColumnParser] = {}
        self.cells = 0
        self.empty = 0
        self.markers: dict[str, int] = {}
        self.values: set[str] | None = set()  # None: more than REMEMBERED
        self.examples: list[str] = []
        self.longest = 0
        self.lines = False
        self.formulas = 0
        self.unique = True
        self._seen = Seen()

    def look(self, cells: pl.Series) -> None:
        """Take in one piece."""
        self.cells += len(cells)
        distinct = cells.unique()
        texts = [text for text in distinct.to_list() if text is not None]
        blank = [text for text in texts if not text.strip()]
        if blank:
            self.empty += int(cells.is_in(blank).sum())
        marks = [text for text in texts if text.strip() in EMPTY_MARKERS]
        for mark in marks:
            self.markers[mark] = self.markers.get(mark, 0) + int((cells == mark).sum())
        aside = {*blank, *marks}
        rest = [text for text in texts if text not in aside] if aside else texts
        self._measure(rest)
        self._narrow(pl.Series(rest, dtype=pl.String))
        if not self.candidates:
            self.formulas += int(cells.str.contains(FORMULA).sum())
        if self.unique:
            self.unique = not aside and not bool(self._seen.repeats(cells).any())

    def _measure(self, texts: list[str]) -> None:
        if not texts:
            return
        self.longest = max(self.longest, *map(len, texts))
        self.examples += sorted(texts[:EXAMPLES], key=len)[: EXAMPLES - len(self.examples)]
        self.lines = self.lines or any("\n" in text.strip() or "\r" in text.strip() for text in texts)
        if self.values is not None:
            self.values.update(unicodedata.normalize("NFC", text).strip() for text in texts)
            if len(self.values) > REMEMBERED or self.longest > LONG:
                self.values = None

    def _narrow(self, distinct: pl.Series) -> None:
        if not len(distinct):
            return
        kept = []
        for candidate in self.candidates:
            looks = distinct.str.strip_chars().str.contains(rf"^(?:{candidate.look})$")
            if looks.all() and not self._parser(candidate).parse(distinct).refused:
                kept.append(candidate)
        self.candidates = kept

    def _parser(self, candidate: Candidate) -> ColumnParser:
        found = self.parsers.get(id(candidate))
        if found is None:
            spec = FieldSpec("probe", "", candidate.type, options=candidate.options)
            found = self.parsers[id(candidate)] = ColumnParser(spec, zone=UTC)
        return found

    @property
    def filled(self) -> int:
        """Return how many cells hold something that is not a usual way to write "empty"."""
        return self.cells - self.empty - sum(self.markers.values())

    @property
    def chosen(self) -> Candidate | None:
        """Return the type of the column, or None for texts."""
        return self.candidates[0] if self.candidates and self.filled else None

    @property
    def ambiguous_dates(self) -> bool:
        """Return whether every date of the column can be read in two ways."""
        orders = {candidate.options.get("date_order") for candidate in self.candidates}
        return self.chosen is not None and None not in orders and len(orders) > 1

    def text_markers(self, in_use: Set[str]) -> frozenset[str]:
        """Return which texts of a text column mean "empty", `in_use` being those of the typed columns.

        "null" and "N/A" speak for themselves. Others count if typed columns of the file use them, unless the
        column holds short codes, among which NA may be Namibia.
        """
        clear = {mark for mark in self.markers if mark.strip().lower() in ("null", "n/a", "#n/a")}
        codes = self.values is not None and all(re.fullmatch(r"[A-Z]{1,3}", value) for value in self.values)
        if not codes:
            clear |= {mark for mark in self.markers if mark in in_use}
        return frozenset(clear)
