"""From the public site to an organisation with records and a colleague, as a newcomer goes."""

import time

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.site import PATIENCE_SECONDS, Site
from tests.browser.visits import Visits, arrive, faults
from tests.conftest import PASSWORD

pytestmark = pytest.mark.browser
OWNER, COLLEAGUE = "nora@newcomers.example", "olaf@newcomers.example"
# Enough for the owner's worker to make an index of them.
ROWS = 1_100
_DROP = """([text, name]) => {
  const carried = new DataTransfer();
  carried.items.add(new File([text], name, { type: "text/csv" }));
  return carried;
}"""


def airports() -> str:
    """Return a file in which one date is none."""
    lines = ["code,city,elevation,opened"]
    for number in range(ROWS):
        opened = "in spring" if number == 17 else f"{1920 + number % 90}-0{number % 9 + 1}-15"
        lines.append(f"Q{number:04},Town {number % 40},{number * 7 % 900},{opened}")
    return "\n".join(lines) + "\n"


def drop(page: Page, text: str, name: str) -> None:
    """Let a file fall on the page, as from the desktop."""
    carried = page.evaluate_handle(_DROP, [text, name])
    for kind in ("dragenter", "dragover", "drop"):
        page.dispatch_event("main", kind, {"dataTransfer": carried})


def sign_up(page: Page, site: Site) -> None:
    """Ask for the organisation, and open the link that comes by mail."""
    page.goto(site.at("enclave.localhost"))
    assert faults(page) == []
    page.get_by_role("link", name="Make an organisation").first.click()
    page.get_by_label("Name of the organisation").fill("Newcomers")
    page.get_by_label("Address", exact=True).fill("newcomers")
    page.get_by_label("Your name").fill("Nora Quist")
    page.get_by_label("Your e-mail address").fill(OWNER)
    assert faults(page) == []
    page.get_by_role("button", name="Send me the link").click()
    expect(page.get_by_role("heading", name="Check your mail")).to_be_visible()
    page.goto(site.link_sent_to(OWNER))
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Make the organisation").click()


def sign_in(page: Page, email: str) -> None:
    """Type the address and the password on the page of sign-in."""
    expect(page.get_by_role("heading", name="Sign in", exact=True)).to_be_visible()
    assert faults(page) == []
    page.get_by_label("E-mail").fill(email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()


def reload_until(page: Page, place: Locator) -> None:
    """Load a page again until something stands there."""
    end = time.monotonic() + PATIENCE_SECONDS
    while not place.is_visible() and time.monotonic() < end:
        page.reload()


def bring_airports(page: Page) -> None:
    """Drop the file, say that a column holds dates, look at the dry run and import."""
    page.wait_for_load_state("load")
    drop(page, airports(), "airports.csv")
    kind = page.get_by_label("Type of opened")
    expect(kind).to_be_visible()
    expect(page.get_by_label("Type of elevation")).to_have_value("integer")
    assert faults(page) == []
    kind.select_option("date")
    page.get_by_role("button", name=f"Create the collection and import {ROWS:,} rows").click()
    expect(page.get_by_text("rows can be imported")).to_be_visible()
    assert faults(page) == []
    page.get_by_role("button", name=f"Import {ROWS - 1:,} rows, leave out 1").click()
    page.get_by_role("link", name="Open Airports").click()


def see_jobs_done(page: Page) -> None:
    """Find the import and the index among the jobs that have ended."""
    page.locator("#side").get_by_role("link", name="Jobs").click()
    for job in ("Import airports.csv", "Prepare searching and sorting of Airports"):
        done = page.locator("#jobs-ended tbody tr", has_text=job).first
        reload_until(page, done)
        expect(done).to_contain_text("Done")


def invite(page: Page) -> None:
    """Invite the colleague."""
    page.get_by_role("link", name="People").click()
    page.get_by_role("link", name="Invite people").click()
    arrive(page, "Invite people")
    page.get_by_label("E-mail addresses").fill(COLLEAGUE)
    assert faults(page) == []
    page.get_by_role("button", name="Invite 1 person").click()
    expect(page.get_by_role("rowheader", name=COLLEAGUE)).to_be_visible()


def join(page: Page, site: Site) -> None:
    """Open the invitation, say who one is, and come in."""
    page.goto(site.link_sent_to(COLLEAGUE))
    assert faults(page) == []
    page.get_by_label("Your name").fill("Olaf Dahl")
    page.get_by_label("Choose a password").fill(PASSWORD)
    page.get_by_role("button", name="Join Newcomers").click()
    expect(page.get_by_role("link", name="Airports").first).to_be_visible()


class TestNewOrganisation:
    def test_begins_with_a_mail_and_a_file_and_goes_on_with_a_colleague(
        self, visits: Visits, site: Site
    ) -> None:
        page = visits.stranger()
        sign_up(page, site)
        expect(page).to_have_url(site.organisation("newcomers", "/accounts/login/?next=%2F"))
        sign_in(page, OWNER)
        expect(page.get_by_role("heading", name="Drop a spreadsheet to begin")).to_be_visible()
        assert faults(page) == []

        bring_airports(page)
        expect(page.get_by_role("heading", name="Airports", level=1)).to_be_visible()
        expect(page.locator("#count")).to_have_text(f"{ROWS - 1:,} records")
        expect(page.get_by_role("rowheader", name="Q1099")).to_be_visible()
        see_jobs_done(page)

        invite(page)
        colleague = visits.stranger()
        join(colleague, site)
        colleague.get_by_role("button", name="Sign out").click()
        sign_in(colleague, COLLEAGUE)
        expect(colleague.locator(".me")).to_contain_text("Olaf Dahl")
