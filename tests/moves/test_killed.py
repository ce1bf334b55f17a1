"""The mover, the source and the target are killed at each step; the move goes on, or is taken back whole.

And the mover a hundred times at any moment, which may lie between two steps, while it goes to and fro.
"""

import random
import signal
import time
from collections import Counter

import pytest

from operations.models.move import WAY
from tests.faults.nursery import Born, nursery
from tests.moves.conftest import SLUG, TABLE, Writer, Yard, until, verify_ledger, writing

pytestmark = pytest.mark.nightly
KILLS = 100
SEED = 20
LONGEST_SECONDS = 1.6  # less than a move takes, so that most are killed once or twice on their way
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


def wrong_places(place: Yard) -> list[str]:
    """Return what is wrong with where the organisation may be written, while no mover runs.

    It is open where the control plane says, and there alone. Between closing the old place and naming the
    new one it is open to nobody, until the move goes on: then it stands in the middle of the switch.
    """
    alias, epoch = place.place()
    found = {name: dict(place.states(name)) for name in ("shard_1", "shard_2")}
    are_open = [name for name, states in found.items() if "open" in states.values()]
    if are_open == [alias] and found[alias] == {epoch: "open"}:
        return []
    if len(are_open) < 2 and place.step() == "switching" and "closed" in found[alias].values():
        return []
    return [f"at {place.step()}: on {alias} in epoch {epoch}, with {found}"]


def lost(place: Yard, writer: Writer) -> dict[str, int]:
    """Return what was acknowledged and is not so, though nobody has changed it since."""
    before, _ = writer.wanted()
    found = dict(place.ask(place.place()[0], f"SELECT serial, watts FROM {TABLE}"))
    wrong = {serial for serial, watts in before.items() if found.get(serial) != watts}
    if wrong:
        # Somebody may be about to say what they did: what is really lost stays lost.
        time.sleep(0.3)
        after, _ = writer.wanted()
        found = dict(place.ask(place.place()[0], f"SELECT serial, watts FROM {TABLE}"))
        wrong = {serial for serial in wrong & after.keys() if found.get(serial) != after[serial]}
    return {serial: before[serial] for serial in wrong}


class TestKilledAtRandom:
    def test_a_hundred_times_to_and_fro(self, two_servers: Yard) -> None:
        place, chance, hit = two_servers, random.Random(SEED), Counter[str]()
        with nursery({**place.variables, "ENCLAVE_LOGIN": "owner"}) as owner, writing(place) as writer:

            def mover() -> Born:
                if place.step() in ("", "kept", "reverted"):
                    target = {"shard_1": "shard_2", "shard_2": "shard_1"}[place.place()[0]]
                    return owner.fork("manage.py", "move", SLUG, "--to", target)
                return owner.fork("manage.py", "move", SLUG, "--resume")

            while hit.total() < KILLS:
                moving = mover()
                time.sleep(chance.uniform(0, LONGEST_SECONDS))
                if moving.kill():
                    hit[place.step()] += 1
                    assert wrong_places(place) == []
                    assert lost(place, writer) == {}
            until(lambda: place.step() in ("kept", "reverted") or is_settled(place), seconds=120)
            writer.stop()
        assert writer.failures == []
        assert wrong_places(place) + place.leftovers() == []
        verify_ledger(place, writer)
        # They fell into all of it, and moves came to their ends nevertheless.
        assert len(hit) > 4, hit
        assert place.place()[1] > 4
