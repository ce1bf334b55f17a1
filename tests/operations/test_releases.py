"""Placing organisations on releases: console, command, and what a process says of those who are elsewhere."""

from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from config.embedded.ports import free_port
from jobs.actions import enqueue
from jobs.actions.running import Surroundings
from jobs.actions.working import has_work, work
from jobs.models import Job
from jobs.placing import resolve
from operations.actions.releasing import NoSuchRelease, place_on_release
from operations.models import OperatorAct
from tenants import hosts
from tenants.context import Actor, enter
from tenants.models import Organisation, Release
from tests.conftest import ClientAs
from tests.operations.test_console import LIST
from tests.people import visitor

RELEASES = "/console/tenants/release/"
WHY = "The upgrade of November"


@pytest.fixture
def later(db: None) -> Release:
    """A release beside the current one."""
    return Release.objects.create(name="next", pool=f"127.0.0.1:{free_port()}")


def put(organisation: Organisation, release: str) -> None:
    """Write the field, whatever the rules are."""
    Organisation.objects.filter(pk=organisation.pk).update(release=release)
    hosts.forget()


class TestTheConsole:
    def test_upgrades_and_goes_back_with_a_reason(
        self,
        console: Client,
        pulse: Organisation,
        later: Release,
    ) -> None:
        page = f"{LIST}{pulse.pk}/release/"
        assert page in console.get(f"{LIST}{pulse.pk}/change/").content.decode()
        assert "everybody stays signed in" in console.get(page).content.decode()
        assert console.post(page, {"release": "next", "reason": ""}).status_code == 422
        assert console.post(page, {"release": "other", "reason": WHY}).status_code == 422
        assert console.post(page, {"release": "next", "reason": WHY}).status_code == 302
        assert Organisation.objects.get(pk=pulse.pk).release == "next"
        Release.objects.filter(name="current").update(pool="127.0.0.1:1")
        assert console.post(page, {"release": "current", "reason": WHY}).status_code == 302
        acts = OperatorAct.objects.filter(organisation=pulse).values_list("act", "reason", "operator_label")
        assert set(acts) == {
            ("release next", f"From current: {WHY}", "oz@enclave.example"),
            ("release current", f"From next: {WHY}", "oz@enclave.example"),
        }

    def test_makes_and_withdraws_releases(self, console: Client, pulse: Organisation) -> None:
        made = {"name": "2027.1", "state": "open", "pool": "10.0.0.7:8000", "reason": "A new release"}
        assert console.post(f"{RELEASES}add/", {**made, "pool": "http://x"}).status_code == 200
        assert console.post(f"{RELEASES}add/", {**made, "name": "Not one"}).status_code == 200
        assert not Release.objects.filter(pool="http://x").exists()
        assert console.post(f"{RELEASES}add/", made).status_code == 302
        assert "2027.1" in console.get(RELEASES).content.decode()
        put(pulse, "2027.1")
        change = f"{RELEASES}2027.1/change/"
        gone = {"state": "withdrawn", "pool": "", "reason": "No longer used"}
        assert "1 organisation is on it" in console.post(change, gone).content.decode()
        put(pulse, "current")
        assert console.post(change, gone).status_code == 302
        assert Release.objects.get(pk="2027.1").state == "withdrawn"
        assert OperatorAct.objects.filter(organisation_label="Release 2027.1").count() > 1

    def test_is_for_operators(self, pulse: Organisation, client_as: ClientAs) -> None:
        page = f"{LIST}{pulse.pk}/release/"
        assert visitor("operators.localhost").post(page, {"release": "next"}).status_code == 302
        assert client_as("ada@pulse.example", pulse).get(page).status_code == 404


class TestPlacing:
    def test_the_command_says_who_it_was(self, pulse: Organisation, later: Release) -> None:
        call_command("release", "pulse", to="next", verbosity=0)
        act = OperatorAct.objects.get(organisation=pulse)
        assert (act.operator, act.operator_label, act.act) == (None, "Command line", "release next")
        for slug, name in (("nobody", "next"), ("pulse", "nothing"), ("pulse", "next")):
            with pytest.raises(CommandError):
                call_command("release", slug, to=name, verbosity=0)

    @pytest.mark.parametrize("changed", [{"state": "withdrawn"}, {"pool": ""}])
    def test_a_release_that_serves_nobody_is_refused(
        self, pulse: Organisation, later: Release, changed: dict[str, str]
    ) -> None:
        Release.objects.filter(pk=later.pk).update(**changed)
        with pytest.raises(NoSuchRelease):
            place_on_release(organisation=pulse, to="next", reason=WHY, by=None)


class TestElsewhere:
    def test_a_request_of_another_release_is_not_served(
        self, pulse: Organisation, later: Release, settings: Any
    ) -> None:
        put(pulse, "next")
        answer = visitor(pulse.primary_host).get("/accounts/login/")
        assert answer.status_code == 421
        assert answer["X-Enclave-Pool"] == later.pool
        # It is looked up again before it is turned away.
        settings.RELEASE = "next"
        assert visitor(pulse.primary_host).get("/accounts/login/").status_code == 200
        Organisation.objects.filter(pk=pulse.pk).update(release="current")
        settings.RELEASE = "current"
        assert visitor(pulse.primary_host).get("/accounts/login/").status_code == 200

    @pytest.mark.parametrize("name", ["unknown", "next"])
    def test_a_release_that_is_not_there_is_a_plain_page(
        self, pulse: Organisation, later: Release, name: str
    ) -> None:
        Release.objects.filter(pk=later.pk).update(state="withdrawn")
        put(pulse, name)
        for path in ("/", "/accounts/login/"):
            answer = visitor(pulse.primary_host).get(path)
            assert answer.status_code == 503
            assert "This organisation is being upgraded" in answer.content.decode()
            assert "X-Enclave-Pool" not in answer.headers

    def test_its_jobs_are_left_for_the_other_pool(
        self, pulse: Organisation, later: Release, settings: Any
    ) -> None:
        with enter(pulse, actor=Actor.system("test")):
            job = enqueue("mail.send", payload={}, label="Mail", by=None)
        put(pulse, "next")
        there = Organisation.objects.get(pk=pulse.pk).placement()
        around = Surroundings(resolve=resolve, beats=False)
        assert work(there, queue="mail", around=around).job_id is None
        assert not has_work(there, queue="mail")
        settings.RELEASE = "next"
        assert has_work(there, queue="mail")
        with enter(pulse, actor=Actor.system("test")):
            assert Job.objects.get(pk=job.pk).state == "queued"
