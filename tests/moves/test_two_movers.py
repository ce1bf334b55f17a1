"""Two movers at once: of one organisation the second is refused in words, two organisations both move."""

import subprocess
import sys

import psycopg
import pytest

from tenants.staying import PLACEMENT_LOCK
from tests import servers
from tests.moves.conftest import SLUG, Yard, until, verify_ledger, writing

pytestmark = pytest.mark.nightly
OTHER = "pier"


def make(place: Yard, slug: str) -> str:
    """Make another organisation on the first shard; return its schema."""
    making = subprocess.run(
        [sys.executable, "-m", "tests.moves.making", slug],
        cwd=servers.ROOT,
        env=place.variables,
        capture_output=True,
        text=True,
    )
    assert making.returncode == 0, making.stderr
    return making.stdout.split()[-1]


class TestOfOneOrganisation:
    def test_the_second_is_refused_and_the_first_arrives(self, one_server: Yard) -> None:
        place = one_server
        with writing(place) as writer:
            movers = [place.move() for _ in range(3)]
            said = [mover.communicate(timeout=180)[0] for mover in movers]
            writer.stop()
        assert sorted(mover.returncode for mover in movers) == [0, 1, 1], said
        for mover, words in zip(movers, said, strict=True):
            if mover.returncode:
                assert words.strip().endswith("CommandError: Harbour is being moved already.")
        assert writer.failures == []
        assert place.place() == ("shard_2", 2)
        assert place.leftovers() == []
        verify_ledger(place, writer)

    def test_nobody_else_goes_on_with_a_move_that_somebody_has(self, one_server: Yard) -> None:
        place = one_server
        with psycopg.connect(place.hosts["shard_1"].superuser_url("shard_1"), autocommit=True) as inside:
            # Somebody who stays inside, so that the first waits before it compares.
            key = (PLACEMENT_LOCK, place.schema)
            inside.execute("SELECT pg_advisory_lock_shared(%s, hashtext(%s))", key)
            first = place.move()
            until(lambda: place.step() == "copied")
            assert "Another process is working on this move already." in place.moved("--resume", fails=True)
        said, _ = first.communicate(timeout=120)
        assert first.returncode == 0, said
        assert "Harbour is not being moved." in place.moved("--resume", fails=True)
        assert place.place() == ("shard_2", 2)


class TestOfTwoOrganisations:
    def test_both_arrive_with_all_that_was_written(self, two_servers: Yard) -> None:
        place = two_servers
        schema = make(place, OTHER)
        with writing(place) as writer:
            movers = [place.command("move", slug, "--to", "shard_2") for slug in (SLUG, OTHER)]
            said = [mover.communicate(timeout=180)[0] for mover in movers]
            writer.stop()
        assert [mover.returncode for mover in movers] == [0, 0], said
        assert writer.failures == []
        verify_ledger(place, writer)
        where = place.ask("control", "SELECT slug, shard_id, epoch FROM tenants_organisation ORDER BY slug")
        assert where == [(SLUG, "shard_2", 2), (OTHER, "shard_2", 2)]
        assert place.ask("shard_2", f"SELECT count(*) FROM {schema}.gear_speaker") == [(500,)]
        assert place.leftovers() == []
