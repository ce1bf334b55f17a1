"""A new password: by a link, and by the one who knows the old one."""

import re

from django.core import mail
from django.test import Client

from accounts.identity.models import User
from jobs.testing import run_due
from tenants.context import enter
from tenants.models import Organisation
from tests.conftest import PASSWORD
from tests.people import SETTING_UP, make_person, signed_in, visitor

RESET = "/accounts/password/reset/"
NEW = "something else that is long"


def link_in_mail(organisation: Organisation) -> str:
    """Do the organisation's jobs and return the link in the only mail."""
    run_due(organisation)
    assert len(mail.outbox) == 1
    found = re.search(r"http\S+", str(mail.outbox[0].body))
    assert found is not None
    return found[0]


def path_of(link: str) -> str:
    return "/" + link.split("/", 3)[3]


def choose(client: Client, path: str, password: str = NEW) -> int:
    """Follow a link and save a password; return the status of the last answer."""
    opened = client.get(path)
    if opened.status_code != 302:
        return opened.status_code
    return client.post(opened["Location"], {"password1": password, "password2": password}).status_code


class TestLink:
    def test_leads_to_the_stored_host_whatever_was_asked(self, pulse: Organisation) -> None:
        client = visitor("pulse.enclave.localhost")
        client.post(RESET, {"email": "ada@pulse.example"}, headers={"x-forwarded-host": "evil.example"})
        assert link_in_mail(pulse).startswith(
            "http://pulse.enclave.localhost:8000/accounts/password/reset/key/"
        )
        assert mail.outbox[0].to == ["ada@pulse.example"]

    def test_saves_the_password_once_and_ends_every_session(self, pulse: Organisation) -> None:
        elsewhere = signed_in(pulse, "ada@pulse.example")
        client = visitor("pulse.enclave.localhost")
        client.post(RESET, {"email": "ADA@pulse.example"})
        path = path_of(link_in_mail(pulse))
        assert choose(client, path) == 302
        assert elsewhere.get("/accounts/password/change/").status_code == 302
        assert choose(visitor("pulse.enclave.localhost"), path) == 200
        with enter(pulse, actor=SETTING_UP):
            assert User.objects.get(email="ada@pulse.example").check_password(NEW)

    def test_opens_nothing_at_another_organisation(self, pulse: Organisation, other: Organisation) -> None:
        make_person(other, "ada@pulse.example", "Ada of Other")
        visitor("pulse.enclave.localhost").post(RESET, {"email": "ada@pulse.example"})
        assert choose(visitor(other.primary_host), path_of(link_in_mail(pulse))) == 200

    def test_is_not_sent_to_strangers_deactivated_people_or_lists(self, pulse: Organisation) -> None:
        with enter(pulse, actor=SETTING_UP):
            User.objects.filter(email="ada@pulse.example").update(is_active=False)
        client = visitor("pulse.enclave.localhost")
        for address in ("no@body.example", "ada@pulse.example", "ada@pulse.example,evil@body.example"):
            client.post(RESET, {"email": address})
        client.post(RESET, {"email": "ada@pulse.example\nBcc: evil@body.example"})
        run_due(pulse)
        assert mail.outbox == []

    def test_goes_to_one_address_when_two_are_given(self, pulse: Organisation) -> None:
        client = visitor("pulse.enclave.localhost")
        client.post(RESET, {"email": ["evil@body.example", "ada@pulse.example"]})
        run_due(pulse)
        assert [message.to for message in mail.outbox] in ([], [["ada@pulse.example"]])


class TestChange:
    def test_keeps_this_session_and_ends_the_others(self, pulse: Organisation) -> None:
        here, there = signed_in(pulse, "ada@pulse.example"), signed_in(pulse, "ada@pulse.example")
        url = "/accounts/password/change/"
        response = here.post(url, {"oldpassword": PASSWORD, "password1": NEW, "password2": NEW})
        assert response.status_code == 302
        assert here.get(url).status_code == 200
        assert there.get(url).status_code == 302

    def test_needs_the_old_one(self, pulse: Organisation) -> None:
        client = signed_in(pulse, "ada@pulse.example")
        fields = {"oldpassword": "wrong", "password1": NEW, "password2": NEW}
        assert client.post("/accounts/password/change/", fields).status_code == 200

    def test_refuses_a_short_one(self, pulse: Organisation) -> None:
        client = signed_in(pulse, "ada@pulse.example")
        fields = {"oldpassword": PASSWORD, "password1": "short", "password2": "short"}
        assert client.post("/accounts/password/change/", fields).status_code == 200
