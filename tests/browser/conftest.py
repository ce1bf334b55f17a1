"""One installation and one Chromium for all walks; both end with the last of them.

Everything that asks the database happens before the browser starts: playwright's loop runs in the
thread of the tests from then on, and Django refuses to wait inside of a loop.
"""

from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from playwright.sync_api import Browser, expect, sync_playwright

from tests.browser import harbour as making
from tests.browser import operators
from tests.browser import site as running
from tests.browser.harbour import Harbour
from tests.browser.operators import AtWork
from tests.browser.site import PATIENCE_SECONDS, Site
from tests.browser.visits import Visits, visiting
from tests.chromium import executable


@pytest.fixture(scope="package")
def site(running_servers: None) -> Iterator[Site]:
    """The installation."""
    with running.running() as started:
        yield started


@pytest.fixture(scope="package")
def harbour(running_servers: None) -> Harbour:
    """The organisation that is there already."""
    return making.make()


@pytest.fixture(scope="package")
def at_work(running_servers: None) -> Iterator[AtWork]:
    """The operator, and what is under way."""
    with operators.there() as found:
        yield found


@pytest.fixture(scope="package")
def chromium(harbour: Harbour, site: Site, at_work: AtWork) -> Iterator[Browser]:
    """The system's Chromium."""
    with ExitStack() as stack:
        playwright = stack.enter_context(sync_playwright())
        browser = playwright.chromium.launch(
            executable_path=executable(), args=["--no-sandbox", "--disable-gpu"]
        )
        stack.callback(browser.close)
        expect.set_options(timeout=PATIENCE_SECONDS * 1000)
        stack.callback(expect.set_options, timeout=5000)
        yield browser


@pytest.fixture
def visits(chromium: Browser, site: Site, harbour: Harbour) -> Iterator[Visits]:
    """Browsers for the people of a test."""
    with visiting(chromium, site, harbour) as opened:
        yield opened
