"""The fast path keeps exactly what the careful one keeps."""

from datetime import UTC

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from records.importing import columns
from records.importing.columns import SHAPES, ColumnParser
from records.values import Choice, FieldSpec, FieldType, Wrong, dumps, parser_for

F = FieldType
KINDS = [kind for kind in F if not kind.is_reference]
CHOICES = (Choice("a", "Ape"), Choice("b", "B"))
CELLS = st.one_of(
    st.text(max_size=20),
    st.from_regex(r"-?[0-9]{1,20}(\.[0-9]{1,19})?", fullmatch=True),
    st.from_regex(r"[0-9]{4}-[0-3][0-9]-[0-3][0-9](T[0-2][0-9]:[0-6][0-9]:[0-6][0-9]Z)?", fullmatch=True),
    st.from_regex(r"[0-2][0-9]:[0-6][0-9]:[0-6][0-9]", fullmatch=True),
    st.from_regex(r"[a-zA-Z0-9._%+-]{1,9}@[a-z0-9.-]{1,9}", fullmatch=True),
    st.from_regex(r"https?://[a-z0-9.-]{1,9}(:[0-9]{1,6})?(/[A-Za-z0-9._~/-]*)?", fullmatch=True),
    st.sampled_from(
        ["", " ", "NA", "a", "APE", "-0", "0", "1.0", "007", "-", 'say "hi"', "back\\slash", "tab\tx"]
    ),
)


def spec_of(kind: FieldType, **options: object) -> FieldSpec:
    """Return a field of a type."""
    choices = CHOICES if kind in (F.CHOICE, F.CHOICES) else ()
    return FieldSpec("f", "F", kind, choices=choices, options=options)


def careful(spec: FieldSpec, cell: str) -> tuple[str | None, str | None]:
    """Return (JSON, refusal) as a form would have it."""
    try:
        value = parser_for(spec)(cell)
    except Wrong as refusal:
        return None, str(refusal)
    return (None if value is None else dumps(value).decode()), None


class TestFastPath:
    @settings(max_examples=100, deadline=None)
    @given(st.sampled_from(KINDS), st.lists(CELLS, min_size=1, max_size=12))
    def test_agrees_with_the_forms(self, kind: FieldType, cells: list[str]) -> None:
        cells = [cell.encode("utf-8", "ignore").decode() for cell in cells]
        spec = spec_of(kind)

        parsed = ColumnParser(spec, zone=UTC, markers=()).parse(pl.Series(cells, dtype=pl.String))

        expected = [careful(spec, cell) for cell in cells]
        assert parsed.json.to_list() == [json for json, _ in expected]
        assert parsed.refused == {at: refusal for at, (_, refusal) in enumerate(expected) if refusal}

    @pytest.mark.parametrize("kind", KINDS)
    def test_agrees_at_the_edges(self, kind: FieldType) -> None:
        edges = [str(2**63 + step) for step in (-1, 0)] + [str(-(2**63) - step) for step in (0, 1)]
        edges += [
            f"{year}-{day}" for year in (1899, 2024, 2026) for day in ("02-29", "02-30", "04-31", "12-31")
        ]
        edges += [f"{edge}T23:59:59Z" for edge in edges if "-" in edge[1:]] + [
            "24:00:00",
            "23:59:60",
            "-0",
            "-0.0",
        ]
        edges += ["9" * size for size in (15, 16, 18, 19, 20, 21)] + [
            "0." + "1" * size for size in (2, 3, 18, 19)
        ]
        edges += ["x" * size for size in (199, 200, 201, 1000, 1001)] + [
            "a@" + "b" * size + ".c" for size in (63, 64)
        ]
        spec = spec_of(kind)

        parsed = ColumnParser(spec, zone=UTC, markers=()).parse(pl.Series(edges))

        expected = [careful(spec, cell) for cell in edges]
        assert parsed.json.to_list() == [json for json, _ in expected]
        assert set(parsed.refused) == {at for at, (_, refusal) in enumerate(expected) if refusal}

    @pytest.mark.parametrize("kind", list(SHAPES))
    def test_recognises_ordinary_cells_without_parsing_them(self, kind: FieldType) -> None:
        ordinary = {
            F.TEXT: "JFK",
            F.LONG_TEXT: "New York, NY",
            F.DATE: "2026-11-23",
            F.TIME: "18:30:00",
            F.DATETIME: "2013-01-01T10:00:00Z",
            F.EMAIL: "ada@example.org",
            F.LINK: "https://example.org/a",
        }
        parser = ColumnParser(spec_of(kind), zone=UTC)

        assert parser.parse(pl.Series([ordinary.get(kind, "42")])).refused == {}
        assert parser.known == {}


class TestMarkers:
    def test_mean_empty_except_in_texts(self) -> None:
        cells = pl.Series(["NA", "-", "null", " NA "])

        assert ColumnParser(spec_of(F.INTEGER), zone=UTC).parse(cells).json.null_count() == 4
        assert ColumnParser(spec_of(F.TEXT), zone=UTC).parse(cells).json.null_count() == 0

    def test_given_for_a_column_are_the_only_ones(self) -> None:
        parser = ColumnParser(spec_of(F.TEXT), zone=UTC, markers={"NA"})

        assert parser.parse(pl.Series(["NA", "null", "N1"])).json.to_list() == [None, '"null"', '"N1"']

    def test_of_a_number_column_may_look_like_numbers(self) -> None:
        parser = ColumnParser(spec_of(F.INTEGER), zone=UTC, markers={"-999"})

        assert parser.parse(pl.Series(["-999", "5"])).json.to_list() == [None, "5"]


class TestMemory:
    def test_of_odd_cells_is_bounded(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(columns, "REMEMBERED", 100)
        parser = ColumnParser(spec_of(F.TEXT), zone=UTC)
        for start in range(0, 1000, 60):
            parser.parse(pl.Series([f"é{n}" for n in range(start, start + 60)]))

        assert len(parser.known) <= 160
