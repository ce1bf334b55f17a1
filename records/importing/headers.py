"""The first row of a table: which mark separates its cells, and whether it really holds names."""

import re
import unicodedata
from collections import Counter

from records.importing.chunks import records
from records.importing.limits import Limits
from records.importing.refusals import Unreadable
from records.importing.workbook import too_many_columns

DELIMITERS = (",", ";", "\t", "|")
HEADER_LENGTH = 200  # characters
SNIFFED_ROWS = 50
_DATA = re.compile(
    r"[-+]?[\d.,' ]*\d%?|\d{4}-\d\d-\d\d.*|\d{1,2}[/.]\d{1,2}[/.]\d{2,4}|\d{1,2}:\d\d.*|[^@\s]+@[^@\s]+\.\w+|"
    r"true|false|https?://.*",
    re.IGNORECASE,
)
_YEAR = re.compile(r"(1[89]|20|21)\d\d")
_UNSEEN = re.compile(r"[\x00-\x1f\x7f\u200b\ufeff]+")


def delimiter_of(sample: str) -> str:
    """Return the mark that cuts the most rows of a sample into as many cells as the first row has.

    A table of one column has none; the comma then stands in.
    """
    best, chosen = (0.0, 0), ","
    for mark in DELIMITERS:
        widths = [
            len(cells) for cells, _ in zip(records(sample, mark), range(SNIFFED_ROWS), strict=False) if cells
        ]
        if len(widths) > 1:
            widths.pop()  # the sample may end within a row
        if not widths or widths[0] < 2:
            continue
        agreeing = widths.count(widths[0]) / len(widths)
        score = (round(agreeing, 1), widths[0])
        if score > best:
            best, chosen = score, mark
    return chosen


def names_of(cells: list[str], row: int, limits: Limits) -> tuple[str, ...]:
    """Return the names of the columns. Raises Unreadable for a row that cannot be their names."""
    if len(cells) > limits.columns:
        raise too_many_columns(len(cells), limits)
    names = tuple(
        unicodedata.normalize("NFC", _UNSEEN.sub(" ", cell)).strip()[:HEADER_LENGTH].strip() for cell in cells
    )
    empty = [at for at, name in enumerate(names, 1) if not name]
    if empty:
        which = _columns(empty)
        raise Unreadable("header-empty", f"The first row must name every column: {which} has no name.", row)
    values = sum(1 for name in names if _DATA.fullmatch(name) and not _YEAR.fullmatch(name))
    if values * 2 >= len(names):
        raise Unreadable(
            "no-header", "The first row looks like data. Put the names of the columns in a row above it.", row
        )
    same = [name for name, times in Counter(names).items() if times > 1]
    if same:
        spoken = "; ".join(
            f"“{name}” ({_columns([at for at, other in enumerate(names, 1) if other == name])})"
            for name in same[:5]
        )
        raise Unreadable("header-duplicate", f"Two columns have the same name: {spoken}. Rename them.", row)
    return names


def _columns(places: list[int]) -> str:
    shown = ", ".join(f"{place:,}" for place in places[:8]) + (" and more" if len(places) > 8 else "")
    return f"column {shown}" if len(places) == 1 else f"columns {shown}"
