"""Sharing with a group until a date: what the guest sees then, and what the trail says of it."""

from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from tests.browser.harbour import GUEST, OWNER
from tests.browser.visits import Visits, arrive, faults

pytestmark = pytest.mark.browser
GROUP = "Night shift"


def make_group(page: Page) -> None:
    """Make a group with the guest in it."""
    page.get_by_role("link", name="People").click()
    page.get_by_role("link", name="Groups", exact=True).click()
    arrive(page, "Groups")
    page.get_by_role("link", name="New group").click()
    dialog = page.locator("#dialog")
    dialog.get_by_label("Name").fill(GROUP)
    dialog.get_by_role("button", name="Make the group").click()
    page.get_by_role("link", name=GROUP).click()
    arrive(page, GROUP)
    page.get_by_role("link", name="Add a person").click()
    dialog.get_by_label("Person").select_option(label="Gus Ferry")
    dialog.locator(".buttons .primary").click()
    expect(page.locator("main")).to_contain_text("Gus Ferry")


def share_airports(page: Page) -> None:
    """Share the collection with the group for a week, to be read only."""
    page.locator("#side").get_by_role("link", name="Airports").click()
    page.get_by_role("link", name="Share").click()
    arrive(page, "Access to Airports")
    page.locator("main").get_by_role("link", name="Share", exact=True).click()
    dialog = page.locator("#dialog")
    dialog.get_by_label("Person or group").select_option(label=GROUP)
    dialog.locator("input[value='records.view']").check()
    last_day = timezone.localdate() + timedelta(days=7)
    dialog.get_by_label("Last day").fill(last_day.isoformat())
    assert faults(page) == []
    dialog.get_by_role("button", name="Share").click()
    expect(page.get_by_text("Airports is shared with Night shift.")).to_be_visible()
    expect(page.locator("main")).to_contain_text(f"until {last_day.day} ")


def see_it_in_the_trail(page: Page) -> None:
    """Find each step in the trail, and open two beside it: one with what was written, the other after it."""
    page.locator("#side").get_by_role("link", name="Trail").click()
    arrive(page, "Trail")
    for sentence in (
        f"Hanna Lund made the group {GROUP}",
        f"Hanna Lund added Gus Ferry to the group {GROUP}",
        f"Hanna Lund shared Airports with the group {GROUP}",
    ):
        expect(page.get_by_role("rowheader").filter(has_text=sentence).first).to_be_visible()
    page.get_by_role("link", name=f"Hanna Lund added Gus Ferry to the group {GROUP}").first.click()
    written = f"Hanna Lund added the membership Gus Ferry in {GROUP}"
    expect(page.locator("#panel")).to_contain_text(written)
    page.get_by_role("link", name=f"Hanna Lund shared Airports with the group {GROUP}").first.click()
    expect(page.locator("#panel")).to_contain_text("Hanna Lund shared Airports")


class TestSharing:
    def test_with_a_group_shows_that_much_and_stands_in_the_trail(self, visits: Visits) -> None:
        guest = visits.person(GUEST)
        expect(guest.get_by_text("Nothing is shared with you yet")).to_be_visible()
        owner = visits.person(OWNER)
        make_group(owner)
        share_airports(owner)

        guest.reload()
        expect(guest.locator("main")).not_to_contain_text("Secret plans")
        expect(guest.locator("#side")).not_to_contain_text("Secret plans")
        guest.locator("main").get_by_role("link", name="Airports").click()
        arrive(guest, "Airports")
        expect(guest.get_by_role("rowheader", name="AP119")).to_be_visible()
        expect(guest.locator("[data-edit]")).to_have_count(0)
        expect(guest.get_by_role("link", name="Add a record")).to_have_count(0)
        guest.get_by_role("rowheader", name="AP119").get_by_role("link").click()
        expect(guest.locator("#panel")).to_contain_text("Why you can see it")
        assert faults(guest) == []

        see_it_in_the_trail(owner)
