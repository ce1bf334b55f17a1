"""A job from asking to ending, in one process."""

from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.db.models import F
from django.utils import timezone

from audit.models import Event
from audit.queries import Filters, page
from audit.sentences import say
from jobs import bells, registry
from jobs.actions import Run, cancel, enqueue, retry
from jobs.actions.enqueueing import PayloadTooLarge
from jobs.actions.running import Surroundings
from jobs.actions.working import work
from jobs.models import Job, JobState
from jobs.placing import resolve
from jobs.refusals import JobHasEnded, JobNotFailed
from jobs.registry import UnknownKind
from jobs.testing import run_due
from tenants.context import enter
from tenants.models import Organisation
from tenants.placement import State, Tenant
from tests.jobs import kinds
from tests.jobs.lasting import ACTOR, ask, effects, now


def one_turn(organisation: Organisation, around: Surroundings) -> None:
    """Let a worker with these surroundings take one job."""
    work(organisation.placement(), queue="app", around=around)


class TestAJob:
    @pytest.mark.parametrize("name", ["pulse", "tide"])
    def test_runs_on_either_shard(self, name: str, request: pytest.FixtureRequest) -> None:
        organisation: Organisation = request.getfixturevalue(name)
        job = ask(organisation, items=5, each=2)
        assert run_due(organisation) == [job.pk]
        ended = now(job, organisation)
        assert (ended.state, ended.result, ended.done, ended.total) == ("succeeded", {"items": 5}, 5, 5)
        assert effects(organisation) == [f"item {number}" for number in range(5)]

    def test_waits_until_it_is_due(self, pulse: Organisation) -> None:
        with enter(pulse, actor=ACTOR):
            enqueue(
                "tests.items",
                payload={"items": 1},
                label="Later",
                by=None,
                due=timezone.now() + timedelta(hours=1),
            )
        assert run_due(pulse) == []
        assert len(run_due(pulse, soon=timedelta(hours=2))) == 1

    def test_needs_a_kind_that_somebody_does(self, pulse: Organisation) -> None:
        with enter(pulse, actor=ACTOR), pytest.raises(UnknownKind):
            enqueue("tests.unknown", payload={}, label="", by=None)

    def test_carries_no_data(self, pulse: Organisation) -> None:
        with enter(pulse, actor=ACTOR), pytest.raises(PayloadTooLarge):
            enqueue("tests.items", payload={"text": "x" * 20_000}, label="", by=None)

    def test_is_in_the_trail_without_its_steps(self, pulse: Organisation) -> None:
        job = ask(pulse, items=5)
        run_due(pulse)
        with enter(pulse, actor=ACTOR):
            codes = Event.objects.filter(object_id=job.pk).order_by("eid").values_list("code", flat=True)
            assert list(codes) == ["jobs.job.added", "jobs.job.changed", "jobs.job.changed"]

    def test_is_in_the_trail_in_words(self, pulse: Organisation) -> None:
        job = ask(pulse, "tests.fail", times=1, how="refusal")
        run_due(pulse)
        with enter(pulse, actor=ACTOR):
            retry(job=job)
            cancel(job=job, at=timezone.now())
            entries = page(Filters(object_id=job.pk)).entries
            assert [one.sentence for one in say(entries)] == [
                "test stopped: A test",
                "test had it go on: A test",
                "A test: failed",
                "A test: begun",
                "test asked for: A test",
            ]

    def test_is_asked_for_though_redis_does_not_answer(self, pulse: Organisation, settings: Any) -> None:
        settings.REDIS_URL = "redis://127.0.0.1:1/0"
        bells.store.cache_clear()
        try:
            assert bells.ring(pulse.pk, "app") is False
        finally:
            bells.store.cache_clear()


class TestAFailure:
    def test_is_tried_again_until_it_works(self, pulse: Organisation) -> None:
        job = ask(pulse, "tests.fail", times=2, how="later")
        run_due(pulse)
        assert now(job, pulse).result == {"attempt": 3}

    def test_waits_longer_each_time(self, pulse: Organisation) -> None:
        job = ask(pulse, "tests.fail", times=3, how="later")
        run_due(pulse)
        waiting = now(job, pulse)
        assert (waiting.state, waiting.attempts, waiting.error) == ("queued", 3, "secret detail")
        assert waiting.due_at > timezone.now() + timedelta(minutes=50)

    def test_ends_after_the_last_attempt(self, pulse: Organisation) -> None:
        job = ask(pulse, "tests.fail", times=9, how="later")
        run_due(pulse, soon=timedelta(hours=2))
        assert (now(job, pulse).state, now(job, pulse).attempts) == ("failed", 5)

    def test_of_ours_shows_a_reference_and_no_detail(self, pulse: Organisation) -> None:
        job = ask(pulse, "tests.fail", times=9, how="bug")
        run_due(pulse)
        assert "went wrong on our side" in now(job, pulse).error
        assert "secret" not in now(job, pulse).error

    def test_by_a_rule_is_final(self, pulse: Organisation) -> None:
        job = ask(pulse, "tests.fail", times=9, how="refusal")
        run_due(pulse)
        assert (now(job, pulse).state, now(job, pulse).error) == ("failed", "secret detail")

    def test_may_be_tried_again_by_a_person(self, pulse: Organisation) -> None:
        job = ask(pulse, "tests.fail", times=0, how="bug")
        with enter(pulse, actor=ACTOR):
            cancel(job=job, at=timezone.now())
            retry(job=job)
            with pytest.raises(JobNotFailed):
                retry(job=job)
        run_due(pulse)
        assert now(job, pulse).state == "succeeded"

    def test_in_a_chunk_undoes_the_chunk_and_no_other(self, pulse: Organisation) -> None:
        def half(run: Run) -> None:
            with run.chunk():
                kinds.effect(f"kept {run.attempt}")
                run.checkpoint({"at": 1}, done=1)
            with run.chunk():
                kinds.effect("lost")
                run.checkpoint({"at": 2}, done=2)
                raise ValueError

        registry.kind("tests.half", delays=(3600,))(half)
        try:
            job = ask(pulse, "tests.half")
            run_due(pulse)
        finally:
            registry.forget("tests.half")
        assert effects(pulse) == ["kept 1"]
        assert (now(job, pulse).checkpoint, now(job, pulse).done) == ({"at": 1}, 1)


