"""`manage.py merge`: what it asks for, prints and refuses. The engine's part is played."""

import io
from typing import Any

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.utils import timezone

from accounts.identity.models import User
from operations.joining import clashes
from operations.joining import merging as joining
from operations.joining.clashes import Clash, Found, Kind
from operations.models import Merge, MergeStep, OperatorAct
from operations.models.merge import UNDONE_WITHIN
from operations.restoring.problems import Busy
from tenants.context import control_plane
from tenants.models import Organisation
from tests.operations.merges import merged, now

OZ, KIM = "oz@enclave.example", "kim@enclave.example"
WHY = "They are one company now"
SAME = Clash(Kind.SAME_PERSON, "people", "Ada (ada@x.example)", "Stays member.")
STOPS = Clash(Kind.STOPS, "groups", "Crew", "Two would be called so.")


class Engine:
    """Plays the owner's process: finds these clashes, carries rows, takes them back."""

    def __init__(self) -> None:
        self.clashes: list[Clash] = [SAME]
        self.busy = 0

    def run(self, merge: Merge) -> None:
        """Do what stands next."""
        if self.busy:
            self.busy -= 1
            raise Busy("Another process is at it.")
        merge.refresh_from_db()
        at = timezone.now()
        if merge.step == MergeStep.ASKED:
            found = Found(tuple(self.clashes), {"records": 1234})
            merge.note(step=MergeStep.FOUND, result={"clashes": found.counted(), "rows": found.rows})
            if STOPS in self.clashes:
                merge.note(step=MergeStep.FAILED, error="CannotJoin: 1 things have to be settled first")
        elif merge.step == MergeStep.APPROVED:
            result = {**merge.result, "came": {"records_record": 1234}}
            merge.note(step=MergeStep.DONE, result=result, undo_until=at + UNDONE_WITHIN)
        elif merge.step == MergeStep.UNDOING:
            merge.note(step=MergeStep.UNDONE, result={**merge.result, "stay": {"records": 7}}, ended_at=at)
        elif merge.step == MergeStep.DONE and merge.undo_until and merge.undo_until <= at:
            merge.note(step=MergeStep.CLOSED)


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> Engine:
    """The engine that is played."""
    playing = Engine()
    monkeypatch.setattr(joining, "run", playing.run)
    monkeypatch.setattr(clashes, "listed", lambda alias, work: playing.clashes)
    return playing


@pytest.fixture(autouse=True)
def operators(db: None) -> None:
    """Two operators, and organisations that could become one."""
    with control_plane():
        for email in (OZ, KIM):
            User.objects.create_superuser(email, email[:3].strip("@"), "a long enough password")
    Organisation.objects.update(release=settings.RELEASE)


def merge(*words: str, **options: Any) -> str:
    """Give the command and return what it prints."""
    said = io.StringIO()
    call_command("merge", *words, **{"by": OZ, "stdout": said, **options})
    return said.getvalue()


@pytest.fixture
def types(monkeypatch: pytest.MonkeyPatch) -> Any:
    """A function that says what somebody types."""
    return lambda text: monkeypatch.setattr("sys.stdin", io.StringIO(f"{text}\n"))


