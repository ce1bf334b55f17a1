"""The frame around every page: organisation, navigation, person, jobs.

Rooms put their entries in with `add_nav` and `add_nav_source` when their app is ready; an entry is
shown to those who hold its permission. Nothing here asks more than a constant number of queries.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
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
    """One link of the navigation. `permission` "" means everybody who is signed in.

    `within` are the beginnings of addresses elsewhere that belong to it too.
    """

    label: str
    url: str
    icon: str
    permission: str = ""
    count: int | None = None
    order: int = 50
    within: tuple[str, ...] = ()


Source = Callable[[HttpRequest], Iterable[NavItem]]


@dataclass(slots=True)
class _Section:
    label: str
    order: int
    # Their addresses are names of URLs until a request comes.
    items: list[NavItem] = field(default_factory=list)
    sources: list[Source] = field(default_factory=list)


_sections: dict[str, _Section] = {}
# Filled by rooms: who the person is, which organisation's look, whether they hold a permission.
_holds: list[Callable[[HttpRequest, str], bool]] = []
_looks: list[Callable[[HttpRequest], dict[str, Any]]] = []


def add_section(label: str, *, order: int) -> None:
    """Declare a section of the navigation; "" has no heading."""
    _sections.setdefault(label, _Section(label, order))


def add_nav(
    section: str,
    *,
    label: str,
    url_name: str,
    icon: str,
    permission: str = "",
    order: int = 50,
    within: tuple[str, ...] = (),
) -> None:
    """Put a link into a section. `icon` is a name of heroicons."""
    add_section(section, order=50)
    _sections[section].items.append(NavItem(label, url_name, icon, permission, order=order, within=within))


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
# Stands at the foot of the side, above the person.
FOOT = "foot"
add_section(FOOT, order=1000)


def frame(request: HttpRequest) -> dict[str, Any]:
    """Return the context that the layouts draw the frame from; empty where no organisation answers."""
    context, caught = current(), _caught_mail_url()
    if context is None or context.plane is not Plane.TENANT or context.organisation is None:
        return {"frame": None, "caught_mail_url": caught}
    # After a statement that failed, nothing more can be asked: then the page stands without its navigation.
    asks = _is_signed_in(request) and not connections[context.alias].needs_rollback
    # First the links: finding out what somebody may see also finds the role that stands below their name.
    sections = _nav(request) if asks else []
    person = _person(request) if asks else None
    return {
        "caught_mail_url": caught,
        "frame": {
            **_whose(request, context.organisation.name),
            "stands_still": context.stands_still,
            "nav": [section for section in sections if section["label"] != FOOT],
            "foot": [item for section in sections if section["label"] == FOOT for item in section["items"]],
            "person": person,
            "organisations_url": _url("accounts:organisations"),
            "jobs_url": _url("jobs:sidebar") if person else "",
            "sign_out_url": _url("account_logout"),
        },
    }


def look_of(request: HttpRequest) -> dict[str, Any] | None:
    """Return the organisation's name, mark and colours alone, if the request has them already; no query."""
    tenant = getattr(request, "tenant", None)
    if tenant is None or not hasattr(request, "profile"):
        return None
    try:
        return _whose(request, tenant.name)
    except NoReverseMatch:
        return None


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


def _is_signed_in(request: HttpRequest) -> bool:
    user = getattr(request, "user", None)
    return user is not None and bool(user.is_authenticated)


def _person(request: HttpRequest) -> dict[str, Any] | None:
    if not _is_signed_in(request):
        return None
    user: Any = request.user
    return {
        "name": user.name,
        "role": getattr(user, "role_name", ""),
        "url": _url("accounts:account"),
        "current": request.path.startswith(("/account/", "/accounts/")),
    }


def _nav(request: HttpRequest) -> list[dict[str, Any]]:
    sections = []
    for section in sorted(_sections.values(), key=lambda section: section.order):
        items = [_item(request, item) for item in _items(request, section)]
        if items:
            sections.append({"label": section.label, "entries": items, "items": items})
    return sections


def _items(request: HttpRequest, section: _Section) -> list[NavItem]:
    found = [replace(item, url=_url(item.url)) for item in section.items]
    for source in section.sources:
        found.extend(source(request))
    return sorted((item for item in found if _may_see(request, item)), key=lambda item: item.order)


def _may_see(request: HttpRequest, item: NavItem) -> bool:
    if not item.url:
        return False
    return not item.permission or bool(_holds and _holds[0](request, item.permission))


def _item(request: HttpRequest, item: NavItem) -> dict[str, Any]:
    path = request.path
    is_here = path == item.url or (item.url != "/" and path.startswith((item.url, *item.within)))
    return {"label": item.label, "url": item.url, "icon": item.icon, "count": item.count, "current": is_here}


def _url(name: str) -> str:
    try:
        return reverse(name)
    except NoReverseMatch:
        return ""
