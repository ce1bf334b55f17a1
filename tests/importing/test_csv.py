"""IMP-3: text tables of every kind are read whole or refused in plain words."""

import pytest

from records.importing import Limits, Unreadable
from tests.importing.conftest import Opener

ROWS = [("Zoë", "1"), ("Bo", "2")]
TEXT = "name,count\nZoë,1\nBo,2\n"
BIG = 10_000_000

READ = [
    TEXT.encode(),
    TEXT.encode("utf-8-sig"),
    b"\xff\xfe" + TEXT.encode("utf-16-le"),
    b"\xfe\xff" + TEXT.encode("utf-16-be"),
    TEXT.replace("\n", "\r\n").encode(),
    TEXT.replace("\n", "\r").encode(),
    TEXT.rstrip("\n").encode(),
    TEXT.replace(",", ";").encode(),
    TEXT.replace(",", "\t").encode(),
    TEXT.replace(",", "|").encode(),
    ("\n\n" + TEXT.replace("\n", "\n\n")).encode(),
    b"sep=;\r\n" + TEXT.replace(",", ";").encode(),
    '"name","count"\n"Zoë",1\nBo,"2"'.encode(),
    '"name",count\r"Zoë",1\r\rBo,2\r'.encode(),
]

REFUSED = [
    (b"", "empty", None),
    (b"  \n\n", "empty", None),
    (b"\xef\xbb\xbf", "empty", None),
    (b"a,b\n", "no-rows", None),
    (b"a,,c\n1,2,3\n", "header-empty", 1),
    (b"a,b,a\n1,2,3\n", "header-duplicate", 1),
    (b"1,2,ada\n3,4,ben\n", "no-header", 1),
    (b"a,b\n1,\x002\n", "nul", 2),
    (b"a,b\n1,2\n3,\xe9\n", "encoding", 3),
    (b"a,b\r1,2\r3,\xe9\r", "encoding", 3),
    (b"\xff\xfea\x00,\x00b\x00\n\x00\x00\xd8x\x00", "encoding", 2),
    (b"\xff\xfe\x00\x00a\x00\x00\x00", "encoding", None),
    (b'a,b\n1,"2\n3,4\n', "quote-open", 2),
    (b'a,"b\n1,2\n', "quote-open", 1),
    (b"a,b\n1,2\n3," + b"x" * BIG + b"\n", "cell-too-large", 3),
    (b'a,b\n1,2\n3,"' + b"nineteen characters\n" * (BIG // 20) + b'"\n', "cell-too-large", 3),
    (b"a,b\n1," + b"x" * 1_000_001 + b"\n", "cell-too-large", 2),
    (b'a,b\n"1",2\n3,"' + b"x" * 1_000_001 + b'"\n', "cell-too-large", 3),
    (b",".join(b"c%d" % n for n in range(5000)) + b"\n1\n", "too-many-columns", None),
    (b"%PDF-1.7 \n", "not-a-table", None),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "not-a-table", None),
    (b"\x1f\x8b\x08\x00", "not-a-table", None),
    (b"<!DOCTYPE html><table></table>", "not-a-table", None),
    (b'[{"a": 1}]', "not-a-table", None),
]


class TestReading:
    @pytest.mark.parametrize("data", READ)
    def test_finds_the_same_rows_however_they_are_written(self, opened: Opener, data: bytes) -> None:
        source = opened(data)

        assert source.headers == ("name", "count")
        assert source.sample(10) == ROWS
        assert source.rows == 2

    def test_keeps_quoted_line_ends_and_marks(self, opened: Opener) -> None:
        source = opened(b'a,b\n"one\r\ntwo","say ""hi"", ok"\n5" pipe,x\n')

        assert source.sample(5) == [("one\r\ntwo", 'say "hi", ok'), ('5" pipe', "x")]

    def test_numbers_rows_as_a_spreadsheet_does(self, opened: Opener) -> None:
        tables = list(opened(b'\na,b\n1,2\n\n"x\ny",3\n4,5\n').tables())

        assert [number for table in tables for number in table.numbers] == [3, 5, 6]

    def test_sets_ragged_rows_apart(self, opened: Opener) -> None:
        for data in (b"a,b\n1\n2,3\n4,5,6\n\n7,8,,\n", b'a,b\n"1"\n2,3\n4,5,6\n\n7,8,,\n'):
            (table,) = opened(data).tables()

            assert table.ragged == ((2, 1), (4, 3), (6, 4))
            assert table.numbers.to_list() == [3]

    def test_takes_windows_1252_only_when_told(self, opened: Opener) -> None:
        data = TEXT.encode("cp1252")

        with pytest.raises(Unreadable, match="Windows-1252"):
            opened(data)
        assert opened(data, encoding="cp1252").sample(10) == ROWS
        with pytest.raises(ValueError, match="not offered"):
            opened(data, encoding="latin-1")

    def test_reads_a_file_of_one_column(self, opened: Opener) -> None:
        assert opened(b"name\nada\n\nben").sample(5) == [("ada",), ("ben",)]

    def test_cuts_long_files_without_losing_a_row(self, opened: Opener) -> None:
        lines = [f"{n},{'x' * (n % 90)}" if n % 7000 else f'{n},"a\n{n}"' for n in range(60_000)]

        source = opened(("n,text\n" + "\n".join(lines)).encode())

        assert len(source.chunks) > 3
        assert [int(cell) for table in source.tables() for cell in table.cells["0"]] == list(range(60_000))


class TestRefusal:
    @pytest.mark.parametrize(("data", "code", "line"), REFUSED)
    def test_names_the_reason_and_the_line(
        self, opened: Opener, data: bytes, code: str, line: int | None
    ) -> None:
        with pytest.raises(Unreadable) as refusal:
            opened(data)

        assert (refusal.value.code, refusal.value.line) == (code, line)
        assert str(refusal.value).endswith(".")

    def test_tells_the_byte_of_a_wrong_character(self, opened: Opener) -> None:
        with pytest.raises(Unreadable, match=r"Line 3 is not UTF-8 text: byte 11 of the file is 0xe9"):
            opened(b"a,b\n1,2\n3,\xe9\n")

    def test_tells_which_columns_share_a_name(self, opened: Opener) -> None:
        with pytest.raises(Unreadable, match=r"“a” \(columns 1, 3\)"):
            opened(b"a,b,a\n1,2,3\n")

    def test_takes_years_as_names(self, opened: Opener) -> None:
        assert opened(b"place,2019,2020\nRome,1,2\n").headers == ("place", "2019", "2020")

    @pytest.mark.parametrize("data", [b"n\n" + b"1\n" * 101, b'n\n"1"\n' + b"1\n" * 100])
    def test_counts_rows(self, opened: Opener, data: bytes) -> None:
        assert opened(data, limits=Limits(rows=101)).rows == 101
        with pytest.raises(Unreadable, match="more than 100 rows"):
            opened(data, limits=Limits(rows=100))
