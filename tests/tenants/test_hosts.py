"""Hosts are matched exactly; what is unknown or closed answers plainly and asks no tenant anything."""

import pytest
from django.db import connections
from django.test import Client
from django.test.utils import CaptureQueriesContext

from tenants import hosts
from tenants.models import Organisation
from tenants.placement import State

PULSE = "pulse.enclave.localhost"


def get(host: str, path: str = "/", **headers: str) -> int:
    """Return the status that a host answers with."""
    return Client().get(path, headers={"host": host, **headers}).status_code


class TestNormalise:
    @pytest.mark.parametrize("raw", ["Pulse.Enclave.Localhost", "pulse.enclave.localhost.", f"{PULSE}:8000"])
    def test_gives_one_name(self, raw: str) -> None:
        assert hosts.normalise(raw) == PULSE

    @pytest.mark.parametrize(
        "raw", ["", "a b", "pulse_x", "a/b", "a@b", "a:b", "a:123456", "pülse", "a\x00b", "x" * 254, "[::1]"]
    )
    def test_refuses_what_is_no_host(self, raw: str) -> None:
        with pytest.raises(hosts.BadHost):
            hosts.normalise(raw)


class TestUnknownHost:
    @pytest.mark.parametrize(
        "host",
        ["nobody.enclave.localhost", "127.0.0.1", "www.pulse.enclave.localhost", "xpulse.enclave.localhost"],
    )
    def test_is_not_found(self, pulse: Organisation, host: str) -> None:
        assert get(host) == 404

    def test_asks_no_tenant(self, pulse: Organisation) -> None:
        with (
            CaptureQueriesContext(connections["shard_1"]) as one,
            CaptureQueriesContext(connections["shard_2"]) as two,
        ):
            get("nobody.enclave.localhost")
        assert len(one) == len(two) == 0

    def test_a_forwarded_host_is_not_believed(self, pulse: Organisation) -> None:
        assert get("nobody.enclave.localhost", **{"x-forwarded-host": PULSE}) == 404

    @pytest.mark.parametrize("host", ["a b", "a/b"])
    def test_a_bad_host_is_refused(self, pulse: Organisation, host: str) -> None:
        assert get(host) == 400


class TestTwoHosts:
    """What a web server makes of two names in one request: a Host with a comma, a RAW_URI with a host."""

    @pytest.mark.parametrize(
        ("headers", "status"),
        [
            ({"HTTP_HOST": f"{PULSE},tide.enclave.localhost"}, 400),
            ({"RAW_URI": "http://tide.enclave.localhost/accounts/login/"}, 400),
            ({"RAW_URI": f"http://{PULSE}/accounts/login/"}, 200),
            ({"RAW_URI": "/accounts/login/?next=http://tide.enclave.localhost/"}, 200),
        ],
    )
    def test_one_name_or_none(self, pulse: Organisation, headers: dict[str, str], status: int) -> None:
        told = {"HTTP_HOST": PULSE, **headers}
        assert Client().get("/accounts/login/", **told).status_code == status  # type: ignore[arg-type]  # WSGI's variables


class TestHealth:
    def test_is_answered_for_any_host(self, pulse: Organisation) -> None:
        assert get("10.0.0.7", "/-/health") == 200


class TestState:
    @pytest.mark.parametrize(("state", "status"), [(State.SUSPENDED, 503), (State.GONE, 410)])
    def test_a_closed_organisation_shows_a_plain_page(
        self, pulse: Organisation, state: State, status: int
    ) -> None:
        Organisation.objects.filter(pk=pulse.pk).update(state=state.value)
        with CaptureQueriesContext(connections["shard_1"]) as asked:
            assert get(PULSE, "/accounts/login/") == status
        assert len(asked) == 0


class TestOrigin:
    def post(self, **headers: str) -> int:
        """Return the status of an unsafe request with these headers."""
        return Client().post("/accounts/login/", {}, headers={"host": PULSE, **headers}).status_code

    @pytest.mark.parametrize(
        "headers",
        [
            {},
            {"origin": "http://tide.enclave.localhost"},
            {"origin": "null"},
            {"origin": f"http://{PULSE}.evil.example"},
            {"origin": f"http://{PULSE}", "sec-fetch-site": "same-site"},
            {"sec-fetch-site": "cross-site"},
        ],
    )
    def test_another_page_is_refused(self, pulse: Organisation, headers: dict[str, str]) -> None:
        assert self.post(**headers) == 403

    @pytest.mark.parametrize("headers", [{"origin": f"http://{PULSE}"}, {"sec-fetch-site": "same-origin"}])
    def test_our_own_page_gets_through(self, pulse: Organisation, headers: dict[str, str]) -> None:
        assert self.post(**headers) != 403
