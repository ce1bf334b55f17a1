"""Every kind of page, wide and light, narrow and dark: no serious fault, nothing too wide, nothing moves."""

import pytest
from playwright.sync_api import Page, expect

from tests.browser.harbour import OWNER, SLUG
from tests.browser.site import PATIENCE_SECONDS, Site
from tests.browser.visits import NARROW, Visits, faults, moved
from tests.workers import wait_for

pytestmark = pytest.mark.browser
# The main kinds of pages, which are looked at narrow and dark too, and the others.
MAIN = ("/", "/c/airports/", "/c/airports/?q=nowhere", "/people/", "/trail/", "/jobs/")
OTHERS = (
    "/c/airports/design/",
    "/c/airports/design/f/city/",
    "/c/airports/settings/",
    "/c/airports/new/",
    "/c/airports/import/",
    "/collections/new/",
    "/imports/",
    "/sharing/",
    "/people/invite/",
    "/settings/",
    "/account/",
)
# Built of the same parts as those.
RARE = ("/c/airports/bin/", "/groups/", "/organisations/", "/roles/", "/sharing/mine/")


def found_on(page: Page, paths: tuple[str, ...]) -> dict[str, list[object]]:
    """Return the faults of pages, by path; a page that is too wide for its window is one."""
    home, found = page.url.rstrip("/"), {}
    for path in paths:
        answer = page.goto(home + path)
        assert answer is not None
        assert answer.status == 200, path
        expect(page.locator("h1")).to_be_visible()
        # Before axe, which takes its time: what runs may show its progress meanwhile.
        wrong: list[object] = [f"moved: {what}" for what in moved(page)]
        wrong += faults(page)
        if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
            wrong.append("too wide")
        if wrong:
            found[path] = wrong
    return found


class TestEyes:
    def test_see_a_style_that_the_policy_stops_and_a_button_without_a_name(self, visits: Visits) -> None:
        page = visits.person(OWNER, "/account/")
        page.evaluate(
            "document.querySelector('main').insertAdjacentHTML('beforeend', '<b style=top:0><button>')"
        )
        assert [fault for fault, _ in faults(page)] == ["button-name"]
        assert len(visits.complaints) == 1
        assert "Content Security Policy" in visits.complaints.pop()

    def test_see_what_moves(self, visits: Visits) -> None:
        page = visits.person(OWNER, "/account/")
        assert moved(page) == []
        page.evaluate(
            "document.querySelector('.content').insertAdjacentHTML('afterbegin', '<p>Late</p><p>later</p>')"
        )
        # Asked again and again from here: the page's policy lets nothing evaluate itself.
        wait_for(lambda: bool(moved(page)), seconds=PATIENCE_SECONDS)


class TestWeight:
    def test_a_first_visit_carries_little(self, visits: Visits) -> None:
        page = visits.person(OWNER, "/c/airports/")
        sizes = page.evaluate(
            "[...performance.getEntriesByType('navigation'), ...performance.getEntriesByType('resource')]"
            ".map((one) => [new URL(one.name).pathname, one.transferSize])"
        )
        assert all(size for _, size in sizes), sizes
        assert sum(size for _, size in sizes) < 200_000, sizes


class TestPages:
    def test_can_be_read_by_everybody(self, visits: Visits) -> None:
        assert found_on(visits.person(OWNER), MAIN + OTHERS) == {}

    def test_can_be_read_on_a_telephone_at_night(self, visits: Visits, site: Site) -> None:
        assert found_on(visits.person(OWNER, width=NARROW, dark=True), MAIN) == {}
        stranger = visits.stranger(width=NARROW, dark=True)
        stranger.goto(site.organisation(SLUG, "/accounts/login/"))
        assert faults(stranger) == []

    @pytest.mark.nightly
    def test_so_can_the_others(self, visits: Visits) -> None:
        assert found_on(visits.person(OWNER, width=NARROW, dark=True), OTHERS + RARE) == {}
        assert found_on(visits.person(OWNER, width=NARROW), MAIN) == {}
        assert found_on(visits.person(OWNER, dark=True), MAIN + RARE) == {}

    def test_of_a_record_can_be_read(self, visits: Visits) -> None:
        page = visits.person(OWNER, "/c/airports/?q=AP050")
        address = page.get_by_role("rowheader", name="AP050").get_by_role("link").get_attribute("href")
        home = page.url.split("/c/")[0]
        page.goto(f"{home}{address}")
        expect(page.get_by_role("heading", name="AP050", level=1)).to_be_visible()
        assert faults(page) == []
        page.set_viewport_size({"width": NARROW, "height": 860})
        page.emulate_media(color_scheme="dark")
        assert faults(page) == []
