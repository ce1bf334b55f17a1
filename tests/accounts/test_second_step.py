"""The second step: an app's codes, recovery codes, and what is kept of them."""

import re
import time

import pyotp
import pytest
import time_machine
from allauth.mfa.models import Authenticator
from django.core import mail
from django.test import Client

from accounts.identity.models import Session, User
from accounts.keys import seal, unseal
from jobs.testing import run_due
from tenants.context import enter
from tenants.models import Organisation
from tests.accounts.test_sign_in import LOGIN
from tests.conftest import PASSWORD
from tests.people import SETTING_UP, signed_in, visitor

ENROL = "/accounts/2fa/totp/activate/"
STEP = "/accounts/2fa/authenticate/"
CODES = "/accounts/2fa/recovery-codes/"


def enrol(client: Client) -> tuple[str, list[str]]:
    """Set up an app and return its secret and the recovery codes that were shown."""
    secret = str(client.get(ENROL).context["form"].secret)
    assert client.post(ENROL, {"code": pyotp.TOTP(secret).now()}).status_code == 302
    shown = client.get(CODES).content.decode()
    return secret, re.findall(r"<li><code>([^<]+)</code>", shown)


def half_in(organisation: Organisation) -> Client:
    """Return a browser in which the password was given and the second step is awaited."""
    client = visitor(organisation.primary_host)
    response = client.post(LOGIN, {"login": "ada@pulse.example", "password": PASSWORD})
    assert response["Location"] == STEP
    return client


class TestApp:
    def test_is_asked_for_after_the_password(self, pulse: Organisation) -> None:
        secret, _ = enrol(signed_in(pulse, "ada@pulse.example"))
        client = half_in(pulse)
        assert client.get("/accounts/password/change/").status_code == 302
        assert client.post(STEP, {"code": pyotp.TOTP(secret).now()})["Location"] == "/"
        assert client.get("/accounts/password/change/").status_code == 200

    def test_a_code_opens_once(self, pulse: Organisation) -> None:
        secret, _ = enrol(signed_in(pulse, "ada@pulse.example"))
        code = pyotp.TOTP(secret).now()
        assert half_in(pulse).post(STEP, {"code": code}).status_code == 302
        assert half_in(pulse).post(STEP, {"code": code}).status_code == 200

    @pytest.mark.parametrize("seconds", [300, 3600])
    def test_an_older_code_opens_nothing_when_the_clock_was_set_back(
        self, pulse: Organisation, seconds: int
    ) -> None:
        secret, _ = enrol(signed_in(pulse, "ada@pulse.example"))
        assert half_in(pulse).post(STEP, {"code": pyotp.TOTP(secret).now()}).status_code == 302
        client, then = half_in(pulse), time.time() - seconds
        with time_machine.travel(then):
            assert client.post(STEP, {"code": pyotp.TOTP(secret).now()}).status_code == 200
            assert client.get("/accounts/password/change/").status_code == 302

    def test_a_wrong_code_opens_nothing(self, pulse: Organisation) -> None:
        enrol(signed_in(pulse, "ada@pulse.example"))
        client = half_in(pulse)
        assert client.post(STEP, {"code": "000000"}).status_code == 200
        assert client.get("/accounts/password/change/").status_code == 302

    def test_its_secret_is_not_readable_in_the_table(self, pulse: Organisation) -> None:
        secret, _ = enrol(signed_in(pulse, "ada@pulse.example"))
        with enter(pulse, actor=SETTING_UP):
            data = Authenticator.objects.get(type="totp").data
            assert secret not in str(data)
            assert unseal(data["secret"]) == secret

    def test_setting_it_up_ends_other_sessions_and_tells_by_mail(self, pulse: Organisation) -> None:
        elsewhere = signed_in(pulse, "ada@pulse.example")
        here = signed_in(pulse, "ada@pulse.example")
        enrol(here)
        run_due(pulse)
        assert elsewhere.get("/accounts/password/change/").status_code == 302
        assert here.get("/accounts/password/change/").status_code == 200
        assert "authenticator app was added" in str(mail.outbox[0].body)

    def test_a_secret_of_another_organisation_cannot_be_read(
        self, pulse: Organisation, tide: Organisation
    ) -> None:
        with enter(pulse, actor=SETTING_UP):
            sealed = seal("JBSWY3DPEHPK3PXP")
        with enter(tide, actor=SETTING_UP), pytest.raises(ValueError, match="somebody else"):
            unseal(sealed)


class TestRecoveryCodes:
    def test_each_opens_once(self, pulse: Organisation) -> None:
        _, codes = enrol(signed_in(pulse, "ada@pulse.example"))
        assert len(codes) == 10
        assert half_in(pulse).post(STEP, {"code": codes[0]}).status_code == 302
        assert half_in(pulse).post(STEP, {"code": codes[0]}).status_code == 200
        assert half_in(pulse).post(STEP, {"code": codes[1]}).status_code == 302

    def test_are_shown_once(self, pulse: Organisation) -> None:
        client = signed_in(pulse, "ada@pulse.example")
        _, codes = enrol(client)
        assert codes[0] not in client.get(CODES).content.decode()


class TestAskedAgain:
    def test_an_old_sign_in_gives_the_password_again_before_a_change(self, pulse: Organisation) -> None:
        client = signed_in(pulse, "ada@pulse.example")
        with enter(pulse, actor=SETTING_UP):
            ada = User.objects.get(email="ada@pulse.example")
            Session.objects.of(ada.pk).update(authenticated_at=ada.joined_at.replace(year=2020))
        response = client.get(ENROL)
        assert response["Location"].startswith("/accounts/reauthenticate/")
        again = client.post(response["Location"], {"password": PASSWORD})
        assert again["Location"] == ENROL
        assert client.get(ENROL).status_code == 200
