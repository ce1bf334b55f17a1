"""Around sign-in: where it leads, which cookies it sets and accepts, and who may make an account."""

import pytest
from django.conf import settings
from django.test import Client

from accounts.links import is_path_here
from tenants.models import Organisation
from tests.accounts.test_sign_in import LOGIN, sign_in
from tests.conftest import PASSWORD
from tests.people import signed_in, visitor

COOKIE = settings.SESSION_COOKIE_NAME
ELSEWHERE = [
    "//evil.example", "///evil.example", "/\\evil.example", "\\\\evil.example", "https:evil.example",
    "https://evil.example/", "http://tide.enclave.localhost/", "http://pulse.enclave.localhost/",
    "/\t/evil.example", "/\n/evil.example", "\t//evil.example", "javascript:alert(1)", "evil.example",
    "@evil.example",
    "/%09/evil.example", "/%5cevil.example", "%2f%2fevil.example", "/%2f/evil.example\x00", "",
]  # fmt: skip
HERE = ["/", "/people/", "/records/?sort=-name&page=2", "/a@b", "/a%20b#c"]


class TestNext:
    @pytest.mark.parametrize("target", ELSEWHERE)
    def test_never_leads_elsewhere(self, pulse: Organisation, target: str) -> None:
        client = visitor("pulse.enclave.localhost")
        fields = {"login": "ada@pulse.example", "password": PASSWORD, "next": target}
        assert client.post(LOGIN, fields)["Location"] == "/"

    @pytest.mark.parametrize("target", HERE)
    def test_leads_to_a_path(self, pulse: Organisation, target: str) -> None:
        client = visitor("pulse.enclave.localhost")
        fields = {"login": "ada@pulse.example", "password": PASSWORD, "next": target}
        assert client.post(LOGIN, fields)["Location"] == target

    @pytest.mark.parametrize("target", ["/%2fevil.example", "/%5Cevil.example", "/a\u0000b"])
    def test_is_judged_decoded_too(self, target: str) -> None:
        assert not is_path_here(target)


class TestCookies:
    def test_have_no_domain_and_are_kept_from_scripts(self, pulse: Organisation) -> None:
        client = visitor("pulse.enclave.localhost")
        client.get(LOGIN)
        sign_in(client, "ada@pulse.example")
        assert set(client.cookies) == {settings.SESSION_COOKIE_NAME, settings.CSRF_COOKIE_NAME}
        for morsel in client.cookies.values():
            assert morsel["domain"] == ""
            assert morsel["path"] == "/"
            assert morsel["httponly"] is True
            assert morsel["samesite"] == "Lax"

    @pytest.mark.parametrize(
        "header",
        [
            "sid=one; sid=two",
            "csrf=one; csrf=two",
            "__Host-sid=one",
            "SID=one; sid=two",
            "sid=one; other=x; sid=one",
        ],
    )
    def test_doubled_or_disguised_ones_are_refused(self, pulse: Organisation, header: str) -> None:
        response = visitor("pulse.enclave.localhost").get(LOGIN, headers={"cookie": header})
        assert response.status_code == 400
        assert "Sign in again" in response.content.decode()

    def test_a_full_jar_gets_a_page_that_empties_it(self, pulse: Organisation) -> None:
        jar = "; ".join(f"junk{n}={'x' * 60}" for n in range(200))
        response = visitor("pulse.enclave.localhost").get(LOGIN, headers={"cookie": jar})
        assert response.status_code == 400
        assert response.cookies["junk0"]["max-age"] == 0
        assert response["Clear-Site-Data"] == '"cookies"'

    def test_cookies_of_others_are_no_trouble(self, pulse: Organisation) -> None:
        response = visitor("pulse.enclave.localhost").get(
            LOGIN, headers={"cookie": "theme=dark; theme=light"}
        )
        assert response.status_code == 200


class TestAccounts:
    @pytest.mark.parametrize("path", ["/accounts/signup/", "/accounts/2fa/webauthn/signup/"])
    def test_nobody_signs_up(self, pulse: Organisation, path: str) -> None:
        assert visitor("pulse.enclave.localhost").get(path).status_code == 404

    def test_signing_in_and_out_needs_the_own_origin(self, pulse: Organisation) -> None:
        stranger = Client(
            HTTP_HOST="pulse.enclave.localhost", headers={"origin": "http://tide.enclave.localhost"}
        )
        assert sign_in(stranger, "ada@pulse.example") == 403
        ada = signed_in(pulse, "ada@pulse.example")
        response = ada.post("/accounts/logout/", headers={"sec-fetch-site": "same-site"})
        assert response.status_code == 403
