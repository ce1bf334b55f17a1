"""Whatever the bytes, a file is refused as a whole or every one of its rows is accounted for."""

import csv
import io
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from records.importing import Unreadable, check, chunks, open_source, propose
from records.importing.chunks import Chunk
from records.importing.frames import table_of
from records.values import FieldSpec, FieldType

LETTERS = st.text(alphabet='ab1,;\t|"\n\r \\=é\0-.', max_size=60)
CELLS = st.text(alphabet='ab1,;"\n\r é', max_size=8)
F = FieldType
KINDS = (F.TEXT, F.INTEGER, F.LONG_TEXT, F.DECIMAL, F.DATE)


def accounted(data: bytes, pieces_of: int | None = None) -> int:
    """Open, propose and check a file; return its data rows once all are accounted for."""
    with TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        if pieces_of is not None:
            patch.setattr(chunks, "CHUNK_BYTES", pieces_of)
        path = Path(folder) / "sent"
        path.write_bytes(data)
        with open_source(path, "sent.csv", folder=Path(folder)) as source:
            assert len(propose(source).fields) == len(source.headers)
            mapping = {
                name: FieldSpec(f"f{at}", name, KINDS[at % len(KINDS)], unique=at % 2 == 0)
                for at, name in enumerate(source.headers)
            }
            checked = list(check(source, mapping))
            good = {row for piece in checked for row, _ in piece.good}
            refused = {one.row for piece in checked for one in piece.refused}
            assert not good & refused
            assert len(good) + len(refused) == source.rows
            return source.rows


class TestFuzz:
    @settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(LETTERS, st.sampled_from([None, 1, 5, 16]))
    def test_never_fails_in_another_way(self, text: str, size: int | None) -> None:
        try:
            accounted(b"a,b\n" + text.encode(), size)
        except Unreadable as refusal:
            assert refusal.code  # noqa: PT017  # any refusal will do, any other error will not

    @settings(max_examples=40, deadline=None)
    @given(st.binary(max_size=80))
    def test_survives_any_bytes(self, data: bytes) -> None:
        try:
            accounted(data)
        except Unreadable as refusal:
            assert refusal.code  # noqa: PT017  # as above

    @settings(max_examples=40, deadline=None)
    @given(
        st.lists(st.lists(CELLS, min_size=2, max_size=2), min_size=1, max_size=12),
        st.sampled_from([1, 7, 1000]),
    )
    def test_loses_no_row_that_the_csv_module_wrote(self, rows: list[list[str]], size: int) -> None:
        out = io.StringIO(newline="")
        csv.writer(out).writerows([["a", "b"], *rows])

        assert accounted(out.getvalue().encode(), size) == len(rows)


class TestEndMark:
    def test_in_a_file_hides_no_row(self) -> None:
        data = f'a,b\n"x",1\n{chunks.END}\ny,2\n'.encode()

        assert accounted(data) == 3


class TestTwoReaders:
    @settings(max_examples=40, deadline=None)
    @given(st.text(alphabet="ab,\n\r é;", min_size=1, max_size=60), st.integers(1, 3))
    def test_agree_where_there_are_no_quotation_marks(self, text: str, width: int) -> None:
        text = text.lstrip("\r\n")
        with TemporaryDirectory() as folder:
            path = Path(folder) / "sent"
            path.write_text(text, encoding="utf-8", newline="")
            size = path.stat().st_size
            tables = [table_of(path, Chunk(0, size, 2, 1, 1, quoted), width, ",") for quoted in (False, True)]

        assert tables[0].numbers.to_list() == tables[1].numbers.to_list()
        assert tables[0].cells.rows() == tables[1].cells.rows()
        assert tables[0].ragged == tables[1].ragged
