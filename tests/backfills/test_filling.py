"""A backfill in one organisation: in batches, once each, and done when nothing is left to do."""

from uuid import UUID

import pytest
from django.db.models import Q, QuerySet

from audit.models import Event
from jobs.backfills import registry, running
from jobs.backfills.sizing import FEWEST, MOST, Size
from jobs.backfills.strain import Load, load_of
from jobs.models import Backfilled, Job, JobState
from jobs.testing import run_due
from operations.backfills.asking import ask
from operations.models import Progress
from tenants.context import Actor, enter
from tenants.models import Organisation
from tests.backfills.kinds import LAZY, NAME
from tests.rooms.gear.models import Speaker

ACTOR = Actor.system("test")
QUIET = Load(waiting=0, longest_wait_ms=0, connections=1, most_connections=100, unsent_bytes=0)


def speakers(organisation: Organisation, count: int) -> None:
    """Add loudspeakers without notes."""
    with enter(organisation, actor=ACTOR):
        Speaker.objects.bulk_create(Speaker(name=f"box {n}", serial=f"S{n}") for n in range(count))


def job_of(organisation: Organisation) -> Job:
    """Return the last job of an organisation's backfills."""
    with enter(organisation, actor=ACTOR):
        return Job.objects.filter(kind=running.KIND).latest("id")


class TestFilling:
    def test_fills_every_row_once_and_says_so_in_the_schema(self, pulse: Organisation) -> None:
        speakers(pulse, 450)
        assert ask(pulse.placement(), NAME).state is Progress.RUNNING
        run_due(pulse)
        job = job_of(pulse)
        assert (job.state, job.result, job.done, job.total) == ("succeeded", {"filled": 450}, 450, 450)
        with enter(pulse, actor=ACTOR):
            assert all(one.notes == f"note of {one.name}" for one in Speaker.objects.all())
            assert Backfilled.objects.get().rows == 450
        assert ask(pulse.placement(), NAME).state is Progress.DONE

    def test_leaves_what_is_filled_already(self, pulse: Organisation) -> None:
        speakers(pulse, 3)
        with enter(pulse, actor=ACTOR):
            Speaker.objects.filter(name="box 1").update(notes="by hand")
        ask(pulse.placement(), NAME)
        run_due(pulse)
        with enter(pulse, actor=ACTOR):
            assert Speaker.objects.get(name="box 1").notes == "by hand"

    def test_the_trail_names_the_backfill(self, pulse: Organisation) -> None:
        speakers(pulse, 2)
        ask(pulse.placement(), NAME)
        run_due(pulse)
        with enter(pulse, actor=ACTOR):
            changed = Event.objects.filter(code="gear.speaker.changed")
            assert changed.count() == 2
            assert all("Backfill: Fill notes" in str(one.payload) for one in changed)

    def test_a_function_that_does_not_do_its_work_is_found_out(self, pulse: Organisation) -> None:
        speakers(pulse, 2)
        ask(pulse.placement(), LAZY)
        run_due(pulse)
        assert job_of(pulse).attempts == 1
        with enter(pulse, actor=ACTOR):
            assert not Backfilled.objects.exists()

    def test_rows_that_come_behind_its_back_are_found(self, pulse: Organisation) -> None:
        """The release before adds rows without it while this one fills them."""
        speakers(pulse, 201)  # one more than the first batch

        def with_a_late_one(rows: QuerySet[Speaker]) -> int:
            if rows.count() == 1 and not Speaker.objects.filter(serial="late").exists():
                Speaker.objects.create(pk=UUID(int=1), name="late", serial="late")
            return rows.update(notes="filled")

        registry.forget(NAME)
        registry.backfill(NAME, model=Speaker, since="gear.0001_initial", todo=Q(notes=""))(with_a_late_one)
        ask(pulse.placement(), NAME)
        run_due(pulse)
        with enter(pulse, actor=ACTOR):
            assert not Speaker.objects.filter(notes="").exists()
            assert Speaker.objects.get(name="late").notes == "filled"

    def test_one_of_another_release_waits(self, pulse: Organisation) -> None:
        ask(pulse.placement(), NAME)
        registry.forget(NAME)
        run_due(pulse)
        job = job_of(pulse)
        assert (job.state, job.attempts) == (JobState.QUEUED, 0)


class TestStrain:
    def test_is_said_in_words(self) -> None:
        assert QUIET.strain() == ""
        assert "wait for locks" in Load(1, 1_500, 1, 100, 0).strain()
        assert "connections" in Load(0, 0, 90, 100, 0).strain()
        assert "behind" in Load(0, 0, 1, 100, 10**9).strain()
        assert "commit" in QUIET.strain(commit_seconds=0.9)

    def test_is_measured_by_the_application_itself(self, pulse: Organisation) -> None:
        load = load_of("shard_1")
        assert 0 < load.connections < load.most_connections

    def test_gives_the_job_back_and_says_why(
        self, pulse: Organisation, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        speakers(pulse, 2)
        busy = Load(waiting=3, longest_wait_ms=5_000, connections=1, most_connections=100, unsent_bytes=0)
        monkeypatch.setattr(running, "load_of", lambda alias: busy)
        monkeypatch.setattr(running, "_PATIENCE_SECONDS", 0.0)
        ask(pulse.placement(), NAME)
        run_due(pulse)
        job = job_of(pulse)
        assert (job.state, job.attempts) == ("queued", 0)
        assert job.note == "Paused: the database is busy (3 wait for locks)"


class TestSize:
    def test_follows_the_time_within_bounds(self) -> None:
        size = Size(200)
        size.took(0.1)
        assert size.rows == 400
        size.took(10)
        assert size.rows == 100
        for _ in range(20):
            size.took(0.001)
        assert size.rows == MOST
        while size.failed():
            pass
        assert size.rows == FEWEST
