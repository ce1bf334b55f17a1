"""The pages about jobs: who sees which, what they show, what may be done."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db.models import F
from django.test import Client
from django.urls import reverse

from accounts.identity.models import User
from config.urls import tenant
from jobs.actions import enqueue
from jobs.actions.taking import take
from jobs.models import ClockTime, Job, from_now
from jobs.testing import run_due
from tenants.context import enter
from tenants.models import Organisation
from tests.jobs.lasting import ACTOR, now

ADA, BEN, CY = "ada@pulse.example", "ben@pulse.example", "cy@pulse.example"
ClientAs = Callable[[str, Organisation], Client]
HTMX = {"hx-request": "true"}


def asked_by(organisation: Organisation, email: str, label: str = "Import flights", **payload: object) -> Job:
    """Enqueue a job for a person."""
    with enter(organisation, actor=ACTOR):
        by = User.objects.get(email=email)
        job = enqueue("tests.items", payload={"items": 3, **payload}, label=label, by=by)
        job.refresh_from_db()
    return job


def url(name: str, *args: object) -> str:
    """Return an address on the organisation's site."""
    return reverse(f"jobs:{name}", args=args, urlconf=tenant.__name__)


class TestTheList:
    def test_shows_what_is_under_way_and_what_has_ended(
        self, pulse: Organisation, client_as: ClientAs
    ) -> None:
        asked_by(pulse, ADA, "An ended one")
        run_due(pulse)
        asked_by(pulse, ADA, "A waiting one")
        page = client_as(ADA, pulse).get(url("list")).content.decode()
        assert page.index("A waiting one") < page.index("An ended one")
        assert "Done" in page

    def test_is_empty_at_first(self, pulse: Organisation, client_as: ClientAs) -> None:
        assert "Nothing to wait for" in client_as(ADA, pulse).get(url("list")).content.decode()

    def test_shows_a_guest_their_own_only(self, pulse: Organisation, client_as: ClientAs) -> None:
        asked_by(pulse, ADA, "Of Ada")
        asked_by(pulse, CY, "Of Cy")
        page = client_as(CY, pulse).get(url("list")).content.decode()
        assert "Of Cy" in page
        assert "Of Ada" not in page

    def test_goes_on_after_fifty(self, pulse: Organisation, client_as: ClientAs) -> None:
        with enter(pulse, actor=ACTOR):
            Job.objects.bulk_create(
                Job(kind="tests.items", label=f"Number {n}.", state="succeeded", ended_at=ClockTime())
                for n in range(55)
            )
        client = client_as(ADA, pulse)
        first = client.get(url("list"))
        assert "Number 54." in first.content.decode()
        assert "Number 4." not in first.content.decode()
        rest = client.get(first.context["more_url"], headers=HTMX).content.decode()
        assert "Number 4." in rest
        assert "<html" not in rest

    def test_costs_the_same_for_one_job_and_for_many(
        self, pulse: Organisation, client_as: ClientAs, django_assert_max_num_queries: Callable[..., Any]
    ) -> None:
        for n in range(20):
            asked_by(pulse, ADA, f"Number {n}")
        with django_assert_max_num_queries(25, using="shard_1"):
            client_as(ADA, pulse).get(url("list"))

    def test_asks_for_the_page_again_when_something_ended(
        self, pulse: Organisation, client_as: ClientAs
    ) -> None:
        asked_by(pulse, ADA)
        client = client_as(ADA, pulse)
        poll = client.get(url("list")).context["poll_url"]
        assert "HX-Refresh" not in client.get(poll, headers=HTMX).headers
        run_due(pulse)
        assert client.get(poll, headers=HTMX).headers["HX-Refresh"] == "true"


