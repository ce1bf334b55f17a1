"""The look needs no server: templates are rendered here and handed to the browser without a network."""

import mimetypes
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as project
from django.contrib.staticfiles import finders
from django.test import RequestFactory
from django.urls import resolve
from playwright.sync_api import Browser, Page, Route, sync_playwright

from tests.chromium import executable

HOST = "http://gallery.test"
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; frame-ancestors 'none'; base-uri 'none'; font-src 'self'"
)


@pytest.fixture(scope="session", autouse=True)
def running_servers() -> None:
    """Start none: nothing here asks a database."""


@pytest.fixture(autouse=True)
def bare_project(settings: Any) -> None:
    """The project's templates with the request alone as context, and the gallery alone as addresses."""
    settings.ROOT_URLCONF = "tests.ui.urls"
    settings.TEMPLATES = [
        {
            "BACKEND": "django.template.backends.django.DjangoTemplates",
            "DIRS": [Path(project.BASE_DIR) / "templates"],
            "APP_DIRS": True,
            "OPTIONS": {"context_processors": ["django.template.context_processors.request"]},
        }
    ]


def answer(path: str) -> tuple[int, str, str]:
    """What the gallery answers at a path: status, text, content type."""
    request = RequestFactory().get(path)
    match = resolve(request.path)
    response = match.func(request, *match.args, **match.kwargs)
    return response.status_code, response.content.decode(), response["Content-Type"]


def fulfil(route: Route) -> None:
    """Answer the browser as the production site would, with its policy."""
    path = route.request.url.removeprefix(HOST)
    if path.startswith("/static/"):
        found = finders.find(path.removeprefix("/static/").split("?")[0])
        if not isinstance(found, str):
            return route.fulfill(status=404, body="")
        return route.fulfill(path=found, content_type=mimetypes.guess_type(found)[0])
    status, text, kind = answer(path)
    return route.fulfill(
        status=status, body=text, headers={"content-type": kind, "content-security-policy": POLICY}
    )


# Not longer than the package: Playwright's loop would forbid the database to later tests in this thread.
@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """The system's Chromium."""
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=executable(), args=["--no-sandbox", "--disable-gpu"]
        )
        yield chromium
        chromium.close()


@pytest.fixture
def open_page(browser: Browser) -> Iterator[Callable[..., Page]]:
    """Open a page of the gallery; whatever the browser complains about fails the test at its end."""
    complaints: list[str] = []
    contexts = []

    def go(path: str = "", *, width: int = 1280, dark: bool = False, scripts: bool = True) -> Page:
        context = browser.new_context(
            viewport={"width": width, "height": 860},
            color_scheme="dark" if dark else "light",
            java_script_enabled=scripts,
            reduced_motion="reduce",
        )
        contexts.append(context)
        page = context.new_page()
        page.on(
            "console",
            lambda said: (
                complaints.append(said.text) if said.type == "error" and "413" not in said.text else None
            ),
        )
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.route("**/*", fulfil)
        page.goto(f"{HOST}/gallery/{path}")
        return page

    yield go
    for context in contexts:
        context.close()
    assert complaints == []
