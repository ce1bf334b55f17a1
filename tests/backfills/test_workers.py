"""Backfills by real workers: killed again and again, and held up by somebody who holds a lock."""

import threading
import time
from collections.abc import Iterator

import psycopg
import pytest

from jobs.models import Backfilled, Job
from operations.backfills.asking import ask
from tenants.context import Actor, enter
from tenants.models import Organisation
from tests import servers, workers
from tests.backfills.kinds import NAME, SLOW
from tests.backfills.test_filling import job_of, speakers
from tests.rooms.gear.models import Speaker

ACTOR = Actor.system("test")
KINDS = "tests.backfills.for_workers"


@pytest.fixture(scope="module")
def running_beat(running_servers: None) -> Iterator[None]:
    """One beat for all of these tests."""
    with workers.beat():
        yield


@pytest.fixture
def organisation(running_beat: None) -> Organisation:
    """An organisation of the test's own, committed."""
    return workers.lasting(shard="shard_2")


def assert_each_once(organisation: Organisation) -> None:
    """Fail if a row was left, or filled twice."""
    with enter(organisation, actor=ACTOR):
        wrong = [one.notes for one in Speaker.objects.all() if one.notes != f"note of {one.name}"]
        assert wrong == []
        assert Backfilled.objects.count() == 1


@pytest.mark.nightly
class TestKilled:
    def test_again_and_again_every_row_is_filled_exactly_once(self, organisation: Organisation) -> None:
        speakers(organisation, 6_000)
        ask(organisation.placement(), SLOW)
        for _ in range(8):
            before = job_of(organisation).done
            with workers.worker(include=KINDS):
                workers.wait_for(
                    lambda before=before: (
                        job_of(organisation).done > before  # type: ignore[misc]  # bound now
                        or job_of(organisation).has_ended
                    ),
                    seconds=60,
                )
                time.sleep(0.1)
            if job_of(organisation).has_ended:
                break
        with workers.worker(include=KINDS):
            workers.wait_for(lambda: job_of(organisation).has_ended, seconds=120)
        job = job_of(organisation)
        assert (job.state, job.result) == ("succeeded", {"filled": 6_000})
        assert_each_once(organisation)


@pytest.mark.nightly
class TestStrain:
    def test_pauses_while_others_wait_for_a_lock_and_goes_on_after(self, organisation: Organisation) -> None:
        """Somebody holds a table, somebody else waits for it: the backfill, of other rows, makes room."""
        speakers(organisation, 50)
        assert servers.POSTGRES is not None
        url = servers.POSTGRES.superuser_url("shard_2")
        table = f"{organisation.schema_name}.records_collection".encode()
        with psycopg.connect(url) as holder, psycopg.connect(url) as waiter:
            holder.execute(b"LOCK TABLE " + table + b" IN ACCESS EXCLUSIVE MODE")
            waiting = threading.Thread(target=waiter.execute, args=(b"SELECT count(*) FROM " + table,))
            waiting.start()
            time.sleep(1.5)
            ask(organisation.placement(), NAME)
            with workers.worker(include=KINDS):
                workers.wait_for(lambda: "busy" in job_of(organisation).note, seconds=60)
                with enter(organisation, actor=ACTOR):
                    assert Speaker.objects.filter(notes="").count() == 50
                    assert Job.objects.get(pk=job_of(organisation).pk).attempts == 0
                holder.rollback()
                waiting.join()
                workers.wait_for(lambda: job_of(organisation).state == "succeeded", seconds=60)
        assert_each_once(organisation)


@pytest.mark.nightly
class TestRowsInUse:
    def test_are_waited_for_in_small_steps(self, organisation: Organisation) -> None:
        speakers(organisation, 50)
        assert servers.POSTGRES is not None
        with psycopg.connect(servers.POSTGRES.superuser_url("shard_2")) as holder:
            table = f"{organisation.schema_name}.gear_speaker".encode()
            holder.execute(b"SELECT * FROM " + table + b" WHERE serial = 'S7' FOR UPDATE")
            ask(organisation.placement(), NAME)
            with workers.worker(include=KINDS):
                # It is given back, not failed, and its rows are as they were.
                workers.wait_for(
                    lambda: job_of(organisation).state == "queued" and job_of(organisation).lease_token > 0,
                    seconds=60,
                )
                assert job_of(organisation).attempts == 0
                holder.rollback()
                workers.wait_for(lambda: job_of(organisation).state == "succeeded", seconds=60)
        assert_each_once(organisation)
