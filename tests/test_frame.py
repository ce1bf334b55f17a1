"""The frame around every page: which link is lit, who it names, where jobs stand, and how it travels."""

import gzip
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


class TestTravel:
    def test_a_page_is_compressed_for_who_can_read_that(
        self, pulse: Organisation, client_as: ClientAs
    ) -> None:
        here = client_as(ADA, pulse)
        page = here.get("/people/", headers={"accept-encoding": "gzip, br"})
        assert page.headers["Content-Encoding"] == "gzip"
        assert "Accept-Encoding" in page.headers["Vary"]
        assert b"Ada Okafor" in gzip.decompress(page.content)
        assert "Content-Encoding" not in here.get("/people/").headers

    def test_its_length_tells_nothing(self, pulse: Organisation, client_as: ClientAs) -> None:
        here = client_as(ADA, pulse)
        sizes = {
            len(here.get("/people/?q=x", headers={"accept-encoding": "gzip"}).content) for _ in range(12)
        }
        assert len(sizes) > 3

    def test_what_is_no_page_is_sent_as_it_lies(self, pulse: Organisation, client_as: ClientAs) -> None:
        here = client_as(ADA, pulse)
        brand = re.search(r'href="(/-/brand-[^"]+)"', here.get("/").content.decode())
        assert brand
        answer = here.get(brand[1], headers={"accept-encoding": "gzip"})
        assert "Content-Encoding" not in answer.headers
