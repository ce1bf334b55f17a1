"""A contract reaches the organisations in which its backfill is done; the others wait, and say so."""

import pytest

from tests.fleet.conftest import Fleet

DONE = "UPDATE gear_speaker SET notes = 'there'; INSERT INTO jobs_backfilled (name) VALUES ('gear.notes')"


@pytest.mark.nightly
class TestContract:
    def test_waits_for_the_backfill_of_each(self, fleet: Fleet) -> None:
        for slug in ("org-0", "org-3"):
            fleet.ask(slug, DONE)
        said = fleet.migrate("contract")
        assert said.count("Waits for the backfill gear.notes: not started") == 4
        assert said.count(": migrated") == 2
        assert "4 organisations wait; the next run looks again." in said
        assert [error for _, error in fleet.states().values()] == [""] * 6
        constraint = (
            "SELECT 1 FROM pg_constraint WHERE conname = 'noted' AND conrelid = 'gear_speaker'::regclass"
        )
        assert [bool(fleet.ask(slug, constraint)) for slug in ("org-0", "org-1", "org-3")] == [
            True,
            False,
            True,
        ]
        status = fleet.migrate("contract", "--status")
        assert "org-1: Waits for the backfill" in status
        assert "everybody: 2 current, 4 waiting" in status
        for slug in fleet.schemas:
            if slug not in ("org-0", "org-3"):
                fleet.ask(slug, DONE)
        assert fleet.migrate("contract").count(": migrated") == 4
        assert len(set(fleet.states().values())) == 1
