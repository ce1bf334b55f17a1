"""What reaches a worker: only our own messages, fairly, and only for organisations that may work."""

import time
from collections.abc import Iterator
from uuid import uuid4

import pytest
from celery import current_app

from jobs import bells
from jobs.actions import cancel
from jobs.models import Job
from jobs.signing import HEADER, is_genuine, signed
from tenants.context import enter
from tenants.models import Organisation
from tenants.placement import State
from tests import workers
from tests.jobs.lasting import ACTOR, KINDS, ask, effects, ended, now, wait_for_state


@pytest.fixture(scope="module")
def one_worker(running_servers: None) -> Iterator[workers.Started]:
    """One worker without a beat: only bells wake it."""
    with workers.worker(include=KINDS) as started:
        yield started


@pytest.fixture(scope="module")
def organisation(one_worker: workers.Started) -> Organisation:
    """An organisation of these tests' own; each leaves it without jobs under way."""
    return workers.lasting()


@pytest.fixture
def at_work(organisation: Organisation) -> Iterator[None]:
    """Let it work again after a test that suspends it, however that ends."""
    yield
    organisation.move_to(State.ACTIVE, reason="test")


@pytest.fixture(scope="module")
def quiet(one_worker: workers.Started) -> Organisation:
    """Another one, on the other shard."""
    return workers.lasting(shard="shard_2")


def send(organisation_id: str, headers: dict[str, str]) -> None:
    """Put a message for a worker into the broker, as somebody could who can write there."""
    arguments = {"organisation_id": organisation_id, "queue": "app"}
    current_app.send_task(bells.WORK, kwargs=arguments, queue="jobs.0", headers=headers)


class TestASignature:
    def test_holds_for_one_task_and_its_arguments(self) -> None:
        signature = signed("a", {"x": 1})[HEADER]
        assert is_genuine("a", {"x": 1}, signature)
        assert not is_genuine("b", {"x": 1}, signature)
        assert not is_genuine("a", {"x": 2}, signature)
        assert not is_genuine("a", {"x": 1, "y": 1}, signature)
        assert not is_genuine("a", {"x": 1}, None)

    @pytest.mark.parametrize("kind", ["none", "wrong", "of another organisation"])
    def test_is_demanded_by_the_worker(
        self, organisation: Organisation, one_worker: workers.Started, kind: str
    ) -> None:
        headers = {
            "none": {},
            "wrong": {HEADER: "x" * 43},
            "of another organisation": signed(bells.WORK, {"organisation_id": str(uuid4()), "queue": "app"}),
        }[kind]
        before = one_worker.said().count("was dropped")
        send(str(organisation.pk), headers)
        workers.wait_for(lambda: one_worker.said().count("was dropped") > before, seconds=10)

    def test_of_ours_is_enough(self, organisation: Organisation) -> None:
        assert ended(ask(organisation, items=1), organisation).state == "succeeded"


class TestAWorker:
    @pytest.mark.parametrize("many", [100, pytest.param(400, marks=pytest.mark.nightly)])
    def test_does_not_begin_with_all_jobs_of_the_busiest(
        self, organisation: Organisation, quiet: Organisation, many: int
    ) -> None:
        with enter(organisation, actor=ACTOR):
            jobs = [ask(organisation, items=1, pause=0.02) for _ in range(many)]
        wait_for_state(jobs[0], organisation, lambda row: row.has_ended)
        began = time.monotonic()
        ended(ask(quiet, items=1), quiet)
        assert time.monotonic() - began < 3
        with enter(organisation, actor=ACTOR):
            waiting = Job.objects.filter(state="queued")
            assert waiting.count() > many / 4
            # Let the next test have the worker.
            waiting.update(state="cancelled", ended_at=jobs[0].created_at)

    @pytest.mark.usefixtures("at_work")
    def test_leaves_the_jobs_of_a_suspended_organisation(
        self, organisation: Organisation, quiet: Organisation
    ) -> None:
        organisation.move_to(State.SUSPENDED, reason="test")
        # Whoever looked it up a moment before takes what was asked for until now.
        time.sleep(0.5)
        job = ask(organisation, items=1)
        ended(ask(quiet, items=1), quiet)
        time.sleep(0.3)
        assert now(job, organisation).state == "queued"
        organisation.move_to(State.ACTIVE, reason="test")
        bells.ring(organisation.pk, "app")
        assert ended(job, organisation).state == "succeeded"

    @pytest.mark.usefixtures("at_work")
    def test_stops_between_two_chunks_when_the_organisation_is_suspended(
        self, organisation: Organisation
    ) -> None:
        job = ask(organisation, items=200, pause=0.02)
        wait_for_state(job, organisation, lambda row: row.done > 1)
        organisation.move_to(State.SUSPENDED, reason="test")
        wait_for_state(job, organisation, lambda row: row.state == "queued")
        assert 1 < now(job, organisation).done < 200
        organisation.move_to(State.ACTIVE, reason="test")
        with enter(organisation, actor=ACTOR):
            cancel(job=job, at=job.created_at)

    def test_cancels_after_the_chunk_under_way(self, organisation: Organisation) -> None:
        before = len(effects(organisation))
        job = ask(organisation, items=500, pause=0.02)
        wait_for_state(job, organisation, lambda row: row.done > 1)
        with enter(organisation, actor=ACTOR):
            cancel(job=job, at=job.created_at)
        cancelled = ended(job, organisation)
        assert cancelled.state == "cancelled"
        assert len(effects(organisation)) - before == cancelled.done < 500

    def test_keeps_its_lease_while_it_is_busy(self, organisation: Organisation) -> None:
        job = ask(organisation, "tests.wait", seconds=3)
        assert ended(job, organisation).state == "succeeded"
        assert now(job, organisation).lease_token == 1
