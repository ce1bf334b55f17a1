"""The operators' console: organisations, acts with a reason, and nothing of what organisations own."""

import html
import re
from datetime import timedelta

import pyotp
import pytest
from django.conf import settings
from django.core.cache import cache
from django.test import Client
from django.utils import timezone

from accounts.identity.models import Session, User
from config.env import ShardWords
from operations.actions import figures
from operations.actions.shards import look_at_all
from operations.console.meaning import MEANING
from operations.models import (
    FleetRun,
    FleetState,
    OperatorAct,
    ShardHealth,
)
from tenants.context import Actor, control_plane, enter
from tenants.models import Organisation, Shard
from tenants.placement import State
from tests.accounts.test_operators import enrol, with_password
from tests.conftest import PASSWORD, ClientAs
from tests.people import visitor

LIST = "/console/tenants/organisation/"


def state_page(organisation: Organisation, state: State) -> str:
    """Return where an organisation's state is changed."""
    return f"{LIST}{organisation.pk}/state/{state.value}/"


class TestOrganisations:
    def test_are_listed_with_their_states(self, console: Client, pulse: Organisation) -> None:
        page = console.get(LIST).content.decode()
        assert "Pulse Nights" in page
        assert "pulse.enclave.localhost" in page

    def test_show_nothing_that_they_own(self, console: Client, pulse: Organisation) -> None:
        page = console.get(f"{LIST}{pulse.pk}/change/").content.decode()
        assert "ada@pulse.example" not in page

    def test_show_how_long_they_have_been_so_and_how_far_their_schema_is(
        self, console: Client, pulse: Organisation
    ) -> None:
        Organisation.objects.filter(pk=pulse.pk).update(created_at=timezone.now() - timedelta(days=21))
        FleetState.objects.filter(organisation=pulse).update(version="old")
        page = console.get(LIST).content.decode()
        assert re.search(r"3\s+weeks", page)
        assert ">Behind<" in page
        assert ">Current<" in page
        FleetState.objects.filter(organisation=pulse).update(waits="Waits for the backfill a.b: half done.")
        waiting = console.get(f"{LIST}?schema=waits").content.decode()
        assert ">Waits<" in waiting
        assert "Tide" not in waiting
        assert "the backfill a.b: half done" in console.get(f"{LIST}{pulse.pk}/change/").content.decode()
        FleetState.objects.filter(organisation=pulse).update(error="ProgrammingError: no")
        assert ">Failed<" in console.get(f"{LIST}?schema=failed").content.decode()
        assert "ProgrammingError: no" in console.get(f"{LIST}{pulse.pk}/change/").content.decode()

    @pytest.mark.parametrize(("wanted", "shown"), [("current", False), ("behind", True), ("failed", False)])
    def test_are_found_by_their_schema(
        self, console: Client, pulse: Organisation, wanted: str, shown: bool
    ) -> None:
        FleetState.objects.filter(organisation=pulse).delete()
        assert ("Pulse Nights" in console.get(f"{LIST}?schema={wanted}").content.decode()) is shown

    def test_show_when_somebody_used_them_last(
        self, console: Client, pulse: Organisation, client_as: ClientAs
    ) -> None:
        client_as("ben@pulse.example", pulse).get("/")
        # The beat of a room before this may have looked a moment ago.
        Organisation.objects.update(figures_at=None)
        assert figures.refresh(at=timezone.now()) >= 1
        known = Organisation.objects.get(pk=pulse.pk)
        assert known.people_count == 3
        assert known.size_bytes > 100_000
        assert timezone.now() - known.last_active_at < timedelta(minutes=5)  # type: ignore[operator]  # just written
        with enter(pulse, actor=Actor.system("test")):
            Session.objects.all().delete()
        figures.refresh(at=timezone.now() + timedelta(minutes=6))
        assert Organisation.objects.get(pk=pulse.pk).last_active_at == known.last_active_at
        page = console.get(f"{LIST}{pulse.pk}/change/").content.decode()
        assert "under a minute ago" in page
        assert "As of" in page
        Organisation.objects.filter(pk=pulse.pk).update(figures_at=timezone.now() - timedelta(hours=5))
        assert re.search(r"5\s+hours ago", html.unescape(console.get(LIST).content.decode()))

    def test_are_made_with_a_reason(self, console: Client) -> None:
        told = {
            "name": "Made Here",
            "slug": "made-here",
            "owner_name": "Moa",
            "owner_email": "moa@made.example",
            "shard": "shard_2",
            "reason": "Asked for by phone",
        }
        assert console.post(f"{LIST}make/", told).status_code == 302
        assert Organisation.objects.get(slug="made-here").shard_id == "shard_2"
        assert OperatorAct.objects.get().reason == "Asked for by phone"

    def test_are_not_made_without_it(self, console: Client, monkeypatch: pytest.MonkeyPatch) -> None:
        """The act is written with the organisation: where one fails, the other is not there either."""

        def fail(*args: object, **columns: object) -> None:
            raise ZeroDivisionError

        monkeypatch.setattr(OperatorAct.objects, "create", fail)
        told = {
            "name": "N",
            "slug": "no-act",
            "owner_name": "M",
            "owner_email": "m@m.example",
            "reason": "Because it is",
        }
        with pytest.raises(ZeroDivisionError):
            console.post(f"{LIST}make/", told)
        assert not Organisation.objects.filter(slug="no-act", domains__isnull=False).exists()

    @pytest.mark.parametrize("page", ["add/", "{pk}/delete/"])
    def test_are_not_written_behind_the_actions(
        self, console: Client, pulse: Organisation, page: str
    ) -> None:
        assert console.get(LIST + page.format(pk=pulse.pk)).status_code == 403


