"""An operator's walk through the console, and every page of it for everybody's eyes, by day and by night."""

import pyotp
import pytest
from django.conf import settings
from django.urls import reverse
from playwright.sync_api import Page, expect

from operations.admin import console
from tests.browser.harbour import Harbour
from tests.browser.operators import OPERATOR, AtWork
from tests.browser.site import Site
from tests.browser.visits import NARROW, WIDE, Visits, arrive, faults
from tests.conftest import PASSWORD

pytestmark = pytest.mark.browser
HOME = "/console/"
ORGANISATIONS, MIGRATIONS = "/console/tenants/organisation/", "/console/operations/fleetstate/"
REASON = "Asked for by phone"


def address(name: str, *words: object) -> str:
    """Return an address of the console by its name."""
    return reverse(f"admin:{name}", urlconf="config.urls.operators", args=words)


LISTS = [
    address(f"{model._meta.app_label}_{model._meta.model_name}_changelist") for model in console._registry
]


def come_in(page: Page, site: Site) -> None:
    """Sign in for the first time: the password, then the second step that has to be set up."""
    page.goto(site.at(settings.OPERATORS_HOST, HOME))
    page.get_by_label("E-mail").fill(OPERATOR)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
    expect(page.get_by_role("heading", name="Set up an app")).to_be_visible()
    assert faults(page) == []
    secret = page.locator("code").inner_text()
    page.get_by_label("code").fill(pyotp.TOTP(secret).now())
    page.get_by_role("button", name="Use this app").click()
    page.goto(site.at(settings.OPERATORS_HOST, HOME))
    arrive(page, "Installation")


def make_an_organisation(page: Page) -> None:
    """Make one, and suspend it."""
    page.get_by_role("link", name="Organisations", exact=True).click()
    arrive(page, "Organisations")
    page.get_by_role("link", name="Make an organisation").click()
    arrive(page, "Make an organisation")
    page.get_by_label("Name", exact=True).fill("Lighthouse")
    page.get_by_label("Address", exact=True).fill("lighthouse")
    page.get_by_label("Name of the first owner").fill("Liv Holm")
    page.get_by_label("E-mail address of the first owner").fill("liv@lighthouse.example")
    page.get_by_label("Reason").fill(REASON)
    page.get_by_role("button", name="Make the organisation").click()
    expect(page.get_by_text("Lighthouse was made on")).to_be_visible()


def suspend_it(page: Page) -> None:
    """Go by the page of the act, which says first what happens and wants a reason."""
    page.get_by_role("link", name="Make it suspended").click()
    arrive(page, "Make Lighthouse suspended")
    page.get_by_role("button", name="Make Lighthouse suspended").click()
    expect(page.get_by_text("Fill this in.")).to_be_visible()
    assert faults(page) == []
    page.get_by_label("Reason").fill("Invoice not paid")
    page.get_by_role("button", name="Make Lighthouse suspended").click()
    expect(page.get_by_text("Lighthouse is suspended now.")).to_be_visible()


def stop_the_run(page: Page, run: str) -> None:
    """Stop it in a page beside; the one that follows it says so by itself."""
    beside = page.context.new_page()
    page.goto(page.url.split("/console/")[0] + run)
    expect(page.locator("#content")).to_contain_text("50 of 200")
    beside.goto(page.url)
    beside.get_by_role("link", name="Stop it").click()
    beside.get_by_label("Reason").fill("Errors on the canary")
    beside.get_by_role("button", name="Stop migrating").click()
    expect(page.locator("#content")).to_contain_text("It was asked to stop.")
    beside.close()


DAY, NIGHT = (WIDE, "light"), (NARROW, "dark")
ALL = (DAY, (WIDE, "dark"), NIGHT, (NARROW, "light"))


def wrong_on(
    page: Page, site: Site, addresses: list[str], looks: tuple[tuple[int, str], ...] = ALL
) -> dict[str, list[object]]:
    """Return what is wrong with pages, as each width and scheme shows them; too wide is wrong too."""
    found: dict[str, list[object]] = {}
    for one in addresses:
        answer = page.goto(site.at(settings.OPERATORS_HOST, one))
        assert answer is not None
        assert answer.status == 200, one
        for width, scheme in looks:
            page.set_viewport_size({"width": width, "height": 860})
            page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]  # one of two words
            wrong: list[object] = list(faults(page, imports_styles=True))  # the framework's forms.css
            if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
                wrong.append("too wide")
            if wrong:
                found[f"{one} {width} {scheme}"] = wrong
    return found


class TestConsole:
    def test_an_operator_walks_through_it(
        self, visits: Visits, site: Site, harbour: Harbour, at_work: AtWork
    ) -> None:
        page = visits.stranger()
        come_in(page, site)
        make_an_organisation(page)
        made = "/console/" + page.url.split("/console/")[1]
        suspend_it(page)
        stop_the_run(page, at_work.run)
        page.goto(site.at(settings.OPERATORS_HOST, HOME))
        expect(page.locator("#content")).to_contain_text("Invoice not paid")
        below = made.removesuffix("change/")
        main = [HOME, ORGANISATIONS, MIGRATIONS, made, f"{below}state/leaving/", at_work.run]
        assert wrong_on(page, site, main, (DAY, NIGHT)) == {}

    @pytest.mark.nightly
    def test_every_page_can_be_read_by_everybody(self, visits: Visits, site: Site, at_work: AtWork) -> None:
        page = visits.stranger()
        home = site.at(settings.OPERATORS_HOST, HOME)
        page.context.add_cookies([{"name": "sid", "value": at_work.cookie, "url": home}])
        page.goto(site.at(settings.OPERATORS_HOST, f"{ORGANISATIONS}?q=harbour"))
        page.get_by_role("link", name="Harbour Air").click()
        arrive(page, "Harbour Air")
        below = "/console/" + page.url.split("/console/")[1].removesuffix("change/")
        acts = [f"{below}{act}/" for act in ("change", "state/leaving", "ring", "release", "restore", "move")]
        makings = [address("organisation-make"), address("tenants_release_add")]
        shard = address("tenants_shard_change", "shard_1")
        assert wrong_on(page, site, [HOME, *LISTS, *acts, *makings, shard, at_work.run]) == {}
