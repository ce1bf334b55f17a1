"""The mover, the source and the target are killed at each step; the move goes on, or is taken back whole."""

import signal

import pytest

from operations.models.move import WAY
from tests.moves.conftest import Writer, Yard, until, verify_ledger, writing

pytestmark = pytest.mark.nightly
STEPS = [step.value for step in WAY[1:9]]


def settle(place: Yard) -> None:
    """Bring the move that broke off to its end, by running it again; then the organisation has moved."""
    if place.step() not in ("kept", "reverted"):
        until(lambda: is_settled(place), seconds=120)
    if place.step() == "reverted":
        assert place.place()[0] == "shard_1"
        assert place.states("shard_1") == [(place.place()[1], "open")]
        assert place.states("shard_2") == []
        assert place.leftovers() == []
        place.moved(to="shard_2")
    assert place.place()[0] == "shard_2"
    assert place.leftovers() == []
    assert [state for _, state in place.states("shard_1")] == ["closed"]
    assert place.states("shard_2") == [(place.place()[1], "open")]


def is_settled(place: Yard) -> bool:
    """Run it again; return whether it has ended."""
    process = place.move("--resume")
    process.communicate(timeout=120)
    return place.step() in ("kept", "reverted")


def back(place: Yard) -> None:
    """Move it back, so that the next one begins where the last did."""
    place.moved(to="shard_1")


class TestKilledMover:
    def test_at_each_step(self, two_servers: Yard) -> None:
        place = two_servers
        with writing(place) as writer:
            for step in STEPS:
                for when in ("before", "after"):
                    process = place.die(step, when)
                    said, _ = process.communicate(timeout=120)
                    assert process.returncode == -signal.SIGKILL, said
                    settle(place)
                    back(place)
            writer.stop()
        assert writer.failures == []
        verify_ledger(place, writer)


def server_dies(place: Yard, writer: Writer, alias: str, step: str) -> None:
    """Kill the server of a shard at a step, start it again, and let the move end."""
    server = place.hosts[alias]
    process = place.die(step, "after", kill=server.pid)
    process.communicate(timeout=120)
    until(lambda: not server.is_running())
    server.stop()
    server.start()
    settle(place)
    back(place)


class TestKilledServers:
    @pytest.mark.parametrize("alias", ["shard_1", "shard_2"])
    def test_at_each_step(self, two_servers: Yard, alias: str) -> None:
        place = two_servers
        with writing(place) as writer:
            for step in STEPS:
                server_dies(place, writer, alias, step)
            writer.stop()
        verify_ledger(place, writer)
