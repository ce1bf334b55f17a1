"""The frame around every page: organisation, navigation, person, jobs.

Rooms put their entries in with `add_nav` and `add_nav_source` when their app is ready; an entry is
shown to those who hold its permission. Nothing here asks more than a constant number of queries.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings
from django.db import connections
from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse

from config.ui.words import initials
from tenants.addresses import site_url
from tenants.context import Plane, current


@dataclass(frozen=True, slots=True)
class NavItem:
    """One link of the navigation. `permission` "" means everybody who is signed in."""

    label: str
    url: str
    icon: str
    permission: str = ""
    count: int | None = None
    order: int = 50


Source = Callable[[HttpRequest], Iterable[NavItem]]


@dataclass(slots=True)
class _Section:
    label: str
    order: int
    items: list[tuple[int, str, str, str, str]] = field(default_factory=list)
    sources: list[Source] = field(default_factory=list)


_sections: dict[str, _Section] = {}
# Filled by rooms: who the person is, which organisation's look, whether they hold a permission.
_holds: list[Callable[[HttpRequest, str], bool]] = []
_looks: list[Callable[[HttpRequest], dict[str, Any]]] = []


def add_section(label: str, *, order: int) -> None:
    """Declare a section of the navigation; "" has no heading."""
    _sections.setdefault(label, _Section(label, order))


def add_nav(
    section: str, *, label: str, url_name: str, icon: str, permission: str = "", order: int = 50
) -> None:
    """Put a link into a section. `icon` is a name of heroicons."""
    add_section(section, order=50)
    _sections[section].items.append((order, label, url_name, icon, permission))


def add_nav_source(section: str, source: Source) -> None:
    """Put links into a section that depend on the request, such as the organisation's collections."""
    add_section(section, order=50)
    _sections[section].sources.append(source)


def answer_holds(function: Callable[[HttpRequest, str], bool]) -> None:
    """Let the room of permissions say who sees which link."""
    _holds[:] = [function]


def answer_look(function: Callable[[HttpRequest], dict[str, Any]]) -> None:
    """Let the room of accounts give the organisation's name, mark, logo and stylesheet."""
    _looks[:] = [function]


add_section("", order=0)
add_section("Collections", order=10)
add_section("Understand", order=20)
add_section("Organisation", order=30)


def frame(request: HttpRequest) -> dict[str, Any]:
    """Return the context that the layouts draw the frame from; empty where no organisation answers."""
    context, caught = current(), _caught_mail_url()
    if context is None or context.plane is not Plane.TENANT or context.organisation is None:
        return {"frame": None, "caught_mail_url": caught}
    # After a statement that failed, nothing more can be asked: then the page stands without its navigation.
    person = None if connections[context.alias].needs_rollback else _person(request)
    return {
        "caught_mail_url": caught,
        "frame": {
            **_whose(request, context.organisation.name),
            "stands_still": context.stands_still,
            "nav": _nav(request) if person else [],
            "person": person,
            "organisations_url": _url("accounts:organisations"),
            "jobs_url": _url("jobs:sidebar") if person else "",
            "sign_out_url": _url("account_logout"),
        },
    }


def bare(request: HttpRequest) -> dict[str, Any] | None:
    """Return the frame of a page that says no: whose it is, and nothing of who asks. None without whose."""
    context = current()
    if context is None or context.plane is not Plane.TENANT or context.organisation is None:
        return None
    return _whose(request, context.organisation.name)


def _whose(request: HttpRequest, stored_name: str) -> dict[str, Any]:
    look = _looks[0](request) if _looks else {}
    name = look.get("name") or stored_name
    return {
        "organisation": {
            "name": name,
            "mark": look.get("mark") or initials(name),
            "logo_url": look.get("logo_url"),
        },
        "brand_url": look.get("brand_url"),
    }


def _caught_mail_url() -> str:
    """Return where mail can be read that is caught while developing; "" where it really leaves."""
    if not (settings.DEVELOPMENT and settings.MAIL_CATCHER_FOLDER):
        return ""
    return f"{site_url(settings.BASE_DOMAIN)}/mail/"


def _person(request: HttpRequest) -> dict[str, Any] | None:
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated:
        return None
    return {"name": user.name, "role": getattr(user, "role_name", ""), "url": _url("accounts:account")}


def _nav(request: HttpRequest) -> list[dict[str, Any]]:
    sections = []
    for section in sorted(_sections.values(), key=lambda section: section.order):
        items = [_item(request, item) for item in _items(request, section)]
        if items:
            sections.append({"label": section.label, "entries": items, "items": items})
    return sections


def _items(request: HttpRequest, section: _Section) -> list[NavItem]:
    found = [
        NavItem(label, _url(url_name), icon, permission, order=order)
        for order, label, url_name, icon, permission in section.items
    ]
    for source in section.sources:
        found.extend(source(request))
    return sorted((item for item in found if _may_see(request, item)), key=lambda item: item.order)


def _may_see(request: HttpRequest, item: NavItem) -> bool:
    if not item.url:
        return False
    return not item.permission or bool(_holds and _holds[0](request, item.permission))


def _item(request: HttpRequest, item: NavItem) -> dict[str, Any]:
    is_here = request.path == item.url or (item.url != "/" and request.path.startswith(item.url))
    return {"label": item.label, "url": item.url, "icon": item.icon, "count": item.count, "current": is_here}


def _url(name: str) -> str:
    try:
        return reverse(name)
    except NoReverseMatch:
        return ""
