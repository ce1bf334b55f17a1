"""Where an organisation may live: the rules as a table, and two makers at the last free place."""

import threading
from typing import Any
from uuid import uuid4

import pytest
from django.conf import settings
from django.db import connections
from django.utils import timezone

from config.env import ShardWords
from operations.actions import placing, shards
from operations.actions.placing import Asked, Candidate, NoRoom, best
from operations.actions.provisioning import Wish, provision
from operations.actions.shards import ShardsMissing, register
from operations.models import Provisioning, ShardHealth
from operations.models.provisioning import Step
from tenants.models import Organisation, Shard

Cast = dict[str, Organisation]


def shard(alias: str, **columns: Any) -> Candidate:
    """Return a shard with room, in the region `north`."""
    return Candidate(**{"alias": alias, "region": "north", "capacity": 10, "living": 0, **columns})


EMPTY, HALF = shard("empty"), shard("half", living=5)
SOUTH = shard("south", region="south", living=1)
FULL, CLOSED = shard("full", capacity=3, living=3), shard("closed", is_open=False)
DOWN, NONE = shard("down", answers=False), shard("none", capacity=0)
ACME = shard("acme", reserved_for="acme")
ACME_SOUTH = shard("acme-south", region="south", reserved_for="acme", living=9)
LARGE = shard("large", capacity=1000, living=90)
ALL = (EMPTY, HALF, SOUTH, FULL, CLOSED, DOWN, NONE, ACME, ACME_SOUTH, LARGE)


class TestRules:
    @pytest.mark.parametrize(
        ("candidates", "asked", "chosen"),
        [
            (ALL, Asked(), "empty"),
            ((HALF, SOUTH), Asked(), "south"),
            # By share of what it may hold, not by number.
            ((HALF, LARGE), Asked(), "large"),
            ((shard("b"), shard("a")), Asked(), "a"),
            (ALL, Asked(region="south"), "south"),
            (ALL, Asked(region="west"), None),
            (ALL, Asked(shard="half"), "half"),
            (ALL, Asked(shard="half", region="south"), None),
            (ALL, Asked(shard="unheard-of"), None),
            ((FULL,), Asked(), None),
            ((FULL,), Asked(shard="full"), None),
            ((NONE,), Asked(), None),
            ((CLOSED,), Asked(shard="closed"), None),
            ((DOWN,), Asked(), None),
            ((DOWN, HALF), Asked(), "half"),
            ((), Asked(), None),
            # A customer's own server takes that customer, and that customer goes nowhere else.
            (ALL, Asked(customer="acme"), "acme"),
            (ALL, Asked(customer="acme", region="south"), "acme-south"),
            ((ACME,), Asked(), None),
            ((ACME,), Asked(shard="acme"), None),
            ((ACME,), Asked(shard="acme", customer="other"), None),
            ((EMPTY, HALF), Asked(customer="acme"), None),
            ((EMPTY,), Asked(shard="empty", customer="acme"), None),
        ],
    )
    def test_choose(self, candidates: tuple[Candidate, ...], asked: Asked, chosen: str | None) -> None:
        if chosen is None:
            with pytest.raises(NoRoom):
                best(candidates, asked)
        else:
            assert best(candidates, asked) == chosen


def wish(**columns: Any) -> Wish:
    """Return a wish for an organisation of its own address."""
    slug = f"placed-{uuid4().hex[:8]}"
    return Wish(**{"slug": slug, "name": "P", "owner_email": "o@p.example", "owner_name": "O", **columns})


