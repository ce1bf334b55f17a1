"""Passkeys: adding one, signing in with it, and what does not open the door."""

from allauth.mfa.models import Authenticator
from django.core import mail
from django.test import Client

from jobs.testing import run_due
from tenants.context import enter
from tenants.models import Organisation
from tests.accounts.authenticator import Device
from tests.accounts.test_sign_in import LOGIN
from tests.conftest import PASSWORD
from tests.people import SETTING_UP, make_person, signed_in, visitor

ADD = "/accounts/2fa/webauthn/add/"
ENTER = "/accounts/2fa/webauthn/login/"
ORIGIN = "http://pulse.enclave.localhost:8000"
PAGE = "/account/"


def add(client: Client, device: Device, name: str = "My key") -> None:
    options = client.get(ADD).context["js_data"]["creation_options"]["publicKey"]
    answer = client.post(ADD, {"name": name, "credential": device.create(options), "passwordless": "on"})
    assert answer.status_code == 302, answer.content.decode()


def enter_with(client: Client, device: Device) -> str:
    """Sign in with a device and return where that leads."""
    options = client.get(ENTER, headers={"accept": "application/json"}).json()["request_options"]["publicKey"]
    return client.post(ENTER, {"credential": device.get(options)}).headers["Location"]


class TestSignIn:
    def test_needs_no_password_and_no_further_step(self, pulse: Organisation) -> None:
        device = Device(ORIGIN)
        add(signed_in(pulse, "ben@pulse.example"), device)
        client = visitor("pulse.enclave.localhost")
        assert enter_with(client, device) == "/"
        assert "Ben Castillo" in client.get(PAGE).content.decode()

    def test_is_the_second_step_after_a_password(self, pulse: Organisation) -> None:
        device = Device(ORIGIN)
        add(signed_in(pulse, "ben@pulse.example"), device)
        client = visitor("pulse.enclave.localhost")
        step = client.post(LOGIN, {"login": "ben@pulse.example", "password": PASSWORD})["Location"]
        options = client.get(step).context["js_data"]["request_options"]["publicKey"]
        assert client.post(step, {"credential": device.get(options)})["Location"] == "/"
        assert client.get(PAGE).status_code == 200

    def test_not_with_a_strange_device(self, pulse: Organisation) -> None:
        own, strange = Device(ORIGIN), Device(ORIGIN)
        add(signed_in(pulse, "ben@pulse.example"), own)
        strange.user_handle, strange.credential_id = own.user_handle, own.credential_id
        client = visitor("pulse.enclave.localhost")
        assert enter_with(client, strange) == "/accounts/login/"
        assert client.get(PAGE).status_code == 302

    def test_not_from_a_page_of_another_host(self, pulse: Organisation) -> None:
        device = Device(ORIGIN)
        add(signed_in(pulse, "ben@pulse.example"), device)
        device.origin = "http://tide.enclave.localhost:8000"
        client = visitor("pulse.enclave.localhost")
        assert enter_with(client, device) == "/accounts/login/"

    def test_not_at_another_organisation(self, pulse: Organisation, other: Organisation) -> None:
        device = Device(ORIGIN)
        add(signed_in(pulse, "ben@pulse.example"), device)
        make_person(other, "ben@pulse.example", "Ben of Other")
        assert enter_with(visitor(other.primary_host), device) == "/accounts/login/"

    def test_a_challenge_is_answered_once(self, pulse: Organisation) -> None:
        device = Device(ORIGIN)
        add(signed_in(pulse, "ben@pulse.example"), device)
        client = visitor("pulse.enclave.localhost")
        found = client.get(ENTER, headers={"accept": "application/json"}).json()
        answer = device.get(found["request_options"]["publicKey"])
        assert client.post(ENTER, {"credential": answer})["Location"] == "/"
        client.post("/accounts/logout/")
        assert client.post(ENTER, {"credential": answer})["Location"] == "/accounts/login/"


class TestManaging:
    def test_is_named_told_by_mail_and_removed(self, pulse: Organisation) -> None:
        client = signed_in(pulse, "ben@pulse.example")
        add(client, Device(ORIGIN), "Blue key")
        run_due(pulse)
        assert "passkey was added" in str(mail.outbox[-1].body)
        assert "Blue key" in client.get("/accounts/2fa/").content.decode()
        with enter(pulse, actor=SETTING_UP):
            pk = Authenticator.objects.get(type="webauthn").pk
        assert client.post(f"/accounts/2fa/webauthn/keys/{pk}/remove/").status_code == 302
        assert "Blue key" not in client.get("/accounts/2fa/").content.decode()