class TestCancelling:
    def test_what_waits_ends_it_at_once(self, pulse: Organisation) -> None:
        job = ask(pulse, items=1)
        with enter(pulse, actor=ACTOR):
            assert cancel(job=job, at=timezone.now()).state == JobState.CANCELLED
            with pytest.raises(JobHasEnded):
                cancel(job=job, at=timezone.now())
        assert run_due(pulse) == []

    def test_what_runs_ends_it_at_the_next_chunk(self, pulse: Organisation) -> None:
        job = ask(pulse, items=5)

        def cancel_it() -> bool:
            with enter(pulse, actor=ACTOR):
                if Job.objects.get(pk=job.pk).done == 2:
                    cancel(job=job, at=timezone.now())
            return False

        one_turn(pulse, Surroundings(resolve=resolve, stopping=cancel_it, beats=False))
        assert now(job, pulse).state == "cancelled"
        assert effects(pulse) == ["item 0", "item 1"]


class TestMakingRoom:
    def test_happens_when_the_worker_stops(self, pulse: Organisation) -> None:
        job = ask(pulse, items=5)
        answers = iter([False, False, True])
        one_turn(pulse, Surroundings(resolve=resolve, stopping=lambda: next(answers), beats=False))
        left = now(job, pulse)
        assert (left.state, left.done, left.attempts) == ("queued", 2, 0)
        run_due(pulse)
        assert effects(pulse) == [f"item {number}" for number in range(5)]

    def test_happens_when_others_wait_for_long(self, pulse: Organisation, settings: Any) -> None:
        settings.JOB_TURN_SECONDS = 0
        job = ask(pulse, items=3, pause=1.05)
        one_turn(pulse, Surroundings(resolve=resolve, others_wait=lambda: True, beats=False))
        assert (now(job, pulse).state, now(job, pulse).done) == ("queued", 1)

    def test_happens_when_the_organisation_is_suspended(self, pulse: Organisation) -> None:
        job = ask(pulse, items=3, pause=1.05)
        suspended = Surroundings(resolve=lambda pk: _in_state(pulse, State.SUSPENDED), beats=False)
        one_turn(pulse, suspended)
        assert (now(job, pulse).state, now(job, pulse).done) == ("queued", 1)


class TestMoving:
    """The organisation moves while a worker has a job of it, and the row of the job moves along."""

    def test_the_worker_goes_on_where_it_lives_by_now(self, pulse: Organisation) -> None:
        job = ask(pulse, items=3, pause=1.05)
        looked: list[Tenant] = []

        def look(_: UUID) -> Tenant:
            looked.append(replace(pulse.placement(), epoch=2))
            return looked[-1]

        one_turn(pulse, Surroundings(resolve=look, beats=False))
        assert looked
        assert (now(job, pulse).state, now(job, pulse).done) == ("succeeded", 3)
        assert effects(pulse) == ["item 0", "item 1", "item 2"]

    def test_the_worker_leaves_a_job_that_the_move_gave_free(self, pulse: Organisation) -> None:
        job = ask(pulse, items=3, pause=1.05)

        def look(_: UUID) -> Tenant:
            with enter(pulse, actor=ACTOR):
                free = Job.objects.filter(pk=job.pk)
                free.update(state="queued", leased_until=None, lease_token=F("lease_token") + 1)
            return pulse.placement()

        one_turn(pulse, Surroundings(resolve=look, beats=False))
        assert (now(job, pulse).state, now(job, pulse).done) == ("queued", 1)
        assert effects(pulse) == ["item 0"]
        run_due(pulse)
        assert effects(pulse) == ["item 0", "item 1", "item 2"]


def _in_state(organisation: Organisation, state: State) -> Tenant:
    return replace(organisation.placement(), state=state)
