"""What only an organisation can answer: asked, answered, given a default at the deadline, tracked."""

from datetime import UTC, datetime, timedelta

import pytest
from django import forms
from django.core.exceptions import ImproperlyConfigured

from accounts import questions
from accounts.actions import answering
from accounts.actions.answering import answer_to
from accounts.models import OrganisationAnswer
from accounts.questions import Question, all_answered
from audit.models import Event
from operations.actions import asking
from tenants import capabilities
from tenants.context import Actor, enter
from tenants.models import Organisation, QuestionState
from tenants.placement import State
from tests.conftest import ClientAs
from tests.people import visitor

KEY = "tests.currency"
PAGE = f"/settings/questions/{KEY}/"
ACTOR = Actor.system("test")
DEADLINE = datetime(2100, 1, 31, tzinfo=UTC)
LATER = DEADLINE + timedelta(hours=1)


def currency() -> forms.Field:
    """Return the field of the question."""
    return forms.ChoiceField(label="Currency", choices=[("EUR", "Euro"), ("GBP", "Pound")])


QUESTION = Question(KEY, "Which currency?", "Prices get one.", currency, "EUR", DEADLINE)


@pytest.fixture(autouse=True)
def asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """A question of the tests' own."""
    monkeypatch.setattr(questions, "_questions", {})
    questions.register(QUESTION)


def progress(organisation: Organisation) -> str:
    """Return what the control plane knows."""
    return str(QuestionState.objects.get(organisation=organisation, key=KEY).progress)


def given(organisation: Organisation) -> str | None:
    """Return what the organisation has answered."""
    with enter(organisation, actor=ACTOR):
        return answer_to(KEY)


class TestThePage:
    def test_is_announced_until_it_is_answered(self, pulse: Organisation, client_as: ClientAs) -> None:
        ada = client_as("ada@pulse.example", pulse)
        for page in ("/", "/settings/"):
            body = ada.get(page).content.decode()
            assert "Which currency?" in body
            assert "By 31 January 2100; otherwise “Euro” is taken" in body
        assert "Which currency?" not in client_as("ben@pulse.example", pulse).get("/").content.decode()
        shown = ada.get(PAGE).content.decode()
        assert "Please answer by 31 January 2100. After that “Euro” is taken." in shown
        assert ada.post(PAGE, {"answer": "GBP"}).status_code == 302
        assert given(pulse) == "GBP"
        assert "Which currency?" not in ada.get("/").content.decode()
        with enter(pulse, actor=ACTOR):
            event = Event.objects.filter(code__startswith="accounts.organisationanswer").last()
            assert event is not None

    def test_keeps_what_was_typed_and_says_what_is_wrong(
        self, pulse: Organisation, client_as: ClientAs
    ) -> None:
        answer = client_as("ada@pulse.example", pulse).post(PAGE, {"answer": "USD"})
        assert answer.status_code == 422
        assert given(pulse) is None

    def test_is_for_those_who_change_settings(
        self, pulse: Organisation, tide: Organisation, client_as: ClientAs
    ) -> None:
        ben = client_as("ben@pulse.example", pulse)
        assert (ben.get(PAGE).status_code, ben.post(PAGE, {"answer": "GBP"}).status_code) == (403, 403)
        out = visitor(pulse.primary_host)
        assert (out.get(PAGE).status_code, out.post(PAGE, {"answer": "GBP"}).status_code) in {
            (302, 302),
            (302, 403),
        }
        dee = client_as("dee@tide.example", tide)
        assert dee.post(PAGE, {"answer": "GBP"}).status_code == 302
        # Another organisation has answered for itself only.
        assert (given(pulse), given(tide)) == (None, "GBP")

    def test_does_not_exist_without_its_question(self, pulse: Organisation, client_as: ClientAs) -> None:
        assert client_as("ada@pulse.example", pulse).get("/settings/questions/a.b/").status_code == 404


class TestTheFleet:
    def test_is_asked_and_given_the_default_at_the_deadline(
        self, pulse: Organisation, tide: Organisation, client_as: ClientAs
    ) -> None:
        assert not all_answered(KEY)
        asking.sweep(at=DEADLINE - timedelta(days=1))
        assert (progress(pulse), progress(tide)) == ("asked", "asked")
        client_as("dee@tide.example", tide).post(PAGE, {"answer": "GBP"})
        assert not all_answered(KEY)
        # One that is leaving is given it too.
        Organisation.objects.get(pk=pulse.pk).move_to(State.LEAVING, reason="test")
        asking.sweep(at=LATER)
        assert (given(pulse), given(tide)) == ("EUR", "GBP")
        # Also where nobody heard of the answer: what the organisation says counts.
        assert (progress(pulse), progress(tide)) == ("defaulted", "answered")
        assert all_answered(KEY)
        with enter(pulse, actor=ACTOR):
            assert OrganisationAnswer.objects.get(key=KEY).is_default
        assert asking.sweep(at=LATER) == 0

    def test_one_that_is_new_has_not_answered(self, pulse: Organisation, tide: Organisation) -> None:
        asking.sweep(at=LATER)
        QuestionState.objects.filter(organisation=pulse).delete()
        assert not all_answered(KEY)
        assert not all_answered("tests.other")

    def test_a_schema_that_keeps_no_answers_yet_waits(
        self, pulse: Organisation, monkeypatch: pytest.MonkeyPatch, client_as: ClientAs
    ) -> None:
        monkeypatch.setattr(answering, "has", lambda name: False)
        asking.sweep(at=LATER)
        assert progress(pulse) == "asked"
        assert client_as("ada@pulse.example", pulse).get("/").status_code == 200


class TestRegistering:
    @pytest.mark.parametrize(
        ("wrong", "said"),
        [
            (Question("Bad", "t", "t", currency, "EUR", DEADLINE), "no key"),
            (QUESTION, "twice"),
            (Question("a.b", "t", "t", currency, "USD", DEADLINE), "no answer"),
            (Question("a.b", "t", "t", currency, "EUR", datetime(2100, 1, 1)), "time zone"),  # on purpose
        ],
    )
    def test_refuses_what_cannot_be_asked(self, wrong: Question, said: str) -> None:
        with pytest.raises(ImproperlyConfigured, match=said):
            questions.register(wrong)


def test_the_answers_are_declared() -> None:
    assert "accounts.answers" in [one.name for one in capabilities.declared()]
