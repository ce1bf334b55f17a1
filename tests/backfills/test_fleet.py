"""Backfills of the fleet: a few organisations at once, paused and resumed, and none stops another."""

import pytest
from django.core.management import CommandError, call_command

from jobs.models import Job
from jobs.testing import run_due
from operations.actions.backfills import NotStarted, WrongPause, pause, resume, share_of, start
from operations.actions.provisioning import Wish, provision
from operations.backfills import admitting
from operations.backfills.asking import ask
from operations.models import Backfill, BackfillState, OperatorAct, Progress
from tenants.context import Actor, enter
from tenants.models import Organisation
from tests.backfills.kinds import LAZY, NAME
from tests.backfills.test_filling import job_of, speakers

ACTOR = Actor.system("test")
REASON = "It is a test"
# Rooms before this one have left organisations, some of them suspended: more rounds than these need.
ROUNDS = 20
MINE = ("pulse", "tide", "more-0", "more-1", "more-2")


@pytest.fixture
def others(db: None) -> list[Organisation]:
    """Three more organisations on the first shard."""
    wishes = [Wish(f"more-{n}", f"More {n}", f"o@more{n}.example", "O", shard="shard_1") for n in range(3)]
    return [provision(wish) for wish in wishes]


def states(name: str = NAME, **wanted: object) -> dict[str, str]:
    """Return the state of each organisation."""
    found = BackfillState.objects.filter(backfill__name=name, **wanted)
    return dict(found.values_list("organisation__slug", "state"))


def begun(name: str = NAME) -> Backfill:
    """Start a backfill."""
    return start(name=name, reason=REASON, by=None)


class TestAdmission:
    def test_lets_few_of_each_shard_begin_and_then_the_next(
        self, pulse: Organisation, others: list[Organisation]
    ) -> None:
        begun()
        admitting.sweep()
        running = BackfillState.objects.filter(state=Progress.RUNNING).select_related("organisation")
        assert [one.organisation.shard_id for one in running].count("shard_1") == admitting.AT_ONCE
        admitting.sweep()
        assert running.filter(organisation__shard_id="shard_1").count() == admitting.AT_ONCE
        first = running.filter(organisation__shard_id="shard_1")[0]
        run_due(first.organisation)
        # Whoever is done lets the next one begin, without waiting for the sweep.
        assert states()[str(first.organisation.slug)] == Progress.DONE
        assert running.filter(organisation__shard_id="shard_1").count() == admitting.AT_ONCE

    def test_all_are_done_at_last(
        self, pulse: Organisation, tide: Organisation, others: list[Organisation]
    ) -> None:
        speakers(pulse, 5)
        backfill = begun()
        for _ in range(ROUNDS):
            admitting.sweep()
            for state in BackfillState.objects.filter(state=Progress.RUNNING).select_related("organisation"):
                run_due(state.organisation)
        assert {states()[slug] for slug in MINE} == {Progress.DONE}
        share, done = share_of(backfill), [*states().values()].count(Progress.DONE)
        assert (share.done, share.percent) == (done, 100 * done // share.organisations)
        assert BackfillState.objects.get(organisation=pulse).done == 5

    def test_one_that_fails_stops_nobody(
        self, pulse: Organisation, tide: Organisation, others: list[Organisation]
    ) -> None:
        begun(LAZY)
        speakers(pulse, 1)
        ask(pulse.placement(), LAZY)
        with enter(pulse, actor=ACTOR):
            Job.objects.update(max_attempts=1)
        for _ in range(ROUNDS):
            admitting.sweep()
            for state in BackfillState.objects.filter(state=Progress.RUNNING).select_related("organisation"):
                run_due(state.organisation)
        found = states(LAZY)
        assert found.pop("pulse") == Progress.FAILED
        assert {found[slug] for slug in MINE if slug != "pulse"} == {Progress.DONE}
        assert "Something went wrong" in BackfillState.objects.get(organisation=pulse).error

    def test_whoever_has_not_had_the_migration_waits(
        self, pulse: Organisation, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(admitting, "_since", lambda backfill: ["gear", "0009_later"])
        begun()
        admitting.sweep()
        assert set(states().values()) == {Progress.WAITING}
        assert BackfillState.objects.get(organisation=pulse).note.startswith("Waits for the migration")

    @pytest.mark.parametrize("state", ["suspended", "leaving"])
    def test_whose_data_stands_still_waits(self, pulse: Organisation, state: str) -> None:
        Organisation.objects.filter(pk=pulse.pk).update(state=state)
        begun()
        admitting.sweep()
        assert states()["pulse"] == Progress.WAITING

    def test_one_job_however_often_it_is_asked_for(self, pulse: Organisation) -> None:
        for _ in range(3):
            ask(pulse.placement(), NAME)
        with enter(pulse, actor=ACTOR):
            assert Job.objects.count() == 1


class TestPause:
    def test_holds_those_that_run_and_lets_nobody_begin(self, pulse: Organisation) -> None:
        backfill = begun()
        admitting.sweep()
        pause(backfill=backfill, reason="Too loud now", by=None)
        speakers(pulse, 3)
        run_due(pulse)
        job = job_of(pulse)
        assert (job.state, job.note) == ("queued", "Paused: by an operator: Too loud now")
        resume(backfill=backfill, reason="Quiet again", by=None)
        run_due(pulse)
        assert states()["pulse"] == Progress.DONE
        assert list(OperatorAct.objects.order_by("at").values_list("act", "reason")) == [
            ("started", REASON),
            ("paused", "Too loud now"),
            ("resumed", "Quiet again"),
        ]

    def test_of_one_organisation_leaves_the_others(self, pulse: Organisation, tide: Organisation) -> None:
        backfill = begun()
        pause(backfill=backfill, reason=REASON, by=None, only="pulse")
        admitting.sweep()
        assert (states()["pulse"], states()["tide"]) == (Progress.PAUSED, Progress.RUNNING)
        resume(backfill=backfill, reason=REASON, by=None, only="pulse")
        assert states()["pulse"] == Progress.WAITING

    def test_what_makes_no_sense_is_refused(self, pulse: Organisation) -> None:
        with pytest.raises(NotStarted):
            begun("gear.nothing")
        backfill = begun()
        with pytest.raises(WrongPause):
            resume(backfill=backfill, reason=REASON, by=None)
        with pytest.raises(WrongPause):
            begun()


class TestCommand:
    def test_starts_shows_pauses_and_resumes(
        self, pulse: Organisation, tide: Organisation, capsys: pytest.CaptureFixture[str]
    ) -> None:
        call_command("backfill", NAME, only="pulse")
        assert states()["tide"] == Progress.PAUSED
        call_command("backfill", NAME, resume=True, reason=REASON)
        assert states()["tide"] == Progress.WAITING
        call_command("backfill", NAME, pause=True, reason=REASON)
        call_command("backfill", NAME, status=True)
        said = capsys.readouterr().out
        assert "0 failed. Paused." in said
        assert "tide: waiting" in said

    @pytest.mark.parametrize(
        ("options", "wrong"),
        [
            ({"pause": True}, "Say why"),
            ({"only": "nowhere"}, "no organisation at the address nowhere"),
            ({"status": True}, "was not started"),
        ],
    )
    def test_says_what_is_missing(self, db: None, options: dict[str, object], wrong: str) -> None:
        with pytest.raises(CommandError, match=wrong):
            call_command("backfill", NAME, **options)

    def test_an_unknown_name_is_answered_with_those_there_are(self, db: None) -> None:
        with pytest.raises(CommandError, match=NAME):
            call_command("backfill", "gear.nothing")
