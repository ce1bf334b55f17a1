"""Guessing: slowed down by account and by address, and never told whether an account exists."""

import re
from typing import Any

import pytest
from django.contrib.auth.hashers import MD5PasswordHasher
from django.test import Client

from accounts.identity.models import User
from accounts.limits import Budget
from accounts.middleware import guessing
from tenants.context import enter
from tenants.models import Organisation
from tests.accounts.test_sign_in import LOGIN, sign_in
from tests.conftest import PASSWORD
from tests.people import SETTING_UP, make_person, visitor

RESET = "/accounts/password/reset/"


@pytest.fixture
def without_redis(settings: Any) -> None:
    """Point the counts at a port where nobody answers."""
    broken = {**settings.CACHES["limits"], "LOCATION": "redis://127.0.0.1:1/0"}
    settings.CACHES = {**settings.CACHES, "limits": broken}


def body_of(client: Client, url: str, fields: dict[str, str]) -> tuple[int, str, str]:
    """Return status, target and text of an answer, without what differs between any two."""
    response = client.post(url, fields)
    text = response.content.decode()
    for value in fields.values():
        text = text.replace(value, "…")
    return (
        response.status_code,
        response.headers.get("Location", ""),
        re.sub(r'(content|value)="\w{64}"', "", text),
    )


class TestByAccount:
    def test_the_right_password_is_refused_after_ten_wrong_ones(self, pulse: Organisation) -> None:
        client = visitor("pulse.enclave.localhost")
        for _ in range(10):
            assert sign_in(client, "ada@pulse.example", "wrong") == 200
        response = client.post(LOGIN, {"login": "ada@pulse.example", "password": PASSWORD})
        assert response.status_code == 429
        assert 0 < int(response["Retry-After"]) <= 600
        assert "Wait" in response.content.decode()

    def test_another_organisation_and_another_account_go_on(
        self, pulse: Organisation, tide: Organisation
    ) -> None:
        make_person(tide, "ada@pulse.example", "Ada at Tide", password=PASSWORD)
        for _ in range(11):
            sign_in(visitor("pulse.enclave.localhost"), "ada@pulse.example", "wrong")
        assert sign_in(visitor("tide.enclave.localhost"), "ada@pulse.example") == 302
        assert sign_in(visitor("pulse.enclave.localhost"), "nobody@pulse.example", "wrong") == 200

    def test_successes_use_nothing_up(self, pulse: Organisation) -> None:
        for _ in range(12):
            assert sign_in(visitor("pulse.enclave.localhost"), "ada@pulse.example") == 302

    def test_an_account_that_does_not_exist_is_slowed_down_alike(self, pulse: Organisation) -> None:
        client = visitor("pulse.enclave.localhost")
        statuses = [sign_in(client, "no@body.example", "wrong") for _ in range(11)]
        assert statuses == [200] * 10 + [429]


class TestByAddress:
    def test_is_one_budget_for_all_organisations(
        self, pulse: Organisation, tide: Organisation, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        few = guessing.Rule(Budget(4, 600), guessing.typed("login"))
        monkeypatch.setitem(guessing.RULES, "account_login", few)
        hosts = ["pulse.enclave.localhost", "tide.enclave.localhost"] * 3
        statuses = [sign_in(visitor(host), f"{n}@x.example", "wrong") for n, host in enumerate(hosts)]
        assert statuses == [200] * 4 + [429] * 2

    def test_a_network_of_ipv6_is_one_address(
        self, pulse: Organisation, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        few = guessing.Rule(Budget(2, 600), guessing.typed("login"))
        monkeypatch.setitem(guessing.RULES, "account_login", few)
        statuses = []
        for last in range(3):
            client = visitor("pulse.enclave.localhost")
            client.defaults["REMOTE_ADDR"] = f"2001:db8::{last + 1}"
            statuses.append(sign_in(client, f"{last}@x.example", "wrong"))
        assert statuses == [200, 200, 429]


@pytest.mark.usefixtures("without_redis")
class TestWithoutRedis:
    def test_sign_in_works(self, pulse: Organisation) -> None:
        assert sign_in(visitor("pulse.enclave.localhost"), "ada@pulse.example") == 302

    def test_a_small_budget_is_left_and_ends(self, pulse: Organisation) -> None:
        client = visitor("pulse.enclave.localhost")
        statuses = [sign_in(client, "ada@pulse.example", "wrong") for _ in range(4)]
        assert statuses == [200, 200, 429, 429]


class CountingHasher(MD5PasswordHasher):
    """The hasher of the tests, which counts how often it works."""

    worked = 0

    def encode(self, password: Any, salt: Any) -> str:
        type(self).worked += 1
        return super().encode(password, salt)


class TestNothingIsTold:
    @pytest.mark.parametrize("who", ["ada", "nobody", "without", "gone"])
    def test_by_the_work_of_a_password(self, pulse: Organisation, settings: Any, who: str) -> None:
        """Hashing is what takes time: each address costs it once, whoever has it."""
        make_person(pulse, "without@pulse.example", "No Password")
        make_person(pulse, "gone@pulse.example", "Gone", password=PASSWORD)
        with enter(pulse, actor=SETTING_UP):
            User.objects.filter(email="gone@pulse.example").update(is_active=False)
        settings.PASSWORD_HASHERS = [f"{__name__}.CountingHasher"]
        CountingHasher.worked = 0
        assert sign_in(visitor(pulse.primary_host), f"{who}@pulse.example", "wrong") == 200
        assert CountingHasher.worked == 1

    def test_by_sign_in(self, pulse: Organisation) -> None:
        client = visitor("pulse.enclave.localhost")
        known = body_of(client, LOGIN, {"login": "ada@pulse.example", "password": "wrong"})
        unknown = body_of(client, LOGIN, {"login": "no@body.example", "password": "wrong"})
        assert known == unknown

    def test_by_asking_for_a_link(self, pulse: Organisation) -> None:
        client = visitor("pulse.enclave.localhost")
        known = body_of(client, RESET, {"email": "ada@pulse.example"})
        unknown = body_of(client, RESET, {"email": "no@body.example"})
        assert known == unknown == (302, "/accounts/password/reset/done/", "")