class TestState:
    def test_says_first_what_happens(self, console: Client, pulse: Organisation) -> None:
        page = console.get(state_page(pulse, State.SUSPENDED)).content.decode()
        assert "cannot sign in" in page

    def test_is_felt_at_once_and_written_down(self, console: Client, pulse: Organisation) -> None:
        console.post(state_page(pulse, State.SUSPENDED), {"reason": "Invoice not paid"})
        assert visitor(pulse.primary_host).get("/accounts/login/").status_code == 503
        act = OperatorAct.objects.get()
        assert (act.act, act.reason, act.operator_label) == (
            "suspended",
            "Invoice not paid",
            "oz@enclave.example",
        )

    @pytest.mark.parametrize("reason", ["", "short"])
    def test_needs_a_reason(self, console: Client, pulse: Organisation, reason: str) -> None:
        assert console.post(state_page(pulse, State.SUSPENDED), {"reason": reason}).status_code == 422
        assert not OperatorAct.objects.exists()

    @pytest.mark.parametrize("state", list(State))
    def test_each_says_on_its_page_what_it_stops(
        self, console: Client, pulse: Organisation, state: State
    ) -> None:
        Organisation.objects.filter(pk=pulse.pk).update(state=state.value)
        page = html.unescape(console.get(f"{LIST}{pulse.pk}/change/").content.decode())
        assert all(line in page for line in MEANING[state])

    @pytest.mark.parametrize(
        ("typed", "status", "becomes"), [("puls", 422, "leaving"), ("pulse", 302, "gone")]
    )
    def test_the_last_one_asks_for_the_address(
        self, console: Client, pulse: Organisation, typed: str, status: int, becomes: str
    ) -> None:
        Organisation.objects.filter(pk=pulse.pk).update(state=State.LEAVING.value)
        told = {"reason": "Contract ended", "named": typed}
        assert console.post(state_page(pulse, State.GONE), told).status_code == status
        assert Organisation.objects.get(pk=pulse.pk).state == becomes
        assert OperatorAct.objects.filter(act="gone").exists() is (becomes == "gone")

    @pytest.mark.parametrize("state", ["gone", "trial", "nonsense"])
    def test_goes_only_where_it_may(self, console: Client, pulse: Organisation, state: str) -> None:
        assert console.post(f"{LIST}{pulse.pk}/state/{state}/", {"reason": "Because"}).status_code == 403


