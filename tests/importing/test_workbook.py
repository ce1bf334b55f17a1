"""Workbooks: the first sheet with content, as a person sees it."""

import io
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import pytest
import xlsxwriter

from records.importing import Limits, Unreadable, archives
from tests.importing.conftest import Opener
from tests.importing.corpus import SHEET, STRINGS, entry, sheet_of, strings_of, workbook, zipped


def book(rows: Sequence[Sequence[Any]], *, at: int = 0, first_empty: bool = False) -> bytes:
    """Return a workbook whose table starts at row and column `at` (from 0)."""
    out = io.BytesIO()
    made = xlsxwriter.Workbook(out, {"in_memory": True, "default_date_format": "yyyy-mm-dd hh:mm"})
    if first_empty:
        made.add_worksheet("Empty")
    sheet = made.add_worksheet("People")
    for number, row in enumerate(rows):
        for column, cell in enumerate(row):
            if isinstance(cell, tuple):
                sheet.write_formula(number + at, column + at, cell[0], None, cell[1])
            else:
                sheet.write(number + at, column + at, cell)
    made.add_worksheet("Other")
    made.close()
    return out.getvalue()


class TestWorkbook:
    def test_is_read_as_texts_with_the_rows_of_the_sheet(self, opened: Opener) -> None:
        rows: list[list[Any]] = [
            ["name", "when", "n", "ok"],
            ["Zoë, \nx", datetime(2026, 1, 2), 5.0, True],
            [None, None, 1.5, None],
        ]

        source = opened(book(rows, at=2, first_empty=True), "people.xlsx")

        assert source.sample(5) == [("Zoë, \nx", "2026-01-02", "5", "TRUE"), ("", "", "1.5", "")]
        assert [number for table in source.tables() for number in table.numbers] == [4, 5]
        assert source.warnings == ("Only the sheet “People” was read; 1 more was left out.",)

    def test_gives_the_kept_value_of_a_formula(self, opened: Opener) -> None:
        source = opened(book([["a", "b"], [("=1+1", 2), ("=B1&C1", "x")]]))

        assert source.sample(1) == [("2", "x")]
        assert source.warnings[0].startswith("2 cells are formulas.")

    @pytest.mark.parametrize("cut", [1, 7, 1 << 18])
    def test_says_how_many_formulas_have_no_result(
        self, opened: Opener, monkeypatch: pytest.MonkeyPatch, cut: int
    ) -> None:
        monkeypatch.setattr(archives, "BLOCK", cut)
        name = b'<c r="%s1" t="inlineStr"><is><t>%s</t></is></c>'
        head = b'<row r="1">' + name % (b"A", b"a") + name % (b"B", b"b") + b"</row>"
        row = b'<row r="%d"><c r="A%d"><v>1</v></c><c r="B%d">%s</c></row>'
        cells = (b"<f>A2+1</f><v>2</v>", b"<f>A3+1</f>", b'<f t="shared" si="0"/><v></v>', b"<v>4</v>")
        rows = b"".join(row % (n, n, n, cell) for n, cell in enumerate(cells, 2))

        source = opened(workbook(entry(SHEET, sheet_of(head + rows)), entry(STRINGS, strings_of())))

        assert source.sample(9) == [("1", "2"), ("1", ""), ("1", ""), ("1", "4")]
        assert [warning.split(" ")[0:3] for warning in source.warnings] == [
            ["1", "cell", "is"],
            ["2", "formulas", "have"],
        ]

    def test_is_found_inside_a_zip(self, opened: Opener) -> None:
        source = opened(zipped([entry("whatever", book([["a", "b"], ["x", "y"]]))]))

        assert (source.kind, source.packed, source.rows) == ("xlsx", True, 1)

    def test_gives_moments_to_the_millisecond(self, opened: Opener) -> None:
        source = opened(book([["a", "b"], ["x", datetime(2026, 1, 2, 3, 4, 5, 678_000)]]))

        assert source.sample(1)[0][1] == "2026-01-02T03:04:05.678000"

    @pytest.mark.parametrize(
        ("limits", "code"),
        [
            (Limits(cell_bytes=3), "cell-too-large"),
            (Limits(columns=1), "too-many-columns"),
            (Limits(inflated_bytes=1000), "too-large"),
            (Limits(workbook_entries=3), "zip-entries"),
            (Limits(workbook_seconds=0), "xlsx-time"),
        ],
    )
    def test_is_held_to_its_limits(self, opened: Opener, limits: Limits, code: str) -> None:
        with pytest.raises(Unreadable) as refusal:
            opened(book([["name", "n"], ["Bob Bobson", 1]]), limits=limits)

        assert refusal.value.code == code

    @pytest.mark.parametrize(
        ("sheet", "strings", "code"),
        [
            (b"<worksheet><broken", strings_of(), "xlsx-damaged"),
            (sheet_of(b""), strings_of(), "empty"),
            ("<a/>".encode("utf-16"), strings_of(), "xlsx-damaged"),
            (sheet_of(b""), b"<!doctype a>" + strings_of(), "xlsx-dtd"),
        ],
    )
    def test_that_is_not_sound_is_refused(
        self, opened: Opener, sheet: bytes, strings: bytes, code: str
    ) -> None:
        with pytest.raises(Unreadable) as refusal:
            opened(workbook(entry(SHEET, sheet), entry(STRINGS, strings)))

        assert refusal.value.code == code

    def test_repeated_strings_are_counted_where_they_come_out(self, opened: Opener) -> None:
        cells = b'<row><c t="s"><v>0</v></c><c t="s"><v>0</v></c></row>' * 100
        data = workbook(entry(SHEET, sheet_of(cells)), entry(STRINGS, strings_of(b"x" * 5000)))

        with pytest.raises(Unreadable) as refusal:
            opened(data, limits=Limits(inflated_bytes=100_000))

        assert refusal.value.code == "too-large"
