"""A collection at work: finding, changing, taking back, meeting, and the keys."""

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.harbour import AIRPORTS, MEMBER, OWNER
from tests.browser.visits import NARROW, Visits, arrive

pytestmark = pytest.mark.browser
LIST = "/c/airports/"
FIRST = "tbody tr:not(.more):first-child"


def row(page: Page, code: str) -> Locator:
    """Return the row of an airport."""
    return page.locator("tbody tr").filter(has=page.get_by_role("rowheader", name=code))


def cell(page: Page, code: str, field: str) -> Locator:
    """Return a cell that can be edited."""
    return row(page, code).locator(f"td[data-edit$='/edit/{field}/']")


def type_into(page: Page, place: Locator, text: str) -> None:
    """Open a cell, and put another value into it without sending it."""
    place.dblclick()
    field = place.locator("input:not([type=hidden])")
    expect(field).to_be_focused()
    field.fill(text)


class TestFinding:
    def test_goes_by_filters_order_and_search(self, visits: Visits) -> None:
        page = visits.person(OWNER, LIST)
        expect(page.locator("#count")).to_have_text(f"{AIRPORTS} records")
        page.locator("#chips").get_by_role("link", name="Filter").click()
        dialog = page.locator("#dialog")
        dialog.get_by_label("Field").select_option("city")
        # The form of the other field has come: only the server marks an option as selected.
        expect(dialog.locator("[name=field] option[selected]")).to_have_text("City")
        dialog.locator("input:not([type=hidden])").fill("Lisbon")
        dialog.get_by_role("button", name="Filter").click()
        expect(page.locator("#count")).to_have_text(f"{AIRPORTS // 4} records")
        expect(page.locator("tbody td", has_text="Bergen")).to_have_count(0)

        page.locator("thead").get_by_role("link", name="Code").click()
        head = page.locator("th[data-column=code]")
        expect(head).to_have_attribute("aria-sort", "ascending")
        expect(page.locator(FIRST)).to_contain_text("AP001")
        page.locator("thead").get_by_role("link", name="Code").click()
        expect(head).to_have_attribute("aria-sort", "descending")
        expect(page.locator(FIRST)).to_contain_text("AP117")
        arrive(page, "Airports")

        page.keyboard.press("/")
        page.keyboard.type("AP013")
        expect(page.locator("#count")).to_have_text("1 record")
        expect(page.locator(FIRST)).to_contain_text("AP013")
        page.get_by_role("link", name="Remove the filter City is Lisbon").click()
        expect(page.locator("#chips .chip")).to_have_count(0)


class TestChanging:
    def test_a_cell_in_place_can_be_taken_back(self, visits: Visits) -> None:
        page = visits.person(OWNER, f"{LIST}?q=AP021")
        place = cell(page, "AP021", "runways")
        expect(place).to_have_text("2")
        type_into(page, place, "many")
        page.keyboard.press("Enter")
        expect(place.locator(".errorlist")).to_be_visible()
        place.locator("input:not([type=hidden])").fill("9")
        page.keyboard.press("Enter")
        expect(place).to_have_text("9")
        page.get_by_role("button", name="Undo").click()
        expect(cell(page, "AP021", "runways")).to_have_text("2")

    def test_two_people_at_one_value_are_asked(self, visits: Visits) -> None:
        hanna, milo = (visits.person(who, f"{LIST}?q=AP033") for who in (OWNER, MEMBER))
        for page, city in ((hanna, "Oslo"), (milo, "Porto")):
            type_into(page, cell(page, "AP033", "city"), city)
        hanna.keyboard.press("Enter")
        expect(cell(hanna, "AP033", "city")).to_have_text("Oslo")
        milo.keyboard.press("Enter")
        dialog = milo.locator("#dialog")
        expect(dialog.get_by_role("heading")).to_have_text("Hanna Lund changed AP033 meanwhile")
        expect(dialog.get_by_label("Yours")).to_be_checked()
        expect(dialog).to_contain_text("Oslo")
        dialog.get_by_role("button", name="Keep what I chose").click()
        expect(cell(milo, "AP033", "city")).to_have_text("Porto")


class TestKeys:
    def test_walk_open_edit_search_and_explain(self, visits: Visits) -> None:
        page = visits.person(OWNER, f"{LIST}?sort=code")
        for key in ("j", "j", "j", "k"):
            page.keyboard.press(key)
        expect(row(page, "AP001").locator("th a")).to_be_focused()
        address = page.url
        page.keyboard.press("Enter")
        expect(page.locator("#panel h2").first).to_have_text("AP001")
        expect(page).to_have_url(address)
        page.keyboard.press("Escape")
        expect(page.locator("#panel")).to_be_hidden()
        expect(row(page, "AP001").locator("th a")).to_be_focused()
        page.keyboard.press("e")
        expect(row(page, "AP001").locator("form[data-inline] input:not([type=hidden])")).to_be_focused()
        page.keyboard.press("Escape")
        expect(page.locator("form[data-inline]")).to_have_count(0)
        # One goes on from where one was, and nothing has moved.
        expect(row(page, "AP001").locator("th a")).to_be_focused()
        place = cell(page, "AP001", "city")
        page.keyboard.press("ArrowRight")
        expect(place).to_be_focused()
        before = [place.bounding_box(), cell(page, "AP002", "runways").bounding_box()]
        page.keyboard.press("e")
        expect(place.locator("form[data-inline] input:not([type=hidden])")).to_be_focused()
        assert [place.bounding_box(), cell(page, "AP002", "runways").bounding_box()] == before
        page.keyboard.press("Escape")
        expect(place).to_be_focused()
        page.keyboard.press("?")
        expect(page.locator("#keys")).to_be_visible()
        page.keyboard.press("Escape")
        page.keyboard.press("/")
        expect(page.locator("[data-search]")).to_be_focused()


class TestTelephone:
    def test_drawer_list_and_record_fit(self, visits: Visits) -> None:
        page = visits.person(OWNER, "/", width=NARROW, dark=True)
        expect(page.locator("#side")).to_be_hidden()
        page.get_by_role("button", name="Menu").tap()
        expect(page.locator("#side")).to_be_visible()
        page.locator("#side").get_by_role("link", name="Airports").tap()
        expect(page.get_by_role("heading", name="Airports", level=1)).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth") <= NARROW
        page.get_by_role("link", name="AP100").tap()
        arrive(page, "AP100")
        assert page.evaluate("document.documentElement.scrollWidth") <= NARROW
        page.locator("dd[data-edit$='/edit/city/?whole']").tap()
        page.locator("form[data-inline] input:not([type=hidden])").fill("Kirkwall")
        page.keyboard.press("Enter")
        expect(page.locator("dd[data-edit$='/edit/city/?whole']")).to_have_text("Kirkwall")