class TestShards:
    page = "/console/tenants/shard/shard_2/change/"

    def test_are_changed_with_a_reason(self, console: Client) -> None:
        told = {"region": "local", "capacity": 5000, "reason": "Full before long"}
        assert console.post(self.page, told).status_code == 302
        assert not Shard.objects.get(alias="shard_2").is_open
        act = OperatorAct.objects.get()
        assert (act.organisation_label, act.act) == ("Shard shard_2", "Takes new organisations: no")
        assert act.reason == "Full before long"

    def test_are_not_changed_without_one(self, console: Client) -> None:
        told = {"region": "local", "capacity": 5000, "reason": ""}
        assert console.post(self.page, told).status_code == 200
        assert Shard.objects.get(alias="shard_2").is_open
        assert not OperatorAct.objects.exists()

    def test_show_what_was_seen_of_them(self, console: Client, monkeypatch: pytest.MonkeyPatch) -> None:
        now = timezone.now()
        look_at_all(at=now)
        ShardHealth.objects.filter(shard="shard_2").update(
            down_since=now - timedelta(hours=3), down_why="refused", archive_fails=True
        )
        ShardHealth.objects.filter(shard="shard_1").update(full_since=now - timedelta(hours=2))
        monkeypatch.setattr(settings, "SHARD_ALIASES", (*settings.SHARD_ALIASES, "shard_9"))
        page = html.unescape(console.get("/console/tenants/shard/").content.decode())
        for said in (
            "Not for 3\xa0hours",
            "Full for 2\xa0hours",
            "refused",
            "fails",
            "18.4",
            "of 5,000",
            "shard_9 is in the environment",
        ):
            assert said in page
        overview = console.get("/console/").content.decode()
        assert "1 shard does not answer" in overview
        assert "1 shard has a disk that is full" in overview
        assert "1 shard of the environment is not prepared" in overview
        one = console.get(self.page).content.decode()
        assert str(settings.DATABASES["shard_2"]["PORT"]) in one
        assert str(settings.DATABASES["shard_2"]["PASSWORD"]) not in one

    def test_what_the_environment_says_is_not_changed_here(
        self, console: Client, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setitem(settings.SHARDS, "shard_2", ShardWords(capacity=5000))
        assert "Set by SHARD_2_CAPACITY." in console.get(self.page).content.decode()
        told = {"region": "west", "capacity": 9, "reserved_for": "acme", "reason": "Bought by them"}
        assert console.post(self.page, {**told, "is_open": "on"}).status_code == 302
        shard = Shard.objects.get(alias="shard_2")
        assert (shard.region, shard.capacity, shard.reserved_for) == ("west", 5000, "acme")
        acts = {act.act for act in OperatorAct.objects.all()}
        assert acts == {"Region: west", "Reserved for: acme"}

    def test_a_customers_own_server_is_asked_for(self, console: Client) -> None:
        Shard.objects.filter(alias="shard_2").update(reserved_for="acme", region="west")
        told = {
            "name": "Of Acme",
            "slug": "of-acme",
            "owner_name": "Moa",
            "owner_email": "moa@made.example",
            "customer": "acme",
            "reason": "They bought a server",
        }
        refused = console.post(f"{LIST}make/", {**told, "shard": "shard_1"})
        assert refused.status_code == 422
        assert "No new organisations can be made" in refused.content.decode()
        assert console.post(f"{LIST}make/", told).status_code == 302
        made = Organisation.objects.get(slug="of-acme")
        assert (made.shard_id, made.customer) == ("shard_2", "acme")


class TestFleet:
    def test_an_organisation_has_its_migrations_earlier(self, console: Client, pulse: Organisation) -> None:
        page = f"{LIST}{pulse.pk}/ring/"
        assert "Canary has every migration first" in console.get(page).content.decode()
        assert console.post(page, {"ring": "canary", "reason": "short"}).status_code == 422
        assert console.post(page, {"ring": "nobody", "reason": "They asked for it"}).status_code == 422
        assert console.post(page, {"ring": "canary", "reason": "They asked for it"}).status_code == 302
        assert Organisation.objects.get(pk=pulse.pk).ring == "canary"
        assert OperatorAct.objects.get().act == "ring canary"
        assert "Canary" in console.get(f"{LIST}{pulse.pk}/change/").content.decode()

    def test_a_run_is_followed_and_stopped(self, console: Client) -> None:
        run = FleetRun.objects.create(aim="x", total=200, migrated=50, ring="early")
        page = f"/console/operations/fleetrun/{run.pk}/"
        shown = console.get(f"{page}change/").content.decode()
        assert "data-poll" in shown
        assert "50 of 200" in shown
        assert "Whoever was not reached" in console.get(f"{page}stop/").content.decode()
        assert console.post(f"{page}stop/", {"reason": ""}).status_code == 422
        assert console.post(f"{page}stop/", {"reason": "Errors on the canary"}).status_code == 302
        run.refresh_from_db()
        assert run.stop_asked_at
        assert run.said == "oz@enclave.example asked to stop: Errors on the canary"
        assert OperatorAct.objects.get().act == "stop migrating"
        again = console.post(f"{page}stop/", {"reason": "Errors on the canary"}, follow=True)
        assert "asked to stop already" in again.content.decode()
        FleetRun.objects.update(ended_at=timezone.now(), state="stopped")
        assert "data-poll" not in console.get(f"{page}change/").content.decode()
        assert "50 of 200" in console.get("/console/operations/fleetrun/").content.decode()


class TestSignIn:
    def test_leads_to_the_page_that_was_asked_for(self, db: None) -> None:
        cache.clear()
        with control_plane():
            User.objects.create_superuser("oz@enclave.example", "Oz", PASSWORD)
        first = visitor(settings.OPERATORS_HOST)
        with_password(first)
        secret = enrol(first)
        client = visitor(settings.OPERATORS_HOST)
        page = client.get(LIST, follow=True).redirect_chain[-1][0]
        step = client.post(page, {"login": "oz@enclave.example", "password": PASSWORD})["Location"]
        arrived = client.post(step, {"code": pyotp.TOTP(secret).now()}, follow=True)
        assert (arrived.redirect_chain[-1][0], arrived.status_code) == (LIST, 200)

    @pytest.mark.parametrize(
        ("asked", "leads"), [("/console/", "/console/"), ("//evil.example/", "/console/")]
    )
    def test_whoever_is_in_is_not_asked_again(self, console: Client, asked: str, leads: str) -> None:
        assert console.get("/console/login/", {"next": asked})["Location"] == leads
