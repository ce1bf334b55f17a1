"""Workers prefer the organisations that they have served, and nobody waits longer for it."""

import random
from collections import Counter, defaultdict, deque
from collections.abc import Sequence

import pytest
from django.core.exceptions import ImproperlyConfigured

from config import env
from jobs import bells
from jobs.models import JobState
from jobs.turns import PLAIN_TURN, OwnQueuesFirst, part_of
from tenants.models import Organisation
from tests.jobs.lasting import KINDS, ask, ended
from tests.workers import lasting, worker

QUEUES = [f"jobs.{number}" for number in range(8)]


class First(OwnQueuesFirst):
    """The first of two workers."""

    own = part_of(1, 2, 8)


class Second(OwnQueuesFirst):
    """The second of two workers."""

    own = part_of(2, 2, 8)


def take(turn: OwnQueuesFirst, waiting: Counter[str]) -> str:
    """Take one message, as Redis gives it: from the first queue in order that has one."""
    queue = next(one for one in turn.consume(len(QUEUES)) if waiting[one])
    waiting[queue] -= 1
    return str(turn.rotate(queue))


class TestOrder:
    def cycle(self) -> First:
        """Return the turn of the first of two workers."""
        turn = First()
        turn.update(QUEUES)
        return turn

    def test_parts_are_shared_out_and_cover_everything(self) -> None:
        for workers in (1, 2, 3, 8, 9):
            parts = [part_of(place, workers, 8) for place in range(1, workers + 1)]
            assert sorted(queue for part in parts for queue in part) == QUEUES

    def test_its_own_come_first_and_the_others_are_helped_out(self) -> None:
        turn = self.cycle()
        waiting = Counter(dict.fromkeys(QUEUES, 9))
        assert [take(turn, waiting) for _ in range(3)] == ["jobs.0", "jobs.2", "jobs.4"]
        assert take(self.cycle(), Counter({"jobs.7": 1})) == "jobs.7"

    def test_no_queue_waits_for_a_worker_that_is_gone(self) -> None:
        """With its own queues full for ever, each of the others has its turn all the same."""
        turn, waiting = self.cycle(), Counter(dict.fromkeys(QUEUES, 10_000))
        taken = Counter(take(turn, waiting) for _ in range(8 * PLAIN_TURN * 20))
        foreign = [taken[queue] for queue in QUEUES if queue not in First.own]
        assert min(foreign) >= 20
        own = [taken[queue] for queue in QUEUES if queue in First.own]
        assert sum(own) > sum(foreign)
        assert max(own) - min(own) <= max(own) // 4

    def test_a_worker_alone_takes_plain_turns(self) -> None:
        turn = OwnQueuesFirst()
        turn.update(QUEUES)
        waiting = Counter(dict.fromkeys(QUEUES, 9))
        assert [take(turn, waiting) for _ in range(16)] == QUEUES * 2

    @pytest.mark.parametrize("raw", ["0/2", "3/2", "1", "a/b", "1/2/3", ""])
    def test_a_place_is_one_of_several(self, monkeypatch: pytest.MonkeyPatch, raw: str) -> None:
        monkeypatch.setenv("ENCLAVE_WORKER_PLACE", raw)
        with pytest.raises(ImproperlyConfigured, match="use such as 1/2"):
            env.place("ENCLAVE_WORKER_PLACE")


class TestSchemasTouched:
    """A busy day: 64 organisations, always some messages waiting, and whoever is free takes the next."""

    ORGANISATIONS, WAITING, MESSAGES = 64, 32, 600

    def touched(self, turns: Sequence[OwnQueuesFirst]) -> list[int]:
        """Return how many organisations each worker has served."""
        chance, served = random.Random(7), [set[int]() for _ in turns]
        waiting: defaultdict[str, deque[int]] = defaultdict(deque)
        for turn in turns:
            turn.update(list(QUEUES))
        for _ in range(self.MESSAGES):
            while sum(map(len, waiting.values())) < self.WAITING:
                one = chance.randrange(self.ORGANISATIONS)
                waiting[QUEUES[one % 8]].append(one)
            free = chance.randrange(len(turns))
            counts = Counter({queue: len(line) for queue, line in waiting.items()})
            served[free].add(waiting[take(turns[free], counts)].popleft())
        return [len(one) for one in served]

    def test_are_fewer_where_each_worker_has_a_part(self) -> None:
        alike = self.touched([OwnQueuesFirst(), OwnQueuesFirst()])
        parted = self.touched([First(), Second()])
        assert min(alike) > 60
        # Its own half, and those met in plain turns.
        assert 5 * sum(parted) < 4 * sum(alike)

    def test_a_long_time_changes_nothing_for_the_one_that_is_gone(self) -> None:
        """The first of two alone serves everybody."""
        assert self.touched([First()]) == [self.ORGANISATIONS]


@pytest.fixture
def two(organisations: dict[str, Organisation]) -> list[Organisation]:
    """Two organisations: one in a queue of the first worker's, and one of the second's."""
    found: dict[bool, Organisation] = {}
    while len(found) < 2:
        made = lasting()
        found[bells.celery_queue(made.pk, "app") in First.own] = made
    return list(found.values())


@pytest.mark.nightly
class TestWorkers:
    def test_one_of_two_alone_does_the_work_of_both(self, two: list[Organisation]) -> None:
        jobs = [(ask(one, "tests.connection", pause=0.02), one) for _ in range(3) for one in two]
        place = {"DJANGO_SETTINGS_MODULE": "tests.browser.settings", "ENCLAVE_WORKER_PLACE": "1/2"}
        with worker(include=KINDS, environment=place):
            done = [ended(job, organisation, seconds=60) for job, organisation in jobs]
        assert {job.state for job in done} == {JobState.SUCCEEDED}
