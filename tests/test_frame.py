"""The frame around every page: which link is lit, who it names, and where jobs stand."""

import re

import pytest

from tenants.models import Organisation
from tests.conftest import ClientAs

ADA = "ada@pulse.example"


def lit(page: str) -> list[str]:
    """Return the addresses of the links that are marked as the page one is on."""
    return re.findall(r'<a href="([^"]+)"[^>]*aria-current="page"', page.partition("<main")[0])


class TestSide:
    @pytest.mark.parametrize(
        ("path", "link"),
        [
            ("/", "/"),
            ("/people/", "/people/"),
            ("/groups/", "/people/"),
            ("/roles/", "/people/"),
            ("/jobs/", "/jobs/"),
            ("/account/", "/account/"),
            ("/accounts/email/", "/account/"),
        ],
    )
    def test_one_link_is_lit(self, pulse: Organisation, client_as: ClientAs, path: str, link: str) -> None:
        assert lit(client_as(ADA, pulse).get(path, follow=True).content.decode()) == [link]

    @pytest.mark.parametrize("path", ["/", "/account/", "/accounts/email/"])
    def test_the_role_stands_below_the_name(
        self, pulse: Organisation, client_as: ClientAs, path: str
    ) -> None:
        side = client_as(ADA, pulse).get(path, follow=True).content.decode().partition("<main")[0]
        assert re.search(r"Ada Okafor</span><small[^>]*>Owner</small>", side)

    def test_jobs_stand_at_the_foot(self, pulse: Organisation, client_as: ClientAs) -> None:
        side = client_as(ADA, pulse).get("/").content.decode().partition("<main")[0]
        assert side.index('href="/settings/"') < side.index('href="/jobs/"') < side.index('href="/account/"')
