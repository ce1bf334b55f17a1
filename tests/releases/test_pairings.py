"""JOB-5: code of two releases on schemas of two releases, and the way back."""

from typing import Any

import pytest

from tests.releases.conftest import AHEAD, BEHIND, Pair

pytestmark = pytest.mark.nightly
BOTH = (BEHIND, AHEAD)


def written(by: str) -> list[list[Any]]:
    """Return the rows that the scenario leaves."""
    return [
        [f"{by} made", 6, "ok", ""],
        [f"{by} many", 7, "broken", ""],
        [f"{by} many", None, "ok", "found"],
        [f"{by} saved", None, "ok", "by hand"],
    ]


class TestTwoReleases:
    @pytest.mark.parametrize("code", ["old", "new"])
    def test_each_reads_and_writes_on_both_schemas(self, pair: Pair, code: str) -> None:
        for found in pair.act(code, *(("write_and_read", slug, code) for slug in BOTH)):
            assert found["saved"] == ["by hand", 5]
            assert found["rows"] == written(code)

    def test_each_does_the_jobs_of_the_other(self, pair: Pair) -> None:
        works = [("work", slug) for slug in BOTH]
        asked = pair.act("old", *(("enqueue_job", slug, "old") for slug in BOTH))
        asks_too = [("enqueue_job", slug, "new") for slug in BOTH]
        did, did_too, *asked_too = pair.act("new", *works, *asks_too)
        assert (did, did_too) == (1, 1)
        assert pair.act("old", *works) == [1, 1]
        for slug, first, second, there in zip(
            BOTH, asked, asked_too, pair.act("new", *(("colours", slug) for slug in BOTH)), strict=True
        ):
            assert {first, second} <= set(there), slug

    def test_the_later_one_falls_back_where_the_schema_is_of_the_earlier(self, pair: Pair) -> None:
        (found,) = pair.act("new", ("with_colours", BEHIND, "falls"))
        assert found["has"] is False
        assert found["seen"] == ["black", "black", None, ["black", None]]
        assert found["named"] == [True, False, True, ["black"], "black"]
        # What cannot be kept is refused, not lost.
        assert found["refused"] == ["refused"] * 4

    def test_the_later_one_uses_what_the_schema_has_and_going_back_loses_nothing(self, pair: Pair) -> None:
        found, colours = pair.act("new", ("with_colours", AHEAD, "kept"), ("colours", AHEAD))
        assert found["has"] is True
        assert colours["kept-colour"] == "red"
        (saved,) = pair.act("old", ("save_all", AHEAD))
        (colours,) = pair.act("new", ("colours", AHEAD))
        assert len(colours) == saved
        assert colours["kept-colour"] == "red"

    def test_the_list_of_a_room_shows_what_there_is(self, pair: Pair) -> None:
        behind, ahead = pair.act("new", *(("page", slug) for slug in BOTH))
        assert behind[0] == ahead[0] == 200
        assert ("Colour" in behind[1], "Colour" in ahead[1]) == (False, True)
        assert pair.act("old", ("page", AHEAD))[0][0] == 200
