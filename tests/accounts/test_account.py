"""One's own account: name, address, sessions."""

import re

from allauth.account.models import EmailAddress
from django.core import mail
from django.test import Client

from accounts.identity.models import Session, User
from jobs.testing import run_due
from tenants.context import enter
from tenants.models import Organisation
from tests.accounts.test_sign_in import sign_in
from tests.people import SETTING_UP, make_person, signed_in, visitor

PAGE = "/account/"
ADDRESS = "/accounts/email/"


class TestName:
    def test_is_saved(self, pulse: Organisation) -> None:
        client = signed_in(pulse, "ben@pulse.example")
        assert client.post(PAGE, {"name": "  Ben   Castillo-Reyes "}).status_code == 302
        assert "Ben Castillo-Reyes" in client.get(PAGE).content.decode()

    def test_is_not_empty(self, pulse: Organisation) -> None:
        assert signed_in(pulse, "ben@pulse.example").post(PAGE, {"name": "  "}).status_code == 422

    def test_the_page_is_for_the_signed_in(self, pulse: Organisation) -> None:
        response = visitor("pulse.enclave.localhost").get(PAGE)
        assert response["Location"] == "/accounts/login/?next=%2Faccount%2F"


class TestSessions:
    def test_are_listed_and_one_is_signed_out(self, pulse: Organisation) -> None:
        here, there = signed_in(pulse, "ben@pulse.example"), signed_in(pulse, "ben@pulse.example")
        with enter(pulse, actor=SETTING_UP):
            other = Session.objects.latest("created_at").pk
        assert here.get(PAGE).content.decode().count("/end/") == 1
        assert here.post(f"/account/sessions/{other}/end/").status_code == 302
        assert there.get(PAGE).status_code == 302
        assert here.get(PAGE).status_code == 200

    def test_all_others_are_signed_out(self, pulse: Organisation) -> None:
        here = signed_in(pulse, "ben@pulse.example")
        others = [signed_in(pulse, "ben@pulse.example") for _ in range(3)]
        here.post("/account/sessions/end-others/")
        assert [client.get(PAGE).status_code for client in others] == [302, 302, 302]
        assert "Signed out of 3 other browsers" in here.get(PAGE).content.decode()

    def test_of_others_are_not_reached(self, pulse: Organisation) -> None:
        ada = signed_in(pulse, "ada@pulse.example")
        with enter(pulse, actor=SETTING_UP):
            hers = Session.objects.latest("created_at").pk
        ben = signed_in(pulse, "ben@pulse.example")
        assert ben.post(f"/account/sessions/{hers}/end/").status_code == 404
        assert ada.get(PAGE).status_code == 200


def mailed_path(organisation: Organisation, to: str) -> str:
    run_due(organisation)
    body = next(str(message.body) for message in mail.outbox if message.to == [to])
    found = re.search(r"http://[^/]+(/accounts/confirm-email/\S+)", body)
    assert found is not None
    return found[1]


def change(client: Client, email: str) -> int:
    return client.post(ADDRESS, {"action_add": "1", "email": email}).status_code


class TestAddress:
    def test_counts_once_the_link_was_followed(self, pulse: Organisation) -> None:
        client = signed_in(pulse, "ben@pulse.example")
        assert change(client, "ben@new.example") == 302
        early = visitor("pulse.enclave.localhost")
        sign_in(early, "ben@new.example")
        assert early.get(PAGE).status_code == 302
        mail.outbox.clear()
        path = mailed_path(pulse, "ben@new.example")
        assert client.get(path).status_code == 200
        assert client.post(path).status_code == 302
        with enter(pulse, actor=SETTING_UP):
            assert User.objects.get(name="Ben Castillo").email == "ben@new.example"
        assert sign_in(early, "ben@new.example") == 302
        assert early.get(PAGE).status_code == 200
        assert sign_in(visitor("pulse.enclave.localhost"), "ben@pulse.example") == 200

    def test_a_link_of_another_organisation_confirms_nothing(
        self, pulse: Organisation, other: Organisation
    ) -> None:
        change(signed_in(pulse, "ben@pulse.example"), "victim@x.example")
        path = mailed_path(pulse, "victim@x.example")
        # The link names the address by its number, which another organisation may have given too.
        with enter(pulse, actor=SETTING_UP):
            number = EmailAddress.objects.get(email="victim@x.example").pk
        thief = make_person(other, "thief@x.example", "Thief")
        with enter(other, actor=SETTING_UP):
            EmailAddress.objects.filter(pk=number).delete()
            EmailAddress.objects.create(pk=number, user=thief, email="victim@y.example")
        assert "does not work" in visitor(other.primary_host).get(path).content.decode()
        assert visitor(other.primary_host).post(path).status_code == 404
        with enter(other, actor=SETTING_UP):
            assert not EmailAddress.objects.get(pk=number).verified

    def test_of_somebody_else_is_not_taken_and_not_told(self, pulse: Organisation) -> None:
        client = signed_in(pulse, "ben@pulse.example")
        assert change(client, "ada@pulse.example") == change(client, "free@x.example") == 302
        path = mailed_path(pulse, "ada@pulse.example")
        visitor("pulse.enclave.localhost").post(path)
        with enter(pulse, actor=SETTING_UP):
            assert User.objects.get(name="Ada Okafor").email == "ada@pulse.example"
            assert User.objects.get(name="Ben Castillo").email == "ben@pulse.example"
