"""Making an organisation: whole, or not at all."""

from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.db import connections
from django.utils import timezone

from accounts.identity.models import User
from operations.actions import provisioning
from operations.actions.placing import candidates
from operations.actions.preparing import fill_ready
from operations.actions.provisioning import SlugTaken, Wish, provision, sweep, undo
from operations.models import Provisioning
from operations.models.provisioning import Step
from tenants.context import Actor, enter, on_shard
from tenants.models import Domain, Organisation, RetiredSlug
from tenants.names import SCHEMA_PATTERN, BadSlug, new_schema_name

ACTOR = Actor.system("test")
Cast = dict[str, Organisation]


def wish(slug: str = "fresh", **columns: Any) -> Wish:
    """Return a wish for a new organisation."""
    return Wish(
        **{"slug": slug, "name": "Fresh", "owner_email": "o@fresh.example", "owner_name": "O", **columns}
    )


def schemas(alias: str) -> dict[str, str]:
    """Return every schema issued on a shard with its state, as the owner of the catalogue sees it."""
    with on_shard(alias), connections[alias].cursor() as cursor:
        cursor.execute("SELECT nspname FROM pg_namespace WHERE nspname LIKE 't\\_%'")
        return {name: "" for (name,) in cursor.fetchall()}


class TestProvision:
    def test_gives_the_owner_an_organisation_that_answers(self, db: None) -> None:
        organisation = provision(wish())
        assert SCHEMA_PATTERN.fullmatch(str(organisation.schema_name))
        assert organisation.primary_host == "fresh.enclave.localhost"
        with enter(organisation, actor=ACTOR):
            assert list(User.objects.values_list("email", flat=True)) == ["o@fresh.example"]

    @pytest.mark.parametrize("ready", [0, 1])
    def test_takes_a_ready_schema_or_replays_the_template(self, db: None, ready: int) -> None:
        fill_ready("shard_2", wanted=ready)
        while_ready = provision(wish(shard="shard_2")).makings.get()
        assert while_ready.was_ready or ready == 0

    def test_chooses_the_least_loaded_shard(self, db: None) -> None:
        # Whatever other tests have left there: the fuller one is filled up to one more than the other.
        fuller, emptier = sorted(candidates(settings.SHARD_ALIASES), key=lambda one: -one.living)
        for number in range(fuller.living - emptier.living + 1):
            Organisation.objects.create(
                name="Filler", slug=f"filler-{number}", schema_name=new_schema_name(), shard_id=emptier.alias
            )
        assert provision(wish("one-more")).shard_id == fuller.alias

    @pytest.mark.parametrize(
        "slug",
        [
            "Acme",
            "a",
            "-ab",
            "ab-",
            "a--b",
            "admin",
            "pg_x",
            "x" * 41,
            'a"b',
            "a\nb",
            "a\x00b",
            "a\u200fb",
            "",
        ],
    )
    def test_refuses_bad_addresses(self, db: None, slug: str) -> None:
        with pytest.raises(BadSlug):
            provision(wish(slug))

    def test_refuses_a_taken_address(self, db: None) -> None:
        with pytest.raises(SlugTaken):
            provision(wish("pulse"))

    def test_refuses_a_retired_address(self, db: None, pulse: Organisation) -> None:
        RetiredSlug.objects.create(
            slug="old-name", organisation_id=pulse.pk, free_from=timezone.now() + timedelta(days=1)
        )
        with pytest.raises(SlugTaken):
            provision(wish("old-name"))


