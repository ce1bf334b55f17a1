"""Workers prefer the organisations that they have served, and nobody waits longer for it."""

from collections import Counter, defaultdict
from contextlib import ExitStack
from itertools import cycle
from uuid import uuid4

import pytest
from django.core.exceptions import ImproperlyConfigured

from config import env
from jobs import bells
from jobs.turns import PLAIN_TURN, OwnQueuesFirst, part_of
from operations.actions.provisioning import Wish, provision
from tenants.models import Organisation
from tests.jobs.lasting import KINDS, ask, ended
from tests.workers import start_worker

QUEUES = [f"jobs.{number}" for number in range(8)]


class First(OwnQueuesFirst):
    """The first of two workers."""

    own = part_of(1, 2, 8)


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


@pytest.fixture(scope="module")
def many(organisations: dict[str, Organisation]) -> list[Organisation]:
    """Organisations in all queues, two in each, on one shard."""
    found: defaultdict[str, list[Organisation]] = defaultdict(list)
    while len(found) < len(QUEUES) or min(map(len, found.values())) < 2:
        slug = f"turn-{uuid4().hex[:8]}"
        made = provision(Wish(slug, "T", f"o@{slug}.example", "O", shard="shard_1"))
        found[bells.celery_queue(made.pk, "app")].append(made)
    return [one for line in found.values() for one in line[:2]]


@pytest.mark.nightly
class TestSchemasTouched:
    def touched(self, organisations: list[Organisation], places: list[str]) -> dict[int, int]:
        """Return how many schemas each connection of the workers has touched in three rounds of jobs."""
        pauses = cycle([0.02, 0.15, 0.05, 0.2, 0.1, 0.03, 0.12])
        jobs = [
            (ask(one, "tests.connection", pause=next(pauses)), one) for _ in range(3) for one in organisations
        ]
        with ExitStack() as stack:
            workers = []
            for place in places:
                variables = {
                    "DJANGO_SETTINGS_MODULE": "tests.browser.settings",
                    "ENCLAVE_WORKER_PLACE": place,
                }
                # No sweeps: what comes by bell alone is counted.
                workers.append(start_worker(include=KINDS, environment=variables))
                stack.callback(workers[-1].kill)
            done = [ended(job, organisation, seconds=120) for job, organisation in jobs]
        found: dict[int, int] = {}
        for job in done:
            assert job.result is not None
            backend = job.result["backend"]
            found[backend] = max(found.get(backend, 0), job.result["touched"])
        return found

    def test_are_fewer_where_workers_have_a_part(self, many: list[Organisation]) -> None:
        alike = self.touched(many, ["1/1", "1/1"])
        parted = self.touched(many, ["1/2", "2/2"])
        assert max(alike.values()) <= len(many)
        assert sum(parted.values()) < sum(alike.values())

    def test_everybody_is_served_where_one_worker_is_missing(self, many: list[Organisation]) -> None:
        """The first of two alone does the second's part as well."""
        alone = self.touched(many, ["1/2"])
        assert sum(alone.values()) >= len(many)
