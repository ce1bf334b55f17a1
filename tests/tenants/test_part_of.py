"""Who has become a part of another organisation: its addresses say so, and lead there."""

import html

import pytest
from django.conf import settings
from django.db import connections
from django.test import Client
from django.test.utils import CaptureQueriesContext

from tenants import hosts
from tenants.models import Organisation

TIDE = '<a class="button primary" href="http://tide.enclave.localhost'


@pytest.fixture
def part(pulse: Organisation, tide: Organisation) -> Organisation:
    """Pulse, a part of Tide."""
    Organisation.objects.filter(pk=pulse.pk).update(state="gone", part_of=tide)
    hosts.forget()
    return pulse


class TestItsPage:
    @pytest.mark.parametrize("method", ["get", "post"])
    @pytest.mark.parametrize("site", ["its own", "of its files"])
    def test_says_of_what_it_is_a_part(self, part: Organisation, site: str, method: str) -> None:
        content = f"{part.content_label}.{settings.CONTENT_DOMAIN}"
        client = Client(headers={"host": part.primary_host if site == "its own" else content})
        answer = getattr(client, method)("/accounts/login/?next=/people/")
        page = html.unescape(answer.content.decode())
        assert answer.status_code == 410
        assert "<h1>Pulse Nights is a part of Tide Sessions</h1>" in page
        assert page.count('href="http') == 1
        assert TIDE in page

    def test_shows_nothing_else_of_either(self, part: Organisation, tide: Organisation) -> None:
        page = Client(headers={"host": part.primary_host}).get("/").content.decode()
        told = [str(one) for org in (part, tide) for one in (org.pk, org.schema_name, org.content_label)]
        assert [word for word in (*told, "@", "shard_") if word in page] == []

    def test_writes_names_as_they_are(self, part: Organisation, tide: Organisation) -> None:
        Organisation.objects.filter(pk=tide.pk).update(name="Tide <b>& Sons</b>")
        page = Client(headers={"host": part.primary_host}).get("/").content.decode()
        assert "Tide &lt;b&gt;&amp; Sons&lt;/b&gt;" in page

    def test_is_that_of_who_is_gone_otherwise(self, part: Organisation) -> None:
        Organisation.objects.filter(pk=part.pk).update(part_of=None)
        answer = Client(headers={"host": part.primary_host}).get("/")
        assert (answer.status_code, b"is gone" in answer.content) == (410, True)

    def test_is_that_of_the_state_while_it_is_not_gone(self, part: Organisation) -> None:
        Organisation.objects.filter(pk=part.pk).update(state="suspended")
        assert Client(headers={"host": part.primary_host}).get("/").status_code == 503


class TestQueries:
    def asked(self, host: str) -> int:
        """Return how many queries of the control plane a host costs that nobody remembers."""
        hosts.forget()
        with CaptureQueriesContext(connections["control"]) as asked:
            assert hosts.find(host) is not None
        return len(asked)

    def test_nobody_else_costs_one_more(self, part: Organisation, tide: Organisation) -> None:
        assert self.asked(tide.primary_host) == 1
        assert self.asked(f"{tide.content_label}.{settings.CONTENT_DOMAIN}") == 1
        assert self.asked(part.primary_host) == 2

    def test_no_shard_is_asked(self, part: Organisation) -> None:
        with (
            CaptureQueriesContext(connections["shard_1"]) as one,
            CaptureQueriesContext(connections["shard_2"]) as two,
        ):
            Client(headers={"host": part.primary_host}).get("/")
        assert len(one) == len(two) == 0