class TestAsking:
    def test_finds_and_prints_all_clashes(
        self, pulse: Organisation, tide: Organisation, engine: Engine
    ) -> None:
        said = merge("pulse", into="tide", reason=WHY)
        assert "People with the same address become one person:" in said
        assert "  people: Ada (ada@x.example). Stays member." in said
        assert "Comes: 1,234 records" in said
        assert "Another operator approves it" in said
        assert (Merge.objects.get().step, Merge.objects.get().asked_by) == (MergeStep.FOUND, OZ)

    def test_waits_for_a_worker_that_was_faster(
        self, pulse: Organisation, tide: Organisation, engine: Engine, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("operations.management.following._EVERY_SECONDS", 0.01)
        engine.busy = 2
        assert "Comes: 1,234 records" in merge("pulse", into="tide", reason=WHY)

    def test_dry_leaves_nothing_open(self, pulse: Organisation, tide: Organisation, engine: Engine) -> None:
        said = merge("pulse", into="tide", reason=WHY, dry_run=True)
        assert "Ada (ada@x.example)" in said
        assert "Another operator" not in said
        assert Merge.objects.get().step == MergeStep.CANCELLED
        assert not Merge.objects.open().exists()

    @pytest.mark.parametrize("dry_run", [True, False])
    def test_says_with_its_status_that_something_stops_it(
        self, pulse: Organisation, tide: Organisation, engine: Engine, dry_run: bool
    ) -> None:
        engine.clashes = [SAME, STOPS]
        out = io.StringIO()
        with pytest.raises(CommandError, match="have to be settled first"):
            merge("pulse", into="tide", reason=WHY, dry_run=dry_run, stdout=out)
        assert "groups: Crew. Two would be called so." in out.getvalue()
        assert not Merge.objects.open().exists()

    @pytest.mark.parametrize(
        ("words", "options", "said"),
        [
            (["pulse"], {"reason": WHY}, "There is no organisation at the address"),
            (["pulse"], {"into": "nobody", "reason": WHY}, "no organisation at the address nobody"),
            (["nobody"], {"into": "tide", "reason": WHY}, "no organisation at the address nobody"),
            (["pulse"], {"into": "pulse", "reason": WHY}, "part of itself"),
            (["pulse"], {"into": "tide"}, "Say why"),
            (["pulse"], {"into": "tide", "reason": WHY, "by": "ada@pulse.example"}, "which operator you are"),
            (["pulse"], {"approve": True}, "No merge of pulse is open"),
            (["pulse"], {"undo": True, "reason": WHY}, "No merge of pulse is open"),
        ],
    )
    def test_refuses_what_is_no_wish(
        self, pulse: Organisation, tide: Organisation, words: list[str], options: dict[str, Any], said: str
    ) -> None:
        with pytest.raises(CommandError, match=said):
            merge(*words, **options)
        assert not Merge.objects.exists()


class TestGoingOn:
    def test_approves_with_the_address_typed_by_another_operator(
        self, pulse: Organisation, tide: Organisation, engine: Engine, types: Any
    ) -> None:
        merge("pulse", into="tide", reason=WHY)
        for by, typed, said in ((OZ, "pulse", "Somebody else"), (KIM, "tide", "is not the address")):
            types(typed)
            with pytest.raises(CommandError, match=said):
                merge("pulse", approve=True, by=by)
            assert (Merge.objects.get().step, now(pulse).state) == (MergeStep.FOUND, pulse.state)
        types("pulse")
        said = merge("pulse", approve=True, by=KIM)
        assert "nobody gets into it any more" in said
        assert "Came: 1,234" in said
        assert now(pulse).part_of_id == tide.pk

    def test_takes_back(self, pulse: Organisation, tide: Organisation, engine: Engine) -> None:
        merged(pulse, tide)
        merge("pulse", cancel=True, reason="Not after all")
        assert Merge.objects.get().step == MergeStep.CANCELLED
        assert OperatorAct.objects.filter(act="cancel merge", reason="Not after all").count() == 2

    def test_undoes_with_a_reason(self, pulse: Organisation, tide: Organisation, engine: Engine) -> None:
        merged(pulse, tide, "done")
        with pytest.raises(CommandError, match="Say why"):
            merge("pulse", undo=True)
        assert Merge.objects.get().step == MergeStep.DONE
        said = merge("pulse", undo=True, reason="It was a mistake")
        assert "people have worked on it: 7 records" in said

    def test_closes(self, pulse: Organisation, tide: Organisation, engine: Engine) -> None:
        merged(pulse, tide, "done")
        assert "Merged for good" in merge("pulse", close=True, reason="Everybody is content")

    def test_resumes_all_that_wait(self, pulse: Organisation, tide: Organisation, engine: Engine) -> None:
        merged(pulse, tide, "approved")
        assert "1 gone on with" in merge(resume=True)
        assert Merge.objects.get().step == MergeStep.DONE
