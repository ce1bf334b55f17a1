"""While two organisations become one, nobody moves, restores, erases or opens either of them."""

from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import settings
from django.utils import timezone

from accounts.identity.models import User
from operations.actions import joining, leaving, merging, moves, restores
from operations.actions.states import WrongState, change_state
from operations.joining.problems import CannotJoin
from operations.leaving import archive, erasing, returning
from operations.leaving.problems import CannotLeave, CannotReturn
from operations.models import BaseBackup, Erasure, ErasureStep, Merge, Restore
from operations.models.joining import ENDED, TAKEN, JoiningStep
from operations.moves.problems import CannotMove
from operations.restoring.problems import CannotRestore
from tenants.context import control_plane
from tenants.models import Organisation, Shard
from tenants.placement import State
from tests.operations.merges import merged, now

OPEN = [step for step in JoiningStep if step not in ENDED]
WAITING = [step for step in OPEN if step not in TAKEN]
SAID = "The merge of Pulse Nights into Tide Sessions is open"


@pytest.fixture
def oz(db: None) -> User:
    """An operator."""
    with control_plane():
        return User.objects.create_superuser("oz@enclave.example", "Oz", "a long enough password")


def erasure(organisation: Organisation) -> Erasure:
    """Write down an erasure whose day has come."""
    at = timezone.now()
    return Erasure.objects.create(
        organisation=organisation,
        schema_name=organisation.schema_name,
        reason="The contract ended",
        not_before=at,
        asked_by="kim@enclave.example",
        approved_by="lee@enclave.example",
        asked_at=at,
        step=ErasureStep.APPROVED,
    )


class TestBothStayWhereTheyAre:
    @pytest.mark.parametrize("step", OPEN)
    def test_while_it_is_open(self, pulse: Organisation, tide: Organisation, step: JoiningStep) -> None:
        merged(pulse, tide, step)
        for organisation, target in ((pulse, "shard_2"), (tide, "shard_1")):
            with pytest.raises(CannotMove, match=SAID):
                moves.ask(
                    organisation=now(organisation),
                    target=Shard.objects.get(pk=target),
                    reason="The server is full",
                    by="oz@enclave.example",
                    at=timezone.now(),
                )

    @pytest.mark.parametrize("step", ENDED)
    def test_and_not_when_it_has_ended(
        self, pulse: Organisation, tide: Organisation, step: JoiningStep
    ) -> None:
        merged(pulse, tide, step)
        joining.refuse_joining(tide)


class TestNeitherGoesBack:
    @pytest.fixture
    def copied(self, pulse: Organisation, tide: Organisation) -> BaseBackup:
        """A good back-up of both servers, of an hour ago; the organisations are older."""
        at = timezone.now() - timedelta(hours=1)
        Organisation.objects.update(created_at=at - timedelta(hours=1))
        return BaseBackup.objects.create(
            system="1",
            shards=["shard_1", "shard_2"],
            folder="/nowhere",
            began_at=at,
            ended_at=at,
            state="good",
        )

    def test_to_an_earlier_time(
        self, pulse: Organisation, tide: Organisation, oz: User, copied: BaseBackup
    ) -> None:
        to = timezone.now() - timedelta(minutes=1)
        asked = restores.ask(now(tide), to=to, reason="They deleted everything", by=oz)
        Restore.objects.update(asked_by="kim@enclave.example")
        merged(pulse, tide, "done")
        for organisation in (pulse, tide):
            with pytest.raises(CannotRestore, match=SAID):
                restores.ask(now(organisation), to=to, reason="They deleted everything", by=oz)
        with pytest.raises(CannotRestore, match=SAID):
            restores.approve(asked, by=oz, typed="tide")

    def test_to_before_a_restore(self, pulse: Organisation, tide: Organisation, oz: User) -> None:
        at = timezone.now()
        restore = Restore.objects.create(
            organisation=tide,
            to_time=at,
            asked_at=at,
            reason="They lost a table",
            asked_by="kim@enclave.example",
            step="done",
            other_schema="t_" + "k" * 20,
        )
        restores.refuse_undo(restore)
        merged(pulse, tide)
        with pytest.raises(CannotRestore, match=SAID):
            restores.ask_undo(restore, reason="It was the wrong day", by=oz, typed="tide")


class TestNothingIsErased:
    def test_of_who_is_taken(self, pulse: Organisation, tide: Organisation, oz: User) -> None:
        merge = merged(pulse, tide, "done")
        with pytest.raises(CannotLeave, match=SAID):
            leaving.ask(now(pulse), reason="It is a part of Tide", by=oz)
        waiting = erasure(pulse)
        with pytest.raises(CannotLeave, match=SAID):
            erasing.begin(waiting)
        assert Erasure.objects.get().step == ErasureStep.APPROVED
        merge.note(step=JoiningStep.CLOSED)
        assert erasing.begin(waiting)

    def test_and_nobody_comes_back_who_is_a_part(
        self, pulse: Organisation, tide: Organisation, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        merged(pulse, tide, "closed")
        erasure(pulse).note(step=ErasureStep.DONE)
        said = archive.Said(str(pulse.pk), "pulse", "Pulse Nights", taken_at="2026-01-01", rows=1)
        monkeypatch.setattr(archive, "read", lambda source: said)
        with pytest.raises(CannotReturn, match="is a part of Tide Sessions"):
            returning.ask(Path("export.zip"), reason="They want it back", by="oz@enclave.example")


class TestNobodyOpensIt:
    @pytest.mark.parametrize("step", [*TAKEN, JoiningStep.CLOSED])
    def test_while_it_is_a_part(
        self, pulse: Organisation, tide: Organisation, oz: User, step: JoiningStep
    ) -> None:
        merged(pulse, tide, step)
        with pytest.raises(WrongState, match="a part of Tide Sessions"):
            change_state(organisation=pulse, to=State.ACTIVE, reason="It was a mistake", by=oz)
        assert now(pulse).state == State.GONE

    @pytest.mark.parametrize("step", WAITING)
    def test_and_its_state_changes_before(
        self, pulse: Organisation, tide: Organisation, oz: User, step: JoiningStep
    ) -> None:
        merged(pulse, tide, step)
        change_state(organisation=pulse, to=State.SUSPENDED, reason="They did not pay", by=oz)
        assert now(pulse).state == State.SUSPENDED


class TestOneAtATime:
    def test_neither_has_a_part_in_another_merge(
        self, pulse: Organisation, tide: Organisation, other: Organisation, oz: User
    ) -> None:
        Organisation.objects.update(release=settings.RELEASE)
        merged(pulse, tide)
        for absorbed, into in ((other, tide), (tide, other), (other, pulse), (pulse, other)):
            with pytest.raises(CannotJoin, match=SAID):
                merging.ask(now(absorbed), now(into), reason="They are one company", by=oz)
        assert Merge.objects.count() == 1