class TestProvision:
    def test_puts_a_customer_on_its_own_server_and_nobody_else(self, db: None) -> None:
        Shard.objects.filter(alias="shard_2").update(reserved_for="acme")
        mine = provision(wish(customer="acme"))
        assert (mine.shard_id, mine.customer) == ("shard_2", "acme")
        assert {provision(wish()).shard_id for _ in range(2)} == {"shard_1"}
        for refused in (
            wish(shard="shard_2"),
            wish(customer="other"),
            wish(shard="shard_1", customer="acme"),
        ):
            with pytest.raises(NoRoom):
                provision(refused)

    def test_counts_what_is_being_made(self, db: None) -> None:
        living = Organisation.objects.filter(shard="shard_2").count()
        Shard.objects.filter(alias="shard_2").update(capacity=living + 1)
        Provisioning.objects.create(
            slug="under-way", name="U", shard_id="shard_2", begun_at=timezone.now(), step=Step.STARTED
        )
        with pytest.raises(NoRoom):
            provision(wish(shard="shard_2"))

    @pytest.mark.parametrize("column", ["down_since", "full_since"])
    def test_leaves_a_shard_alone_that_does_not_answer_or_is_full(self, db: None, column: str) -> None:
        now = timezone.now()
        for alias in settings.SHARD_ALIASES:
            ShardHealth.objects.update_or_create(shard_id=alias, defaults={"looked_at": now})
        ShardHealth.objects.filter(shard_id="shard_1").update(**{column: now})
        assert {provision(wish()).shard_id for _ in range(2)} == {"shard_2"}
        with pytest.raises(NoRoom):
            provision(wish(shard="shard_1"))


class TestTheLastPlace:
    MAKERS = 5

    def race(self, columns: dict[str, Any]) -> list[str]:
        """Let makers begin at the same moment; return what became of each."""
        barrier, ended = threading.Barrier(self.MAKERS), []

        def make() -> None:
            asked = wish(shard="shard_2", **columns)
            barrier.wait()
            try:
                ended.append(provision(asked).slug)
            except NoRoom:
                ended.append("no room")
            finally:
                connections.close_all()

        threads = [threading.Thread(target=make) for _ in range(self.MAKERS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return ended

    def test_goes_to_one_maker(self, organisations: Cast) -> None:
        living = Organisation.objects.placed().filter(shard="shard_2").count()
        Shard.objects.filter(alias="shard_2").update(capacity=living + 1)
        try:
            ended = self.race({})
        finally:
            Shard.objects.filter(alias="shard_2").update(capacity=5000)
        assert ended.count("no room") == self.MAKERS - 1
        assert Organisation.objects.placed().filter(shard="shard_2").count() == living + 1


class TestTheEnvironment:
    """What `prepare` writes down of it, and what it says where the two differ."""

    def test_is_written_down(self, db: None, monkeypatch: pytest.MonkeyPatch) -> None:
        said = ShardWords(region="south", capacity=7, reserved_for="acme")
        monkeypatch.setattr(settings, "SHARDS", {"shard_1": ShardWords(), "shard_2": said})
        Shard.objects.filter(alias="shard_1").update(region="west", capacity=9)
        assert len(register()) == 3
        shared, reserved = Shard.objects.order_by("alias")
        assert (reserved.region, reserved.capacity, reserved.reserved_for) == ("south", 7, "acme")
        # Of which it says nothing is the operators' to say.
        assert (shared.region, shared.capacity, shared.reserved_for) == ("west", 9, "")
        assert register() == []

    def test_that_lacks_a_shard_with_organisations_is_refused(
        self, pulse: Organisation, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(settings, "SHARD_ALIASES", ("shard_2",))
        monkeypatch.setattr(settings, "SHARDS", {"shard_2": ShardWords(capacity=3)})
        with pytest.raises(
            ShardsMissing, match=r"shard_1 .* \d+ organisations live there: set SHARD_1_DATABASE"
        ):
            register()
        assert Shard.objects.get(alias="shard_2").capacity == 5000

    def test_that_lacks_an_empty_one_is_said(self, db: None) -> None:
        Shard.objects.create(alias="shard_9")
        assert register() == [
            "shard_9 is in the control plane and not in the environment. Nobody lives there."
        ]
        with pytest.raises(NoRoom):
            provision(wish(shard="shard_9"))

    def test_that_names_one_more_places_nobody_there_before_prepare(
        self, db: None, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(settings, "SHARD_ALIASES", (*settings.SHARD_ALIASES, "shard_9"))
        assert shards.unregistered() == ["shard_9"]
        with pytest.raises(NoRoom):
            provision(wish(shard="shard_9"))
        assert placing.open_regions() == ["local"]
