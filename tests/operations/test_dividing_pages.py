"""Dividing an organisation on its own pages: choosing, seeing what it means, asking, taking it back."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import connections
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.actions.people import add_person
from accounts.identity.models import User
from audit.models import Event
from jobs.actions import enqueue
from jobs.models import Job, JobState
from operations.jobs import DIVISION
from operations.models import JoiningStep, OperatorAct, Split
from operations.views import dividing, dividing_form
from permissions.actions.memberships import assign_role
from permissions.models import Role
from records.models import Collection
from tenants import hosts
from tenants.context import Actor, enter
from tenants.models import Organisation
from tests.conftest import ClientAs
from tests.operations.test_merging_pages import words
from tests.operations.test_splitting_pages import split_of

PAGE = "/divide/"
STOPS = ["stops", "people", "owners", "Nobody would be left who owns the organisation."]
CROSSES = ["crosses", "links", "Gigs, Venue", "3 of them lead to nothing then."]


@pytest.fixture
def ada(pulse: Organisation, client_as: ClientAs) -> Client:
    """The browser of Pulse's owner."""
    return client_as("ada@pulse.example", pulse)


@pytest.fixture
def ids(pulse: Organisation) -> dict[str, str]:
    """The ids of Pulse's people by the first part of their address, and of a collection of theirs."""
    with enter(pulse, actor=Actor.system("test")):
        made = Collection.objects.create(name="Gigs", key="gigs-to-go")
        people = {user.email.partition("@")[0]: str(user.pk) for user in User.objects.all()}
    return {**people, "gigs": str(made.pk)}


def told(ids: dict[str, str], **changed: object) -> dict[str, Any]:
    """Return the form: Ben goes with the gigs and owns what they become."""
    return {
        "name": "Pulse North",
        "slug": "pulse-north",
        "collections": [ids["gigs"]],
        f"where-{ids['ben']}": "goes",
        "owner": ids["ben"],
        "reason": "They go their own way",
        **changed,
    }


def jobs_of(pulse: Organisation) -> list[Job]:
    """Return what was asked to be looked at, the newest first."""
    with enter(pulse, actor=Actor.system("test")):
        return list(Job.objects.filter(kind=DIVISION).order_by("-id"))


def looked_at(pulse: Organisation, job: Job, *found: list[str], state: str = JobState.SUCCEEDED) -> str:
    """Let something have been found; return the page that tells it."""
    at = timezone.now()
    with enter(pulse, actor=Actor.system("test")):
        Job.objects.filter(pk=job.pk).update(
            state=state,
            result={"found": list(found), "more": 0, "rows": {}},
            begun_at=at,
            ended_at=None if state == JobState.QUEUED else at,
        )
    return f"{PAGE}look/{job.pk}/"


