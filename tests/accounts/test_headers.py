"""The headers of all sites, of error pages and of files; over TLS, what says that it stays so.

Every address of an organisation's site is looked at in tests/test_every_url.py.
"""

from typing import Any

import pytest
from django.conf import settings
from django.test import Client

from tenants.context import control_plane
from tenants.models import Domain, Organisation
from tests.conftest import PASSWORD
from tests.people import visitor
from tests.test_every_url import lacks

ORGANISATION = "pulse.enclave.localhost"


class TestAnswers:
    @pytest.mark.parametrize(
        ("host", "path", "status"),
        [
            (ORGANISATION, "/accounts/login/", 200),
            (ORGANISATION, "/nowhere/", 404),
            (settings.OPERATORS_HOST, "/accounts/login/", 200),
            (settings.OPERATORS_HOST, "/console/", 302),
            (settings.BASE_DOMAIN, "/", 200),
            (settings.BASE_DOMAIN, "/sign-up/", 200),
            ("nobody.enclave.localhost", "/", 404),
            ("not a host", "/", 400),
        ],
    )
    def test_lack_nothing(self, pulse: Organisation, host: str, path: str, status: int) -> None:
        response = visitor(host).get(path)
        assert response.status_code == status
        assert lacks(response) == []

    @pytest.mark.parametrize(
        "headers", [{"origin": "http://tide.enclave.localhost"}, {"cookie": "sid=a; sid=b"}]
    )
    def test_lack_nothing_when_they_refuse(self, pulse: Organisation, headers: dict[str, str]) -> None:
        response = visitor(ORGANISATION).post("/accounts/login/", {}, headers=headers)
        assert response.status_code in (400, 403)
        assert lacks(response) == []

    def test_a_page_without_a_token_of_its_form_is_refused_as_fully(self, pulse: Organisation) -> None:
        strict = Client(
            enforce_csrf_checks=True, HTTP_HOST=ORGANISATION, headers={"sec-fetch-site": "same-origin"}
        )
        response = strict.post("/accounts/login/", {"login": "a@b.example", "password": "x"})
        assert response.status_code == 403
        assert lacks(response) == []


class TestTransport:
    def over_tls(self, host: str) -> str:
        """Return what is said over TLS about the transport."""
        headers: dict[str, Any] = {"host": host}
        return (
            Client()
            .get("/accounts/login/", secure=True, headers=headers)
            .headers["Strict-Transport-Security"]
        )

    @pytest.mark.parametrize("host", [ORGANISATION, settings.OPERATORS_HOST])
    def test_stays_for_all_of_our_own_domain(self, pulse: Organisation, host: str) -> None:
        assert self.over_tls(host) == "max-age=63072000; includeSubDomains; preload"

    def test_says_nothing_of_what_lies_below_a_customers_domain(self, pulse: Organisation) -> None:
        with control_plane():
            Domain.objects.create(domain="nights.example", tenant=pulse, is_primary=False)
        assert self.over_tls("nights.example") == "max-age=63072000"

    def test_is_not_spoken_of_without_tls(self, pulse: Organisation) -> None:
        assert "Strict-Transport-Security" not in visitor(ORGANISATION).get("/accounts/login/").headers


class TestCookiesInEarnest:
    """With the names of production, over TLS: each is bound to its host, which a sibling cannot fake."""

    @pytest.fixture
    def client(self, pulse: Organisation, settings: Any) -> Client:
        settings.SESSION_COOKIE_NAME, settings.CSRF_COOKIE_NAME = "__Host-sid", "__Host-csrf"
        settings.SESSION_COOKIE_SECURE = settings.CSRF_COOKIE_SECURE = True
        return visitor(ORGANISATION)

    def test_have_the_prefix_and_what_it_asks_for(self, client: Client) -> None:
        client.get("/accounts/login/", secure=True)
        fields = {"login": "ada@pulse.example", "password": PASSWORD}
        assert client.post("/accounts/login/", fields, secure=True).status_code == 302
        assert client.get("/account/", secure=True).status_code == 200
        assert set(client.cookies) == {"__Host-sid", "__Host-csrf"}
        for morsel in client.cookies.values():
            assert (morsel["secure"], morsel["path"], morsel["domain"]) == (True, "/", "")
            assert morsel["httponly"] is True

    @pytest.mark.parametrize("name", ["sid", "csrf", "__host-sid"])
    def test_are_not_taken_without_it(self, client: Client, name: str) -> None:
        response = client.get("/accounts/login/", secure=True, headers={"cookie": f"{name}=tossed"})
        assert response.status_code == 400