class TestFailure:
    """A failure at any step leaves nothing behind; committed, as each step is a transaction of its own."""

    @pytest.mark.parametrize(
        "step", ["_claim_schema", "_write_organisation", "found", "note_address", "_open"]
    )
    def test_is_undone(self, organisations: Cast, monkeypatch: pytest.MonkeyPatch, step: str) -> None:
        def fail(*args: object, **kwargs: object) -> None:
            raise ZeroDivisionError

        monkeypatch.setattr(provisioning, step, fail)
        with pytest.raises(ZeroDivisionError):
            provision(wish())
        making = Provisioning.objects.filter(slug="fresh").latest("begun_at")
        assert making.step == Step.UNDONE
        assert making.schema_name not in schemas(making.shard_id)
        assert not Organisation.objects.filter(slug="fresh").exists()

    def test_lets_the_address_be_asked_for_again(
        self, organisations: Cast, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        self.test_is_undone(organisations, monkeypatch, "found")
        monkeypatch.undo()
        assert provision(wish("fresh-again")).slug == "fresh-again"


class Died(BaseException):
    """Ends a making without a chance to undo anything, as a killed process does."""


class TestSweep:
    """A process that dies between any two steps: the sweeper undoes the making, or finishes it."""

    def died_at(self, step: str, *, after: bool) -> Provisioning:
        """Return a making whose process died before or after a step, long ago."""
        careful = getattr(provisioning, step)

        def die(*args: Any, **kwargs: Any) -> None:
            if after:
                careful(*args, **kwargs)
            raise Died

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(provisioning, step, die)
            with pytest.raises(Died):
                provision(wish(shard="shard_1"))
        making = Provisioning.objects.filter(slug="fresh").latest("pk")
        making.note(begun_at=timezone.now() - timedelta(hours=1))
        return making

    @pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
    @pytest.mark.parametrize("step", ["_claim_schema", "_write_organisation", "found", "note_address"])
    def test_undoes_what_nobody_can_use(
        self, organisations: Cast, monkeypatch: pytest.MonkeyPatch, step: str, after: bool
    ) -> None:
        before = schemas("shard_1").keys()
        making = self.died_at(step, after=after)
        monkeypatch.setattr(provisioning, "STALE_AFTER", timedelta(seconds=-1))
        assert sweep(at=timezone.now()) >= 1
        assert Provisioning.objects.get(pk=making.pk).step == Step.UNDONE
        assert schemas("shard_1").keys() <= before
        assert not Organisation.objects.filter(slug="fresh").exists()

    def test_finishes_what_was_confirmed(self, db: None) -> None:
        def die(**columns: Any) -> None:
            raise Died

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(Domain.objects, "create", die)
            with pytest.raises(Died):
                provision(wish())
        Provisioning.objects.update(begun_at=timezone.now() - timedelta(hours=1))
        assert sweep(at=timezone.now()) == 1
        organisation = Organisation.objects.get(slug="fresh")
        assert organisation.primary_host == "fresh.enclave.localhost"
        with enter(organisation, actor=ACTOR):
            assert User.objects.count() == 1

    def test_leaves_fresh_makings_alone(self, db: None) -> None:
        making = self.died_at("found", after=True)
        making.note(begun_at=timezone.now())
        assert sweep(at=timezone.now()) == 0

    def test_one_that_cannot_be_settled_holds_up_no_other(self, db: None) -> None:
        self.died_at("found", after=True)
        stuck = Provisioning.objects.create(
            slug="stuck",
            name="Stuck",
            shard_id="shard_1",
            schema_name=new_schema_name(),
            step=Step.FILLED,
            organisation=Organisation.objects.get(slug="pulse"),
            begun_at=timezone.now() - timedelta(hours=2),
        )
        assert sweep(at=timezone.now()) == 1
        assert Provisioning.objects.get(pk=stuck.pk).step == Step.FILLED

    def test_an_organisation_is_never_discarded(self, pulse: Organisation) -> None:
        """A committed one: in the transaction that made it, PostgreSQL itself refuses to drop it."""
        making = pulse.makings.get()
        assert undo(making) is False
        assert making.schema_name in schemas(making.shard_id)

    def test_a_schema_dropped_before_counts_as_undone(self, db: None) -> None:
        """A process that slept through the sweep may write that it got further."""
        making = self.died_at("found", after=True)
        assert undo(making)
        making.note(step=Step.PLACED)
        assert sweep(at=timezone.now()) == 1


class TestRights:
    """What the application's login cannot do, it cannot be made to do."""

    @pytest.mark.parametrize(
        "attempt",
        [
            "CREATE ROLE t_mine",
            "CREATE SCHEMA t_mine",
            "DELETE FROM enclave.issued",
            "SELECT body FROM enclave.template",
            "SELECT enclave.replay('public', 'ready')",
            "SELECT enclave.replay('t_x; DROP SCHEMA enclave', 'ready')",
            "ALTER ROLE enclave_app SUPERUSER",
            "SET ROLE enclave_owner",
        ],
    )
    def test_is_refused(self, db: None, attempt: str) -> None:
        from django.db import DatabaseError

        with pytest.raises(DatabaseError), on_shard("shard_1"), connections["shard_1"].cursor() as cursor:
            cursor.execute(attempt)
