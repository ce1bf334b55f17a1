"""The figures of organisations that the console shows: a slice of them at a time, the oldest first."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import DatabaseError

from operations.actions import figures
from tenants.breaker import ShardDown
from tenants.models import Organisation

NOW = datetime(2027, 3, 1, 12, tzinfo=UTC)
LONG_AGO = NOW - timedelta(days=2)


@pytest.fixture
def three(pulse: Organisation, tide: Organisation, other: Organisation) -> list[Organisation]:
    """The only ones that are due: one never looked at, one long ago, one less long ago."""
    Organisation.objects.update(figures_at=NOW)
    for one, at in ((pulse, None), (other, LONG_AGO), (tide, LONG_AGO + timedelta(hours=1))):
        Organisation.objects.filter(pk=one.pk).update(figures_at=at)
    return [pulse, other, tide]


@pytest.fixture
def looked_at(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Who was looked at, in order."""
    slugs, look = list[str](), figures._look_at

    def note(organisation: Organisation) -> tuple[int, datetime | None, int]:
        slugs.append(str(organisation.slug))
        return look(organisation)

    monkeypatch.setattr(figures, "_look_at", note)
    return slugs


class TestRefresh:
    def test_takes_the_oldest_first(self, three: list[Organisation], looked_at: list[str]) -> None:
        assert figures.refresh(at=NOW) == 3
        assert looked_at == [one.slug for one in three]
        assert set(Organisation.objects.values_list("figures_at", flat=True)) == {NOW}

    def test_leaves_those_alone_that_were_looked_at_just_now(self, three: list[Organisation]) -> None:
        figures.refresh(at=NOW)
        assert figures.refresh(at=NOW + figures.FRESH - timedelta(seconds=1)) == 0
        assert figures.refresh(at=NOW + figures.FRESH + timedelta(seconds=1)) >= 3

    def test_ends_when_its_time_is_over_and_goes_on_with_the_others(
        self, three: list[Organisation], looked_at: list[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """However many there are, a sweep is no longer, and everybody's turn comes."""
        clock = iter(range(1000))
        monkeypatch.setattr("operations.actions.figures.monotonic", lambda: next(clock))
        sweeps = [figures.refresh(at=NOW, most_seconds=1.5) for _ in range(4)]
        assert sweeps == [1, 1, 1, 0]
        assert looked_at == [one.slug for one in three]

    def test_of_one_in_trouble_stay_old_and_hold_up_nobody(
        self, three: list[Organisation], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        look, broken = figures._look_at, three[0]

        def fail(organisation: Organisation) -> tuple[int, datetime | None, int]:
            if organisation.pk == broken.pk:
                raise DatabaseError
            return look(organisation)

        monkeypatch.setattr(figures, "_look_at", fail)
        assert figures.refresh(at=NOW) == 2
        assert Organisation.objects.get(pk=broken.pk).figures_at is None

    def test_of_a_server_that_is_down_are_asked_for_once(
        self, three: list[Organisation], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        asked = list[str]()

        def fail(organisation: Organisation) -> tuple[int, datetime | None, int]:
            asked.append(str(organisation.shard_id))
            raise ShardDown(organisation.shard_id)

        monkeypatch.setattr(figures, "_look_at", fail)
        assert figures.refresh(at=NOW) == 0
        assert sorted(asked) == ["shard_1", "shard_2"]
