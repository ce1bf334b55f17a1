"""Who may take which job: leases, tokens, and the limits of kinds and organisations."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID

import pytest
from django.db import connections
from django.utils import timezone

from jobs import registry
from jobs.actions import settling
from jobs.actions.running import Run, Surroundings
from jobs.actions.taking import MOST_LAPSES, Taken, take
from jobs.models import Job, from_now
from jobs.placing import resolve
from jobs.refusals import LeaseLost
from tenants.context import enter
from tenants.models import Organisation
from tests.jobs import kinds
from tests.jobs.lasting import ACTOR, ask, effects, now
from tests.workers import lasting


@pytest.fixture
def inside(pulse: Organisation) -> Iterator[Organisation]:
    """The organisation, entered."""
    with enter(pulse, actor=ACTOR):
        yield pulse


def taken() -> Taken:
    """Take a job that is there."""
    found = take(queue="app")
    assert found is not None
    return found


def let_lapse(job: Job) -> None:
    """Let the lease of a job lapse, as if its worker had not been heard of."""
    Job.objects.filter(pk=job.pk).update(leased_until=from_now(-1))


def run_of(what: Taken, organisation: Organisation) -> Run:
    """Return the run of a worker that took a job."""
    return Run(what, tenant=organisation.placement(), around=Surroundings(resolve=resolve, beats=False))


class TestALease:
    def test_keeps_others_away(self, inside: Organisation) -> None:
        ask(inside, items=1)
        assert taken().token == 1
        assert take(queue="app") is None

    def test_that_lapsed_lets_another_worker_take_over(self, inside: Organisation) -> None:
        job = ask(inside, items=1)
        let_lapse(taken().job)
        second = taken()
        assert (second.job.pk, second.token, second.job.lapses) == (job.pk, 2, 1)

    def test_is_renewed_by_each_chunk(self, inside: Organisation) -> None:
        ask(inside, items=1)
        mine = taken()
        let_lapse(mine.job)
        with run_of(mine, inside).chunk():
            pass
        assert now(mine.job, inside).leased_until > timezone.now()  # type: ignore[operator]  # it has one

    def test_lost_refuses_the_chunk_under_way(self, inside: Organisation) -> None:
        ask(inside, items=1)
        mine = taken()
        run = run_of(mine, inside)
        with pytest.raises(LeaseLost), run.chunk():
            kinds.effect("too late")
            run.checkpoint({"at": 1}, done=1)
            let_lapse(mine.job)
            taken()
        assert effects(inside) == []
        assert (now(mine.job, inside).done, run.state) == (0, {})

    def test_lost_refuses_the_next_chunk_and_the_ending(self, inside: Organisation) -> None:
        ask(inside, items=1)
        mine = taken()
        let_lapse(mine.job)
        taken()
        with pytest.raises(LeaseLost), run_of(mine, inside).chunk():
            raise AssertionError("not reached")
        for settle in (settling.give_back, settling.end_cancelled, settling.fail_for_now):
            with pytest.raises(LeaseLost):
                settle(mine, *(["x"] if settle is settling.fail_for_now else []))
        with pytest.raises(LeaseLost):
            settling.succeed(mine, {})

    def test_lapsing_again_and_again_without_progress_fails_the_job(self, inside: Organisation) -> None:
        job = ask(inside, items=1)
        for _ in range(MOST_LAPSES + 1):
            let_lapse(taken().job)
        assert take(queue="app") is None
        assert now(job, inside).state == "failed"

    def test_lapsing_is_forgiven_when_there_is_progress(self, inside: Organisation) -> None:
        ask(inside, items=1)
        let_lapse(taken().job)
        run_of(taken(), inside).checkpoint({"at": 1})
        assert Job.objects.get().lapses == 0


class TestLimits:
    def test_of_a_kind_hold(self, inside: Organisation) -> None:
        for _ in range(3):
            ask(inside, items=1)
        assert [take(queue="app") is not None for _ in range(3)] == [True, True, False]

    def test_of_an_organisation_hold(self, inside: Organisation, settings: Any) -> None:
        settings.JOBS_RUNNING_PER_ORGANISATION = 1
        ask(inside, items=1)
        ask(inside, "tests.fail", times=0, how="bug")
        assert [take(queue="app") is not None for _ in range(2)] == [True, False]

    def test_do_not_keep_a_lapsed_job_from_going_on(self, inside: Organisation) -> None:
        for _ in range(3):
            ask(inside, items=1)
        first = taken()
        taken()
        let_lapse(first.job)
        assert taken().job.pk == first.job.pk

    def test_of_a_queue_are_not_those_of_another(self, inside: Organisation) -> None:
        ask(inside, items=1)
        assert take(queue="owner") is None


class TestManyTakers:
    def test_keep_the_limit_exactly(self, running_servers: None) -> None:
        organisation = lasting()
        for _ in range(10):
            ask(organisation, items=1)

        def take_one(_: int) -> UUID | None:
            try:
                with enter(organisation, actor=ACTOR):
                    found = take(queue="app")
                return found.job.pk if found else None
            finally:
                connections.close_all()

        with ThreadPoolExecutor(8) as threads:
            got = [pk for pk in threads.map(take_one, range(16)) if pk is not None]
        assert len(got) == len(set(got)) == 2


class TestKindsThatStayQueued:
    def test_are_the_unknown(self, inside: Organisation) -> None:
        ask(inside, items=1)
        registry.forget("tests.items")
        assert take(queue="app") is None

    def test_are_the_newer_than_this_release(self, inside: Organisation) -> None:
        job = ask(inside, items=1)
        Job.objects.filter(pk=job.pk).update(payload_version=2)
        assert take(queue="app") is None

    def test_are_the_closed(self, inside: Organisation, settings: Any) -> None:
        ask(inside, items=1)
        settings.JOB_CLOSED_KINDS = ("tests.items",)
        assert take(queue="app") is None
        settings.JOB_CLOSED_KINDS = ()
        assert take(queue="app") is not None

    def test_are_not_the_older_whose_payload_is_brought_up(self, inside: Organisation) -> None:
        ask(inside, items=1)
        registry.forget("tests.items")
        registry.kind(
            "tests.items", version=2, upgrade=lambda payload, version: {**payload, "from": version}
        )(kinds.items)
        assert run_of(taken(), inside).payload == {"items": 1, "from": 1}