class TestChoosing:
    def test_begins_with_what_it_is(self, ada: Client) -> None:
        page = words(ada.get(PAGE))
        assert "A part becomes an organisation of its own" in page
        assert "Choose what goes" in page

    def test_is_told_to_a_job_by_ids_alone(
        self, ada: Client, pulse: Organisation, ids: dict[str, str]
    ) -> None:
        page = words(ada.get(f"{PAGE}new/"))
        assert "Ben Castillo" in page
        assert "Gigs" in page
        answer = ada.post(f"{PAGE}new/", told(ids))
        (job,) = jobs_of(pulse)
        assert (answer.status_code, answer["Location"]) == (302, f"{PAGE}look/{job.pk}/")
        assert job.payload["picks"] == {
            "owner": ids["ben"],
            "collections": [ids["gigs"]],
            "goes": [ids["ben"]],
            "both": [],
        }
        assert "Ben" not in str(job.payload)
        # Who may see jobs reads its label.
        assert "North" not in job.label
        assert not Split.objects.exists()

    @pytest.mark.parametrize(
        ("changed", "why"),
        [
            ({"collections": []}, "Choose at least one."),
            ({"collections": [str(uuid4())]}, "is not one of the available choices"),
            ({"owner": "cy"}, "Choose somebody who goes or is in both."),
            ({"ben": "stays"}, "Somebody has to go, or to be in both"),
            ({"slug": "Pulse North!"}, "Use 3 to 40 lower-case letters"),
            ({"slug": "tide"}, "The address tide is taken."),
            ({"as_of": "2001-01-01"}, "It can count as another organisation from"),
            ({"as_of": f"{timezone.now() + timedelta(days=3):%Y-%m-%d}"}, "up to now"),
            ({"as_of": "yesterday"}, "Enter a valid date"),
            ({"reason": ""}, "Fill this in."),
        ],
    )
    def test_what_is_wrong_is_said_and_nothing_is_lost(
        self, ada: Client, pulse: Organisation, ids: dict[str, str], changed: dict[str, Any], why: str
    ) -> None:
        form = told(
            ids, **{key: ids.get(value, value) if key == "owner" else value for key, value in changed.items()}
        )
        if "ben" in form:
            form[f"where-{ids['ben']}"] = form.pop("ben")
        answer = ada.post(f"{PAGE}new/", form)
        assert (answer.status_code, why in words(answer)) == (422, True)
        assert jobs_of(pulse) == []
        page = answer.content.decode()
        assert 'value="Pulse North"' in page
        if "ben" not in changed:
            assert '<option value="goes" selected>' in page

    def test_somebody_of_another_organisation_cannot_be_chosen(
        self, ada: Client, pulse: Organisation, tide: Organisation, ids: dict[str, str]
    ) -> None:
        with enter(tide, actor=Actor.system("test")):
            dee = str(User.objects.get(email="dee@tide.example").pk)
        answer = ada.post(f"{PAGE}new/", told(ids, **{f"where-{dee}": "goes"}))
        assert answer.status_code == 302
        assert dee not in str(jobs_of(pulse)[0].payload)
        assert ada.post(f"{PAGE}new/", told(ids, owner=dee)).status_code == 422

    def test_not_more_than_some_a_day_and_not_more_than_a_job_can_be_told(
        self, ada: Client, pulse: Organisation, ids: dict[str, str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(dividing, "MOST_LOOKS_A_DAY", 1)
        assert ada.post(f"{PAGE}new/", told(ids)).status_code == 302
        answer = ada.post(f"{PAGE}new/", told(ids))
        assert (answer.status_code, "Come back tomorrow" in words(answer)) == (422, True)
        monkeypatch.setattr(dividing_form, "MOST_PICKED", 1)
        answer = ada.post(f"{PAGE}new/", told(ids))
        assert (answer.status_code, "Choose at most 1 people" in words(answer)) == (422, True)

    def test_the_most_that_can_be_chosen_fits_into_a_job(self, ada: Client, pulse: Organisation) -> None:
        some = [str(uuid4()) for _ in range(dividing_form.MOST_PICKED)]
        picks = {"owner": some[0], "collections": some[:50], "goes": some[50:], "both": []}
        payload = {
            "name": "n" * 120,
            "slug": "s" * 40,
            "reason": "ö" * 300,
            "picks": picks,
            "effective_at": timezone.now().isoformat(),
            "dated": True,
        }
        with enter(pulse, actor=Actor.system("test")):
            assert enqueue(DIVISION, payload=payload, label="Check", by=None).state == JobState.QUEUED

    def test_asks_no_more_for_more_people(self, ada: Client, pulse: Organisation) -> None:
        ada.get(f"{PAGE}new/")
        counts = []
        for number in range(2):
            with enter(pulse, actor=Actor.system("test")):
                owner = User.objects.get(email="ada@pulse.example")
                for more in range(5 * number):
                    person = add_person(email=f"m{more}@pulse.example", name="M", at=timezone.now())
                    role = Role.objects.get(code="member")
                    assign_role(user=person, role=role, by=owner, at=timezone.now())
            with CaptureQueriesContext(connections["shard_1"]) as asked:
                assert ada.get(f"{PAGE}new/").status_code == 200
            counts.append(len(asked))
        assert counts[0] == counts[1]


class TestLooking:
    @pytest.fixture
    def job(self, ada: Client, pulse: Organisation, ids: dict[str, str]) -> Job:
        """Somebody has chosen."""
        ada.post(f"{PAGE}new/", told(ids))
        return jobs_of(pulse)[0]

    def test_it_waits_and_then_tells_by_name(self, ada: Client, pulse: Organisation, job: Job) -> None:
        page = looked_at(pulse, job, state=JobState.QUEUED)
        waiting = ada.get(page)
        assert 'hx-trigger="every 2s"' in waiting.content.decode()
        assert "Ask the operators" not in words(waiting)
        looked_at(pulse, job, CROSSES)
        assert ada.get(page, headers={"HX-Request": "true"})["HX-Refresh"] == "true"
        told = words(ada.get(page))
        assert (
            "Links between what goes and what stays Gigs, VenueLinks3 of them lead to nothing then." in told
        )
        assert "GoBen Castillo" in told
        assert "Ask the operators" in told
        assert "Pulse North" in words(ada.get(PAGE))

    def test_nothing_can_be_asked_for_that_has_to_be_settled_first(
        self, ada: Client, pulse: Organisation, job: Job
    ) -> None:
        page = looked_at(pulse, job, STOPS)
        assert "Something has to be settled first" in words(ada.get(page))
        assert ada.post(f"{page}ask/").status_code == 404
        assert not Split.objects.exists()

    def test_what_failed_says_why_and_can_be_chosen_again(
        self, ada: Client, pulse: Organisation, job: Job
    ) -> None:
        page = looked_at(pulse, job, state=JobState.FAILED)
        with enter(pulse, actor=Actor.system("test")):
            Job.objects.filter(pk=job.pk).update(error="The disk is full.", result={})
        answer = ada.get(page)
        assert "The disk is full." in words(answer)
        assert ada.post(f"{page}ask/").status_code == 404
        again = ada.get(f"{PAGE}new/?again={job.pk}").content.decode()
        assert 'value="Pulse North"' in again
        assert '<option value="goes" selected>' in again
        assert ada.get(f"{PAGE}new/?again=nonsense").status_code == 200


class TestAsking:
    @pytest.fixture
    def page(self, ada: Client, pulse: Organisation, ids: dict[str, str]) -> str:
        """What was chosen was looked at, and stands in nobody's way."""
        ada.post(f"{PAGE}new/", told(ids))
        return looked_at(pulse, jobs_of(pulse)[0])

    def test_waits_for_an_operator(
        self, ada: Client, pulse: Organisation, ids: dict[str, str], page: str
    ) -> None:
        assert ada.post(f"{page}ask/").status_code == 302
        split = Split.objects.get()
        assert (split.source_id, split.name, split.step) == (pulse.pk, "Pulse North", JoiningStep.ASKED)
        assert split.picks["goes"] == [ids["ben"]]
        assert split.asked_by == "ada@pulse.example"
        assert OperatorAct.objects.get().act == "ask for split"
        with enter(pulse, actor=Actor.system("test")):
            assert Event.objects.filter(code="organisation.split_asked").count() == 1
        shown = words(ada.get(PAGE))
        assert "Take it back" in shown
        assert "Choose what goes" not in shown

    def test_not_twice(self, ada: Client, page: str) -> None:
        ada.post(f"{page}ask/")
        assert "Ask the operators" not in words(ada.get(page))
        answer = ada.post(f"{page}ask/")
        assert (answer.status_code, "is open" in words(answer)) == (422, True)
        assert Split.objects.count() == 1

    def test_can_be_taken_back_until_it_is_approved(
        self, ada: Client, pulse: Organisation, page: str
    ) -> None:
        ada.post(f"{page}ask/")
        split = Split.objects.get()
        assert ada.post(f"{PAGE}{split.pk}/cancel/").status_code == 302
        split.refresh_from_db()
        assert split.step == JoiningStep.CANCELLED
        with enter(pulse, actor=Actor.system("test")):
            assert Event.objects.filter(code="organisation.split_taken_back").count() == 1
        assert "Choose what goes" in words(ada.get(PAGE))

    def test_says_until_when_it_can_be_undone(self, ada: Client, pulse: Organisation) -> None:
        split = split_of(pulse, "done", undo_until=timezone.now() + timedelta(days=30))
        page = ada.get(PAGE).content.decode()
        assert "It is done. The operators can undo it until" in words(ada.get(PAGE))
        assert f'href="http://{split.slug}.' in page

    @pytest.mark.parametrize("step", [step for step in JoiningStep if step not in ("asked", "found")])
    def test_not_afterwards(self, ada: Client, pulse: Organisation, step: JoiningStep) -> None:
        split = split_of(pulse, step)
        assert "Take it back" not in words(ada.get(PAGE))
        ada.post(f"{PAGE}{split.pk}/cancel/")
        split.refresh_from_db()
        assert split.step == step

    def test_nobody_takes_back_what_another_organisation_asked_for(
        self, ada: Client, tide: Organisation
    ) -> None:
        split = split_of(tide)
        assert ada.post(f"{PAGE}{split.pk}/cancel/").status_code == 404
        split.refresh_from_db()
        assert split.step == JoiningStep.FOUND
        assert split.name not in words(ada.get(PAGE))

    def test_while_it_stands_still_nothing_is_asked_for(
        self, ada: Client, pulse: Organisation, page: str
    ) -> None:
        Organisation.objects.filter(pk=pulse.pk).update(state="leaving")
        hosts.forget()
        assert "Choose what goes" not in words(ada.get(PAGE))
        assert "Ask the operators" not in words(ada.get(page))
        ada.post(f"{page}ask/")
        assert not Split.objects.exists()
