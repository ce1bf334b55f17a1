"""Content of files that nothing names goes; what a live or a kept schema names stays."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from jobs import sweeps
from operations.actions import leftovers
from operations.models import Restore, RestoreStep
from records.files import storage
from records.imports import store
from records.models import RecordFile
from tenants.context import Actor, enter
from tenants.models import Organisation
from tests.probes.filling import fill

ACTOR = Actor.system("test")


@pytest.fixture
def files(pulse: Organisation, settings: Any, tmp_path: Path) -> list[Path]:
    """Where two files lie: one that a row names, and one that none does."""
    settings.MEDIA_ROOT = str(tmp_path)
    filled = fill(pulse, "ada@pulse.example", name="Ours")
    with enter(pulse, actor=ACTOR):
        named = storage.location(filled.made["file"])
        storage.write([b"never finished"], name="a.txt")
        (lost,) = set(storage.folder().glob("??/*")) - {named}
    return [named, lost]


def a_day(*, days_ahead: int) -> int:
    """Let all sweeps of a day run, so many days from now; return how many files went."""
    begins = datetime.now(UTC) + timedelta(days=days_ahead)
    step = timedelta(seconds=leftovers.EVERY_SECONDS)
    return sum(leftovers.sweep(at=begins + number * step) for number in range(144))


def there(files: list[Path]) -> list[bool]:
    return [file.exists() for file in files]


class TestLeftovers:
    def test_go_after_a_month(self, files: list[Path]) -> None:
        assert a_day(days_ahead=1) + a_day(days_ahead=20) == 0
        assert there(files) == [True, True]
        assert a_day(days_ahead=33) == 1
        assert there(files) == [True, False]

    @pytest.mark.parametrize("step", [RestoreStep.APPROVED, RestoreStep.DONE])
    def test_that_a_kept_schema_may_name_stay(
        self, files: list[Path], pulse: Organisation, step: RestoreStep
    ) -> None:
        """What a restore replaced names content that the live schema does not, and may come back."""
        restore = Restore.objects.create(
            organisation=pulse,
            to_time=timezone.now(),
            reason="A test",
            asked_by="one@operators.example",
            asked_at=timezone.now(),
            step=step,
            other_schema="t_" + "a" * 20 if step == RestoreStep.DONE else "",
        )
        with enter(pulse, actor=ACTOR):
            RecordFile.objects.all().delete()
        assert a_day(days_ahead=1) + a_day(days_ahead=33) + a_day(days_ahead=66) == 0
        assert there(files) == [True, True]
        restore.note(step=RestoreStep.DONE, other_schema="")
        assert a_day(days_ahead=67) == 0
        assert a_day(days_ahead=99) == 2

    def test_of_imports_go_on_the_same_day(self, files: list[Path], pulse: Organisation) -> None:
        """Nobody has to import something for it."""
        with enter(pulse, actor=ACTOR):
            lost = store.uploads() / "never-checked"
            lost.write_bytes(b"a,b")
            assert store.sweep(at=datetime.now(UTC)) == 0
        assert a_day(days_ahead=1) == 1
        assert there([lost, *files]) == [False, True, True]

    def test_are_swept_once_a_day(self, pulse: Organisation, monkeypatch: pytest.MonkeyPatch) -> None:
        swept = Counter[str]()

        def note(organisation: Organisation, at: datetime) -> int:
            swept[str(organisation.slug)] += 1
            return 0

        monkeypatch.setattr(leftovers, "_sweep", note)
        a_day(days_ahead=1)
        assert set(swept.values()) == {1}
        assert {"pulse", "tide"} <= swept.keys()

    def test_hang_on_the_beat(self) -> None:
        sweep = sweeps.find("operations.leftovers")
        assert sweep is not None
        assert sweep.every_seconds == leftovers.EVERY_SECONDS
