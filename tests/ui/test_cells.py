import time as clock
from datetime import UTC, date, datetime, time
from decimal import Decimal

import pytest
from django.utils import timezone

from config.ui.cells import EMPTY, align, cell, state

NIGHT = datetime(2026, 11, 14, 22, 42, 10, tzinfo=UTC)
EVERY = {
    "text": "x",
    "long_text": "x",
    "integer": 1,
    "decimal": Decimal("1.5"),
    "number": 1.5,
    "money": Decimal("2"),
    "yes_no": True,
    "date": date(2026, 1, 2),
    "datetime": NIGHT,
    "timestamp": NIGHT,
    "time": time(9, 5),
    "choice": "x",
    "choices": ["x"],
    "email": "a@b.example",
    "link": "https://b.example",
    "person": "x",
    "record": "x",
    "file": "x",
    "progress": 40,
    "state": "x",
}
HOSTILE = '"><script>alert(1)</script>'


class TestCell:
    @pytest.mark.parametrize("kind", EVERY)
    def test_nothing_is_a_faint_dash(self, kind: str) -> None:
        assert [cell(kind, None), cell(kind, ""), cell(kind, [])] == [EMPTY] * 3

    @pytest.mark.parametrize("kind", EVERY)
    def test_something_is_shown(self, kind: str) -> None:
        assert cell(kind, EVERY[kind]) != EMPTY

    @pytest.mark.parametrize(
        "kind", ["text", "long_text", "choice", "email", "link", "person", "record", "file", "state"]
    )
    def test_markup_in_a_value_stays_text(self, kind: str) -> None:
        assert "<script" not in cell(kind, HOSTILE)
        assert "<script" not in cell(kind, HOSTILE * 9, label=HOSTILE, url=f"/{HOSTILE}", tone=HOSTILE)

    def test_markup_in_one_of_several_choices_stays_text(self) -> None:
        assert "<script" not in cell("choices", [HOSTILE] * 9)

    def test_zero_and_no_are_values(self) -> None:
        assert (cell("integer", 0), "No" in cell("yes_no", False)) == ("0", True)

    def test_numbers_have_separators(self) -> None:
        assert (cell("integer", 336776), cell("money", Decimal("1204.5"))) == ("336,776", "1,204.50")

    def test_a_moment_stands_in_the_organisations_time_zone_with_the_exact_one_on_hover(self) -> None:
        with timezone.override("Europe/Berlin"):
            shown = cell("datetime", NIGHT)
        assert ">14 Nov 2026 23:42<" in shown
        assert 'title="2026-11-14 23:42:10 CET"' in shown

    def test_long_text_is_cut_with_the_whole_on_hover(self) -> None:
        assert 'class="cut" title="' + "y" * 90 in cell("text", "y" * 90)

    @pytest.mark.parametrize("address", ["javascript:alert(1)", "data:text/html,x", "//evil.example"])
    def test_only_web_addresses_become_links(self, address: str) -> None:
        assert "<a" not in cell("link", address)

    def test_a_value_of_another_kind_is_refused(self) -> None:
        with pytest.raises(TypeError):
            cell("date", "tomorrow")

    def test_an_unknown_tone_is_the_quiet_one(self) -> None:
        assert 'class="state quiet"' in state("Open", 'ok" onclick="')

    def test_numbers_stand_right(self) -> None:
        assert (align("money"), align("text")) == ("num", "")

    def test_a_page_of_a_thousand_cells_costs_little(self) -> None:
        start = clock.perf_counter()
        for _ in range(50):
            for kind, value in EVERY.items():
                cell(kind, value)
        assert clock.perf_counter() - start < 0.25
