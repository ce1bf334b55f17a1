"""Guessing what columns mean, recognising a file, and the list of refused rows."""

import csv
import io
from pathlib import Path

import pytest

from records.importing import Refused, ResultWriter, content_digest, guess_mapping, human_name, neutral
from records.values import FieldSpec, FieldType

F = FieldType
FIELDS = [
    FieldSpec("dep_time", "Departure time", F.TIME),
    FieldSpec("email", "E-mail", F.EMAIL),
    FieldSpec("title", "Title", F.TEXT),
    FieldSpec("picture", "Picture", F.FILE),
    FieldSpec("birthday", "Birthday", F.DATE),
]


class TestGuessMapping:
    @pytest.mark.parametrize(
        ("header", "key"),
        [
            ("DEP TIME", "dep_time"),
            ("departure-time", "dep_time"),
            ("Mail address", "email"),
            ("Titles", "title"),
            ("Date of birth", "birthday"),
            ("Picture", None),
            ("***", None),
            ("colour", None),
        ],
    )
    def test_finds_the_field_that_is_meant(self, header: str, key: str | None) -> None:
        assert [spec.key for spec in guess_mapping([header], FIELDS).values()] == ([key] if key else [])

    def test_gives_each_field_to_one_column_and_spelling_goes_first(self) -> None:
        guessed = guess_mapping(["mail", "email", "e_mail"], FIELDS)

        assert list(guessed) == ["email"]


class TestNames:
    @pytest.mark.parametrize(
        ("header", "name"),
        [("dep_time", "Dep time"), ("tailnum", "Tailnum"), ("unitPrice", "Unit price"), ("VAT-ID", "VAT ID")],
    )
    def test_are_as_a_person_would_write_them(self, header: str, name: str) -> None:
        assert human_name(header) == name


class TestContentDigest:
    def test_knows_the_same_bytes_again(self, tmp_path: Path) -> None:
        for name, data in (("a", b"x"), ("b", b"x"), ("c", b"y")):
            (tmp_path / name).write_bytes(data)
        first, second, third = (content_digest(tmp_path / name) for name in "abc")

        assert first == second != third


class TestResultWriter:
    def test_writes_one_line_for_each_refused_row(self) -> None:
        out = io.StringIO(newline="")
        writer = ResultWriter(out)
        writer.write(
            [
                Refused(2, "n", "many", "Use a number."),
                Refused(2, "=x", "@y", "No."),
                Refused(3, "", "", "Empty."),
            ]
        )

        rows = list(csv.reader(io.StringIO(out.getvalue(), newline="")))

        assert rows[1:] == [
            ["2", "n; '=x", "many; '@y", "n: Use a number. =x: No."],
            ["3", "", "", "Empty."],
        ]
        assert writer.rows == 2

    def test_goes_on_with_a_file_begun_earlier(self) -> None:
        out = io.StringIO(newline="")
        ResultWriter(out, titles=False).write([Refused(9, "=a", "=1+1", "No.")])

        assert out.getvalue() == "9,'=a,'=1+1,'=a: No.\r\n"

    @pytest.mark.parametrize(
        "cell", ["=1", "+1", "-1", "@x", "\tx", "\rx", "\0=1", "＝1", "＋1", "－1", "＠x"]
    )
    def test_writes_no_cell_that_a_spreadsheet_would_run(self, cell: str) -> None:
        assert neutral(cell).startswith("'")
        assert "\0" not in neutral(cell)

    @pytest.mark.parametrize("cut", [";", "\t", "\r", "\n", '; "'])
    def test_lets_nothing_begin_behind_what_some_spreadsheets_cut_at(self, cut: str) -> None:
        assert neutral(f"x{cut}=cmd()") == f"x{cut}'=cmd()"

    @pytest.mark.parametrize("cell", ["a=b", "x; y", "a-b; 3", "two\nlines"])
    def test_leaves_ordinary_cells_alone(self, cell: str) -> None:
        assert neutral(cell) == cell
