"""Rings: a few first, then those that want it early, then everybody; each step can be the last."""

import re
import time
from dataclasses import replace

import psycopg
import pytest

from tests.fleet.conftest import Fleet

pytestmark = pytest.mark.nightly


def control(fleet: Fleet, query: str) -> list[tuple[object, ...]]:
    """Run a query in the control plane."""
    with psycopg.connect(fleet.server.superuser_url("control"), autocommit=True) as connection:
        cursor = connection.execute(query.encode())
        return cursor.fetchall() if cursor.description else []


def put(fleet: Fleet, slug: str, ring: str) -> None:
    """Put an organisation into a ring."""
    control(fleet, f"UPDATE tenants_organisation SET ring = '{ring}' WHERE slug = '{slug}'")


@pytest.fixture
def ringed(fleet: Fleet) -> Fleet:
    """org-4 goes first, org-2 after it, then the other four."""
    put(fleet, "org-4", "canary")
    put(fleet, "org-2", "early")
    return fleet


def order(said: str) -> list[str]:
    """Return the organisations in the order in which they were migrated."""
    return [line.partition(":")[0] for line in said.splitlines() if ": migrated (" in line]


class TestRings:
    def test_one_follows_the_other(self, ringed: Fleet) -> None:
        assert order(ringed.migrate("column", "--pause", "0"))[:2] == ["org-4", "org-2"]
        assert len(set(ringed.states().values())) == 1
        assert control(ringed, "SELECT state, ring, total, migrated, failed FROM operations_fleetrun") == [
            ("done", "everybody", 6, 6, 0)
        ]

    def test_a_run_may_end_with_a_ring_and_the_next_goes_on(self, ringed: Fleet) -> None:
        assert order(ringed.migrate("column", "--up-to", "early", "--pause", "0")) == ["org-4", "org-2"]
        said = ringed.migrate("column", "--status")
        assert "4 organisations are behind" in said
        assert "canary: 1 current" in said
        assert "everybody: 4 behind" in said
        assert len(order(ringed.migrate("column"))) == 4

    def test_one_failure_of_few_stops_before_the_next_ring(self, ringed: Fleet) -> None:
        put(ringed, "org-1", "canary")
        ringed.ask("org-4", "ALTER TABLE gear_speaker ADD COLUMN colour text")
        said = ringed.migrate("column", "--pause", "0", fails=True)
        assert "1 of 2 in the ring canary failed" in said
        assert order(said) == ["org-1"]

    def test_a_server_that_is_down_stops_nobody_else(self, fleet: Fleet) -> None:
        address = re.sub(r":\d+/", ":1/", fleet.variables["OWNER_SHARD_2_DATABASE_URL"])
        half = replace(fleet, variables={**fleet.variables, "OWNER_SHARD_2_DATABASE_URL": address})
        said = half.migrate("column", fails=True)
        assert sorted(order(said)) == ["org-0", "org-2", "org-4"]
        assert said.count("shard_2 does not answer") == 3
        assert len(order(fleet.migrate("column"))) == 3

    def test_somebody_stops_it_in_the_pause(self, ringed: Fleet) -> None:
        process = ringed.command("migrate_fleet", "--pause", "60", later="column")
        pausing = "SELECT id FROM operations_fleetrun WHERE state = 'pausing' AND goes_on_at > now()"
        end = time.monotonic() + 30
        while not control(ringed, pausing) and time.monotonic() < end:
            time.sleep(0.1)
        assert "Another run is migrating" in ringed.migrate("column", fails=True)
        control(ringed, "UPDATE operations_fleetrun SET stop_asked_at = now(), said = 'Oz asked to stop'")
        said, _ = process.communicate(timeout=20)
        assert process.returncode == 1
        assert "Stopped: Oz asked to stop" in said
        assert order(said) == ["org-4"]
        assert control(ringed, "SELECT state FROM operations_fleetrun") == [("stopped",)]
