"""Pages of errors: whose they are, what they say, and that they stand while a database does not."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import connections
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from config.embedded.ports import free_port
from tenants import hosts
from tenants.models import Organisation
from tests.conftest import ClientAs

PULSE = "pulse.enclave.localhost"


def page(response: Any, status: int) -> str:
    """Return the text of an answer that has this status."""
    assert response.status_code == status
    said: str = response.content.decode()
    return said


@contextmanager
def unreachable(alias: str) -> Iterator[None]:
    """Let a database answer on no port for a block."""
    connection = connections[alias]
    connection.close()
    port = connection.settings_dict["PORT"]
    connection.settings_dict["PORT"] = free_port()
    hosts.forget()
    try:
        yield
    finally:
        connection.close()
        connection.settings_dict["PORT"] = port
        hosts.forget()


class TestWhose:
    def test_an_organisation_is_named_and_coloured_on_its_own(
        self, pulse: Organisation, client_as: ClientAs
    ) -> None:
        here = client_as("ben@pulse.example", pulse)
        for path, status in (
            ("/nothing/", 404),
            (reverse("permissions:sharing", urlconf="config.urls.tenant"), 403),
        ):
            said = page(here.get(path), status)
            assert "Pulse Nights" in said
            assert "/-/brand-" in said

    def test_nobody_is_named_where_no_organisation_answers(self, pulse: Organisation) -> None:
        said = page(Client().get("/", headers={"host": "nobody.enclave.localhost"}), 404)
        assert "Pulse" not in said
        assert "/-/brand-" not in said

    def test_they_cost_no_more_than_finding_out(self, pulse: Organisation, client_as: ClientAs) -> None:
        here = client_as("ben@pulse.example", pulse)
        with CaptureQueriesContext(connections["shard_1"]) as asked:
            here.get("/nothing/")
        assert not [one for one in asked.captured_queries if "records_collection" in one["sql"]]


class TestWords:
    def test_a_form_of_another_place_is_told_what_to_do(self, pulse: Organisation) -> None:
        said = page(Client().post("/accounts/login/", headers={"host": PULSE}), 403)
        assert "load the page again" in said

    def test_a_refusal_leads_back_to_where_one_was(self, pulse: Organisation, client_as: ClientAs) -> None:
        here = client_as("ada@pulse.example", pulse)
        token = reverse(
            "records:undo", args=["00000000-0000-7000-8000-0000000000ff"], urlconf="config.urls.tenant"
        )
        said = page(here.post(token, headers={"referer": f"http://{PULSE}/people/?q=x"}), 409)
        assert 'href="/people/?q=x"' in said
        for elsewhere in ("http://evil.example/people/", f"http://{PULSE}//evil.example/"):
            assert "evil.example" not in page(here.post(token, headers={"referer": elsewhere}), 409)


@pytest.mark.usefixtures("organisations")
class TestDatabaseDown:
    def test_a_shard_that_does_not_answer_is_said(self, organisations: dict[str, Organisation]) -> None:
        hosts.forget()  # what another test saw inside its transaction
        with unreachable("shard_1"):
            said = page(Client().get("/accounts/login/", headers={"host": PULSE}), 503)
            assert "The data cannot be reached right now" in said
            tide = Client().get("/accounts/login/", headers={"host": "tide.enclave.localhost"})
            assert tide.status_code == 200
        assert Client().get("/accounts/login/", headers={"host": PULSE}).status_code == 200

    def test_so_is_the_control_plane(self) -> None:
        with unreachable("control"):
            said = page(Client().get("/accounts/login/", headers={"host": PULSE}), 503)
        assert "Enclave is not answering right now" in said
