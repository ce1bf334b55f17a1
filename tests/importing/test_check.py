"""From rows to documents: every row is either kept or refused with a reason."""

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from records.importing import Checked, Source, check, chunks
from records.values import REQUIRED, Choice, FieldSpec, FieldType
from tests.importing.conftest import Opener

F = FieldType
NAME = FieldSpec("name", "Name", F.TEXT, required=True)
COUNT = FieldSpec("count", "Count", F.INTEGER)
CODE = FieldSpec("code", "Code", F.TEXT, unique=True)
PLANE = FieldSpec("plane", "Plane", F.RECORD, options={"collection_name": "Planes"})
PLANES = {"N1": "0190163d-8694-739b-aea5-966c26f8ad91"}


def planes(key: str, values: set[str]) -> Mapping[str, str]:
    """Resolve links to planes."""
    assert key == "plane"
    return {value: PLANES[value] for value in values & set(PLANES)}


def documents(pieces: list[Checked]) -> dict[int, Any]:
    """Return what would be kept, by row."""
    return {row: json.loads(text) for piece in pieces for row, text in piece.good}


def reasons(pieces: list[Checked]) -> list[tuple[int, str, str, str]]:
    """Return all refusals."""
    return [(one.row, one.column, one.value_excerpt, one.reason) for piece in pieces for one in piece.refused]


def run(source: Source, mapping: dict[str, FieldSpec], *args: Any, **rest: Any) -> list[Checked]:
    """Check all of a file."""
    return list(check(source, mapping, *args, **rest))


class TestCheck:
    def test_keeps_good_rows_and_says_why_of_the_others(self, opened: Opener) -> None:
        source = opened(b"name,n\nada,1\nben,many\n,3\ncy\n,\ndee,\n")

        pieces = run(source, {"name": NAME, "n": COUNT})

        assert documents(pieces) == {2: {"name": "ada", "count": 1}, 7: {"name": "dee"}}
        assert reasons(pieces) == [
            (3, "n", "many", "Use a whole number such as 42."),
            (4, "name", "", REQUIRED),
            (5, "", "", "This row has 1 cells, but there are 2 columns."),
            (6, "", "", "This row is empty."),
        ]

    def test_gives_all_reasons_of_a_row(self, opened: Opener) -> None:
        (piece,) = run(opened(b"name,n\n,many\n"), {"name": NAME, "n": COUNT})

        assert [one.column for one in piece.refused] == ["n", "name"]
        assert piece.refused_rows == 1

    def test_leaves_unmapped_columns_alone(self, opened: Opener) -> None:
        pieces = run(opened(b"name,n\nada,many\n"), {"name": NAME})

        assert documents(pieces) == {2: {"name": "ada"}}

    def test_writes_keys_in_the_order_of_the_mapping_whatever_is_empty(self, opened: Opener) -> None:
        source = opened(b'n,name\n1,"a""b"\n,"\\ \xc3\xa9"\n')

        (piece,) = run(source, {"n": COUNT, "name": NAME})

        assert [text for _, text in piece.good] == [
            b'{"count":1,"name":"a\\"b"}',
            '{"name":"\\\\ é"}'.encode(),
        ]

    def test_cuts_what_it_quotes_and_hides_what_is_sensitive(self, opened: Opener) -> None:
        secret = FieldSpec("secret", "Secret", F.INTEGER, sensitive=True)

        pieces = run(opened(b"s,n\nhunter2," + b"x" * 500 + b"\n"), {"s": secret, "n": COUNT})

        assert [excerpt for _, _, excerpt, _ in reasons(pieces)] == ["", "x" * 79 + "…"]

    def test_survives_a_piece_in_which_no_row_fits(self, opened: Opener) -> None:
        choice = FieldSpec("c", "C", F.CHOICE, choices=(Choice("a", "A"),))

        (piece,) = run(opened(b"name,c\nx\ny\n"), {"name": NAME, "c": choice})

        assert (piece.good, piece.refused_rows) == ([], 2)

    def test_counts_cells_that_look_like_formulas_and_keeps_them_as_text(self, opened: Opener) -> None:
        cells = ["=cmd|' /C calc'!A0", "@SUM(1)", "+1-2", "-5", "+49 30 1234", "ordinary", "-cmd"]
        data = "name,n\n" + "".join(f'"{cell}",1\n' for cell in cells)

        pieces = run(opened(data.encode()), {"name": NAME, "n": COUNT})

        assert [row["name"] for row in documents(pieces).values()] == cells
        assert pieces[0].formulas == {"name": 3}

    @pytest.mark.parametrize(
        ("mapping", "words"),
        [
            ({"nobody": NAME}, "no such columns"),
            ({}, "no such columns"),
            ({"name": NAME, "n": NAME}, "same field"),
            ({"name": FieldSpec("f", "F", F.FILE)}, "a file"),
            ({"name": PLANE}, "resolves links"),
        ],
    )
    def test_refuses_a_mapping_that_cannot_be(
        self, opened: Opener, mapping: dict[str, FieldSpec], words: str
    ) -> None:
        with pytest.raises(ValueError, match=words):
            run(opened(b"name,n\nada,1\n"), mapping)


