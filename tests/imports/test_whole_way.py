"""A file from its upload to its records, and out again."""

from tests.imports.conftest import Bring, values_of

PLACES = b"code,name,opened,seats\nA,Arena,2026-05-01,12000\nB,Barn,2025-11-30,90\nC,Cellar,,60\n"


class TestNewCollection:
    def test_a_file_becomes_a_collection_without_a_design_screen(self, bring: Bring) -> None:
        row = bring(PLACES, "live_places.csv")
        assert (row.state, row.imported, row.refused) == ("done", 3, 0)
        assert row.collection is not None
        assert row.collection.name == "Live places"
        assert values_of(row, "seats") == [12000, 90, 60]
        assert values_of(row, "opened") == ["2026-05-01", "2025-11-30", None]
