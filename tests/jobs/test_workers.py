"""Real workers that are killed, frozen and cut off: every item is processed exactly once."""

import random
import signal
import time
from collections.abc import Iterator
from functools import partial

import pytest
from redis import Redis

from config.embedded.ports import free_port
from config.embedded.redis import RedisServer
from jobs.models import Job
from tenants.models import Organisation
from tests import workers
from tests.jobs.lasting import KINDS, ask, effects, ended, now, wait_for_state
from tests.servers import FOLDER


@pytest.fixture(scope="module")
def running_beat(running_servers: None) -> Iterator[None]:
    """One beat for all of these tests."""
    with workers.beat():
        yield


@pytest.fixture
def organisation(running_beat: None) -> Organisation:
    """An organisation of the test's own, on the second shard."""
    return workers.lasting(shard="shard_2")


def has_more(job: Job, organisation: Organisation, before: int) -> bool:
    """Return whether more is done than before."""
    return now(job, organisation).done > before


class TestKilledWorkers:
    @pytest.mark.parametrize("kills", [1, pytest.param(25, marks=pytest.mark.nightly)])
    def test_process_every_item_exactly_once(self, organisation: Organisation, kills: int) -> None:
        count = 60 * (kills + 1)
        job = ask(organisation, items=count, each=3, pause=0.02)
        for _ in range(kills):
            before = now(job, organisation).done
            with workers.worker(include=KINDS):
                workers.wait_for(partial(has_more, job, organisation, before), seconds=30, every=0.02)
                time.sleep(random.uniform(0, 0.1))
        self.let_one_be_replaced(job, organisation)
        with workers.worker(include=KINDS):
            assert ended(job, organisation, seconds=30 + count * 0.05).state == "succeeded"
        assert effects(organisation) == [f"item {number}" for number in range(count)]

    def let_one_be_replaced(self, job: Job, organisation: Organisation) -> None:
        """Stop a worker as a deployment does: it gives the job back between two chunks."""
        before = now(job, organisation)
        with workers.worker(include=KINDS, pool="prefork") as stopped:
            workers.wait_for(partial(has_more, job, organisation, before.done), seconds=30, every=0.02)
            stopped.stop()
        left = now(job, organisation)
        assert (left.state, left.attempts) == ("queued", 0)
        assert before.done < left.done < left.total  # type: ignore[operator]  # it has a total


def is_frozen(worker: workers.Started) -> bool:
    """Return whether the kernel says that the process is stopped."""
    with open(f"/proc/{worker.process.pid}/stat") as stat:
        return stat.read().rpartition(")")[2].split()[0] == "T"


class TestAFrozenWorker:
    @pytest.mark.parametrize(
        "timeout", [False, pytest.param(True, marks=pytest.mark.nightly)], ids=["token", "timeout"]
    )
    def test_commits_nothing_after_another_took_over(self, organisation: Organisation, timeout: bool) -> None:
        job = ask(organisation, "tests.freeze", timeout=timeout)
        with workers.worker(include=KINDS) as frozen:
            workers.wait_for(lambda: is_frozen(frozen), seconds=20)
            with workers.worker(include=KINDS):
                assert ended(job, organisation).result == {"by": "second"}
            frozen.send(signal.SIGCONT)
            workers.wait_for(lambda: "was left" in frozen.said(), seconds=20)
            assert effects(organisation) == ["by the second worker"]
            # And it is of use again.
            assert ended(ask(organisation, items=1), organisation).state == "succeeded"


class TestTheOwnersWorker:
    def test_makes_an_index_and_writes_as_the_organisation(self, organisation: Organisation) -> None:
        job = ask(organisation, "tests.index")
        with workers.worker(include=KINDS, queues="owner", environment={"ENCLAVE_LOGIN": "owner"}) as owner:
            assert ended(job, organisation).state == "succeeded", owner.said()
        assert effects(organisation) == ["indexed"]


@pytest.mark.nightly
class TestRedis:
    def test_may_be_flushed_and_stopped_without_losing_a_job(self, running_servers: None) -> None:
        organisation = workers.lasting()
        server = RedisServer(FOLDER / "other-redis", free_port(), "another")
        own = {"REDIS_URL": server.url}
        # Bells of this process ring at the other server, where nobody hears them.
        with server.running(), workers.beat(environment=own), workers.worker(include=KINDS, environment=own):
            first = ask(organisation, items=40, pause=0.02)
            wait_for_state(first, organisation, lambda row: row.done > 3)
            Redis.from_url(server.url).flushall()
            server.stop()
            second = ask(organisation, items=3)
            assert ended(first, organisation).state == "succeeded"
            assert now(second, organisation).state == "queued"
            server.start()
            assert ended(second, organisation, seconds=60).state == "succeeded"
        assert effects(organisation)[-1] == "item 2"
        assert len(effects(organisation)) == 43