class TestLinks:
    DATA = b"name,plane\nada, N1\nben,N2\ncy,NA\ndee,\n" + b"eve,0190163d-8694-739b-aea5-966c26f8ad92\n"

    def test_become_ids_and_unknown_ones_are_refused(self, opened: Opener) -> None:
        pieces = run(opened(self.DATA), {"name": NAME, "plane": PLANE}, planes)

        assert documents(pieces) == {
            2: {"name": "ada", "plane": PLANES["N1"]},
            4: {"name": "cy"},
            5: {"name": "dee"},
        }
        assert reasons(pieces)[0] == (3, "plane", "N2", "Nothing in Planes matches this value.")
        assert pieces[0].missing_links == {"plane": 2}

    def test_may_be_left_empty_and_are_counted(self, opened: Opener) -> None:
        pieces = run(opened(self.DATA), {"name": NAME, "plane": PLANE}, planes, on_missing_link="leave_empty")

        assert len(documents(pieces)) == 5
        assert pieces[0].missing_links == {"plane": 2}

    def test_say_what_they_looked_for_where_an_empty_one_is_refused(self, opened: Opener) -> None:
        needed = replace(PLANE, required=True)
        pieces = run(
            opened(self.DATA), {"name": NAME, "plane": needed}, planes, on_missing_link="leave_empty"
        )

        assert reasons(pieces) == [
            (3, "plane", "N2", "Nothing in Planes matches this value."),
            (4, "plane", "NA", REQUIRED),
            (5, "plane", "", REQUIRED),
            (6, "plane", "0190163d-8694-739b-aea5-966c26f8ad92", "Nothing in Planes matches this value."),
        ]

    def test_never_take_an_id_from_the_file(self, opened: Opener) -> None:
        pieces = run(opened(self.DATA), {"name": NAME, "plane": PLANE}, planes)

        assert 6 not in documents(pieces)


def long_table() -> bytes:
    """Return a table of several pieces, in which codes come back late."""
    rows = [f"{n},code {n % 15_000},{'x' * 20}" for n in range(16_000)]
    return ("n,code,text\n" + "\n".join(rows)).encode()


@pytest.fixture
def small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    """Cut files into pieces a tenth of the usual size."""
    monkeypatch.setattr(chunks, "CHUNK_BYTES", 96_000)


@pytest.mark.usefixtures("small_pieces")
class TestPieces:
    MAPPING = {"n": COUNT, "code": CODE}

    def test_find_repeated_values_far_apart(self, opened: Opener) -> None:
        pieces = run(opened(long_table()), self.MAPPING)

        refused = reasons(pieces)
        assert len(pieces) > 3
        assert [row for row, *_ in refused] == list(range(15_002, 16_002))
        assert "earlier row" in refused[0][3]
        assert len(documents(pieces)) + len(refused) == 16_000

    def test_are_the_same_after_an_interruption_at_any_place(self, opened: Opener) -> None:
        source = opened(long_table())
        whole = run(source, self.MAPPING)

        for piece in whole[1::3]:
            rest = run(source, self.MAPPING, start_row=piece.first_row)
            assert [one.first_row for one in rest] == [
                one.first_row for one in whole if one.first_row >= piece.first_row
            ]
            assert rest[0].good == piece.good
            assert rest[-1].refused == whole[-1].refused

    def test_may_start_inside_a_piece(self, opened: Opener) -> None:
        source = opened(long_table())
        middle = source.chunks[1].first_row + 7

        (first, *_) = check(source, self.MAPPING, start_row=middle)

        assert first.good[0][0] == middle
        assert first.next_row == source.chunks[2].first_row

    def test_ask_which_values_are_taken(self, opened: Opener) -> None:
        def taken(key: str, values: set[str]) -> set[str]:
            assert key == "code"
            return values & {'"B"'}

        pieces = run(opened(b"n,code\n1,A\n2,B\n3,B\n4,\n"), self.MAPPING, taken=taken)

        assert set(documents(pieces)) == {2, 5}
        assert ["exists already" in reason for *_, reason in reasons(pieces)] == [True, False]
