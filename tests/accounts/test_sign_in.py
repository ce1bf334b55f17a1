"""Signing in with a password, at an organisation's host."""

import json

import pytest
from django.conf import settings
from django.test import Client
from django.utils import timezone

from accounts.identity.models import Session, User
from accounts.sessions import digest
from audit.models import Event
from tenants.context import enter
from tenants.models import Organisation
from tests.conftest import PASSWORD
from tests.people import SETTING_UP, signed_in, visitor

LOGIN = "/accounts/login/"
COOKIE = settings.SESSION_COOKIE_NAME


def sign_in(client: Client, email: str, password: str = PASSWORD, **more: str) -> int:
    """Send the form of the page and return the status of the answer."""
    return client.post(LOGIN, {"login": email, "password": password, **more}).status_code


class TestPassword:
    def test_signs_in_and_names_the_person(self, pulse: Organisation) -> None:
        client = visitor("pulse.enclave.localhost")
        response = client.post(LOGIN, {"login": "Ada@pulse.example", "password": PASSWORD})
        assert response.status_code == 302
        assert response["Location"] == "/"
        with enter(pulse, actor=SETTING_UP):
            row = Session.objects.select_related("user").get(user__email="ada@pulse.example")
        assert row.host == "pulse.enclave.localhost"
        assert row.organisation_id == pulse.pk
        assert row.authenticated_at is not None

    def test_stores_the_token_hashed(self, pulse: Organisation) -> None:
        client = visitor("pulse.enclave.localhost")
        sign_in(client, "ada@pulse.example")
        token = client.cookies[COOKIE].value
        with enter(pulse, actor=SETTING_UP):
            row = Session.objects.get(user__email="ada@pulse.example")
        assert bytes(row.digest) == digest(token)
        assert token not in row.data

    def test_changes_the_token(self, pulse: Organisation) -> None:
        client = visitor("pulse.enclave.localhost")
        client.cookies[COOKIE] = "chosen-by-somebody-else"
        sign_in(client, "ada@pulse.example")
        assert client.cookies[COOKIE].value != "chosen-by-somebody-else"

    @pytest.mark.parametrize(
        ("email", "password"), [("ada@pulse.example", "wrong"), ("no@body.example", PASSWORD)]
    )
    def test_refuses_what_is_wrong(self, pulse: Organisation, email: str, password: str) -> None:
        client = visitor("pulse.enclave.localhost")
        response = client.post(LOGIN, {"login": email, "password": password})
        assert response.status_code == 200
        assert "do not match" in response.content.decode()
        assert COOKIE not in client.cookies

    def test_knows_nobody_of_another_organisation(self, pulse: Organisation, tide: Organisation) -> None:
        client = visitor("tide.enclave.localhost")
        assert sign_in(client, "ada@pulse.example") == 200

    def test_refuses_a_deactivated_person(self, pulse: Organisation) -> None:
        with enter(pulse, actor=SETTING_UP):
            User.objects.filter(email="ada@pulse.example").update(is_active=False)
        client = visitor("pulse.enclave.localhost")
        response = client.post(LOGIN, {"login": "ada@pulse.example", "password": PASSWORD})
        assert response["Location"] == "/accounts/inactive/"

    @pytest.mark.parametrize(
        ("more", "limit"), [({}, settings.SESSION_IDLE_SHORT), ({"remember": "on"}, settings.SESSION_IDLE)]
    )
    def test_lasts_as_long_as_was_asked_for(
        self, pulse: Organisation, more: dict[str, str], limit: object
    ) -> None:
        client = visitor("pulse.enclave.localhost")
        sign_in(client, "ada@pulse.example", **more)
        with enter(pulse, actor=SETTING_UP):
            row = Session.objects.get(user__email="ada@pulse.example")
        assert row.idle == limit
        assert bool(client.cookies[COOKIE]["max-age"]) == bool(more)
        assert row.idle_until > timezone.now()


def codes_of(organisation: Organisation) -> list[str]:
    """Return the codes of intent in the trail, oldest first."""
    with enter(organisation, actor=SETTING_UP):
        return list(
            Event.objects.filter(code__in=["sign_in.done", "sign_in.failed", "sign_in.ended"])
            .order_by("eid")
            .values_list("code", flat=True)
        )


class TestTrail:
    def test_tells_who_came_and_went(self, pulse: Organisation) -> None:
        client = visitor("pulse.enclave.localhost")
        sign_in(client, "ada@pulse.example")
        client.post("/accounts/logout/")
        assert codes_of(pulse) == ["sign_in.done", "sign_in.ended"]

    def test_tells_of_failures_too(self, pulse: Organisation) -> None:
        sign_in(visitor("pulse.enclave.localhost"), "ada@pulse.example", "wrong")
        assert codes_of(pulse) == ["sign_in.failed"]

    def test_knows_the_person_and_the_session(self, pulse: Organisation) -> None:
        client = signed_in(pulse, "ben@pulse.example")
        client.post("/account/", {"name": "Ben Reyes"})
        with enter(pulse, actor=SETTING_UP):
            session = Session.objects.get()
            event = Event.objects.filter(code="identity.user.changed").latest("eid")
        actor = json.loads(event.payload)["by"]
        assert actor["kind"] == "person"
        assert actor["credential"] == session.short_name
        assert event.actor_id == session.user_id
