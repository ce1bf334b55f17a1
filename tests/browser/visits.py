"""Somebody at a browser: pages with eyes on the console, and what axe says about them."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, expect

from tests.browser.harbour import Harbour
from tests.browser.site import PATIENCE_SECONDS, Site

WIDE, NARROW = 1280, 390
Visit = Callable[..., Page]
# Chromium writes an answer that is an error into the console; these are meant.
_MEANT = ("status of 409", "status of 422")
# Notes what moves without anybody having pressed a key or a button.
_WATCH = """
window.moved = [];
new PerformanceObserver((seen) => seen.getEntries().forEach((one) => {
  if (one.hadRecentInput) return;
  const named = ({ node }) => (node?.outerHTML ?? node?.textContent ?? "?").slice(0, 120);
  window.moved.push(...one.sources.map(named));
})).observe({ type: "layout-shift", buffered: true });
"""


class Visits:
    """Browsers of people, each with cookies of its own, and everything that they complained about."""

    def __init__(self, chromium: Browser, site: Site, harbour: Harbour) -> None:
        self.complaints: list[str] = []
        self._chromium, self._site, self._harbour = chromium, site, harbour
        self._contexts: list[BrowserContext] = []

    def stranger(self, *, width: int = WIDE, dark: bool = False) -> Page:
        """Open a browser that nobody has used."""
        context = self._chromium.new_context(
            viewport={"width": width, "height": 860},
            color_scheme="dark" if dark else "light",
            reduced_motion="reduce",
            has_touch=width == NARROW,
        )
        context.set_default_timeout(PATIENCE_SECONDS * 1000)
        context.add_init_script(_WATCH)
        self._contexts.append(context)
        page = context.new_page()
        page.on("console", self._heard)
        page.on("pageerror", lambda error: self.complaints.append(f"{page.url}: {error}"))
        return page

    def person(self, email: str, path: str = "/", *, width: int = WIDE, dark: bool = False) -> Page:
        """Open a page of the harbour as one of its people, who has signed in before."""
        page = self.stranger(width=width, dark=dark)
        home = self._site.organisation(self._harbour.slug)
        page.context.add_cookies([{"name": "sid", "value": self._harbour.cookies[email], "url": home}])
        page.goto(self._site.organisation(self._harbour.slug, path))
        return page

    def close(self) -> None:
        """Close all of them."""
        for context in self._contexts:
            context.close()

    def _heard(self, said: ConsoleMessage) -> None:
        if said.type == "error" and not any(meant in said.text for meant in _MEANT):
            at = said.location.get("url") or (said.page.url if said.page else "")
            self.complaints.append(f"{at}: {said.text}")


@contextmanager
def visiting(chromium: Browser, site: Site, harbour: Harbour) -> Iterator[Visits]:
    """Let people visit during a block; whatever a browser complained about fails at its end."""
    visits = Visits(chromium, site, harbour)
    try:
        yield visits
    finally:
        visits.close()
    assert visits.complaints == [], visits.complaints


def arrive(page: Page, heading: str) -> None:
    """Wait for the page of that heading, with its scripts: what is pressed before them goes another way."""
    expect(page.get_by_role("heading", name=heading, level=1)).to_be_visible()
    page.wait_for_load_state("load")


def moved(page: Page) -> list[str]:
    """Return what moved by itself after it was drawn."""
    found: list[str] = page.evaluate("window.moved")
    return found


def faults(page: Page, *, imports_styles: bool = False) -> list[Any]:
    """Return what axe calls serious or critical on a page, with where it is.

    Where a sheet of styles imports another one, axe reads that through a style in the page, which the
    page's policy stops; it is left out then, and with it whether the page is locked to one orientation.
    """
    found = Axe().run(page, options={"resultTypes": ["violations"], "preload": not imports_styles})
    return [
        (fault["id"], [node["html"][:160] for node in fault["nodes"]][:5])
        for fault in found.response["violations"]
        if fault["impact"] in ("serious", "critical")
    ]