class TestOneJob:
    def test_shows_rate_and_time_left(self, pulse: Organisation, client_as: ClientAs) -> None:
        job = asked_by(pulse, ADA)
        with enter(pulse, actor=ACTOR):
            Job.objects.filter(pk=job.pk).update(
                state="running", begun_at=from_now(-10), leased_until=from_now(30), done=1000, total=40_000
            )
        page = client_as(ADA, pulse).get(url("detail", job.pk)).content.decode()
        assert "1,000 of 40,000" in page
        assert "a second" in page
        assert "6\u00a0min left" in page

    def test_reckons_from_where_it_went_on(self, pulse: Organisation, client_as: ClientAs) -> None:
        job = asked_by(pulse, ADA)
        with enter(pulse, actor=ACTOR):
            Job.objects.filter(pk=job.pk).update(
                state="cancelled",
                begun_at=from_now(-86_400),
                ended_at=ClockTime(),
                done=20_000,
                total=40_000,
                checkpoint={"at": 1},
            )
        client_as(ADA, pulse).post(url("retry", job.pk))
        with enter(pulse, actor=ACTOR):
            assert take(queue="app") is not None
            Job.objects.filter(pk=job.pk).update(begun_at=F("begun_at") - timedelta(seconds=10), done=21_000)
        page = client_as(ADA, pulse).get(url("detail", job.pk)).content.decode()
        assert "3\u00a0min left" in page

    @pytest.mark.parametrize(("checkpoint", "label"), [({}, "Try again"), ({"at": 2}, "Go on")])
    def test_says_whether_it_would_begin_again_or_go_on(
        self, pulse: Organisation, client_as: ClientAs, checkpoint: dict[str, int], label: str
    ) -> None:
        job = asked_by(pulse, ADA)
        with enter(pulse, actor=ACTOR):
            Job.objects.filter(pk=job.pk).update(
                state="failed", ended_at=ClockTime(), error="No.", checkpoint=checkpoint
            )
        assert label in client_as(ADA, pulse).get(url("detail", job.pk)).content.decode()

    def test_shows_its_result(self, pulse: Organisation, client_as: ClientAs) -> None:
        job = asked_by(pulse, ADA)
        run_due(pulse)
        page = client_as(ADA, pulse).get(url("detail", job.pk)).content.decode()
        assert "Items" in page

    @pytest.mark.parametrize(("email", "status"), [(ADA, 200), (BEN, 200), (CY, 404)])
    def test_is_seen_by_who_may(
        self, pulse: Organisation, client_as: ClientAs, email: str, status: int
    ) -> None:
        job = asked_by(pulse, ADA)
        assert client_as(email, pulse).get(url("detail", job.pk)).status_code == status

    def test_sends_who_is_signed_out_to_the_entrance(self, pulse: Organisation) -> None:
        job = asked_by(pulse, ADA)
        client = Client(HTTP_HOST=pulse.primary_host, headers={"sec-fetch-site": "same-origin"})
        for name, args in (("list", ()), ("sidebar", ()), ("detail", (job.pk,))):
            assert client.get(url(name, *args)).status_code == 302

    @pytest.mark.parametrize("name", ["cancel", "retry"])
    @pytest.mark.parametrize(("email", "status"), [(ADA, 302), (BEN, 403), (CY, 404)])
    def test_is_changed_by_who_may(
        self, pulse: Organisation, client_as: ClientAs, name: str, email: str, status: int
    ) -> None:
        job = asked_by(pulse, ADA)
        if name == "retry":
            client_as(ADA, pulse).post(url("cancel", job.pk))
        assert client_as(email, pulse).post(url(name, job.pk)).status_code == status
        wanted = {("cancel", 302): "cancelled", ("retry", 302): "queued"}
        before = {"cancel": "queued", "retry": "cancelled"}[name]
        assert now(job, pulse).state == wanted.get((name, status), before)

    def test_that_has_ended_says_why_it_cannot_be_cancelled(
        self, pulse: Organisation, client_as: ClientAs
    ) -> None:
        job = asked_by(pulse, ADA)
        run_due(pulse)
        assert client_as(ADA, pulse).post(url("cancel", job.pk)).status_code == 409

    def test_of_another_organisation_is_not_there(
        self, pulse: Organisation, tide: Organisation, client_as: ClientAs
    ) -> None:
        job = asked_by(pulse, ADA)
        assert client_as("dee@tide.example", tide).get(url("detail", job.pk)).status_code == 404


class TestTheSidebar:
    def test_shows_own_jobs_and_asks_again(self, pulse: Organisation, client_as: ClientAs) -> None:
        asked_by(pulse, ADA, "Of Ada")
        asked_by(pulse, BEN, "Of Ben")
        part = client_as(BEN, pulse).get(url("sidebar"), headers=HTMX).content.decode()
        assert "Of Ben" in part
        assert "Of Ada" not in part
        assert url("sidebar") in part

    def test_is_silent_when_nothing_is_under_way(self, pulse: Organisation, client_as: ClientAs) -> None:
        assert not client_as(BEN, pulse).get(url("sidebar"), headers=HTMX).content.strip()
