"""Every address of an organisation's site, tried as everybody: the table says who gets an answer."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import pytest
from django.conf import settings
from django.db import transaction
from django.http import HttpResponseBase
from django.test import Client
from django.urls import reverse, set_urlconf
from django.utils import timezone

from accounts.actions.people import add_person
from permissions.actions.memberships import assign_role
from permissions.checks import views_of_tenant
from permissions.models import Role
from tenants.context import Actor, enter
from tenants.models import Organisation
from tests.conftest import ALIASES, PASSWORD, ClientAs
from tests.url_table import ADMIN, ANYONE, GUEST, MEMBER, OWNER, TABLE, THINGS, Lowest, Row, ada

NAMES = sorted({name for name, _ in views_of_tenant()})
Visitor = tuple[str, Lowest, Client]


def test_no_url_is_missing_from_the_table() -> None:
    """See the top of tests/url_table.py for how to add one."""
    assert sorted(set(NAMES) - set(TABLE)) == []


def test_the_table_names_no_url_that_is_gone() -> None:
    assert sorted(set(TABLE) - set(NAMES)) == []


@pytest.fixture
def visitors(pulse: Organisation, tide: Organisation, client_as: ClientAs) -> list[Visitor]:
    """One browser for everybody who tries: the four roles, signed out, and with another's cookie."""
    with enter(pulse, actor=Actor.system("test")):
        at = timezone.now()
        ann = add_person(email="ann@pulse.example", name="Ann Mori", password=PASSWORD, at=at)
        assign_role(user=ann, role=Role.objects.get(code="admin"), by=ada(), at=at)
    headers = {"sec-fetch-site": "same-origin"}
    stranger = Client(HTTP_HOST=pulse.primary_host, headers=headers)
    thief = Client(HTTP_HOST=pulse.primary_host, headers=headers)
    cookie = settings.SESSION_COOKIE_NAME
    thief.cookies[cookie] = client_as("dee@tide.example", tide).cookies[cookie].value
    return [
        ("owner", OWNER, client_as("ada@pulse.example", pulse)),
        ("admin", ADMIN, client_as("ann@pulse.example", pulse)),
        ("member", MEMBER, client_as("ben@pulse.example", pulse)),
        ("guest", GUEST, client_as("cy@pulse.example", pulse)),
        ("signed out", ANYONE, stranger),
        ("with another organisation's cookie", ANYONE, thief),
    ]


@contextmanager
def undone() -> Iterator[None]:
    """Take back whatever one request does, so that the next visitor finds the same."""
    with ExitStack() as stack:
        for alias in ALIASES:
            stack.enter_context(transaction.atomic(using=alias))
        yield
        for alias in ALIASES:
            transaction.set_rollback(True, using=alias)


def address_of(name: str, row: Row, organisation: Organisation) -> str:
    """Return the address of a row, with its things made."""
    # As inside a request: what is made may put links into mails.
    set_urlconf(settings.URLCONF_TENANT)
    with enter(organisation, actor=Actor.system("test")):
        args = {
            key: THINGS[value]() if isinstance(value, str) and value in THINGS else value
            for key, value in row.args.items()
        }
    set_urlconf(None)
    return reverse(name, urlconf=settings.URLCONF_TENANT, kwargs=args)


# What no answer may be without, and what a value of it must hold.
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'",
        "frame-ancestors 'none'",
        "object-src 'none'",
        "base-uri 'none'",
    ),
    "X-Content-Type-Options": ("nosniff",),
    "Referrer-Policy": ("same-origin",),
    "Cross-Origin-Opener-Policy": ("same-origin",),
    "Cache-Control": ("no-store",),
}
NEVER = ("unsafe-inline", "unsafe-eval")


def lacks(response: HttpResponseBase) -> list[str]:
    """Return what an answer lacks of the headers, or says in them that it must not."""
    found = [
        name
        for name, parts in HEADERS.items()
        if not all(part in response.headers.get(name, "") for part in parts)
    ]
    policy = response.headers.get("Content-Security-Policy", "")
    found += [word for word in NEVER if word in policy]
    found += [name for name in response.headers if name.lower().startswith("access-control-")]
    ours = {settings.SESSION_COOKIE_NAME, settings.CSRF_COOKIE_NAME}
    return found + [name for name, morsel in response.cookies.items() if name not in ours or morsel["domain"]]


def outcome(client: Client, method: str, address: str) -> str:
    """Return what a visitor gets, as a word: an answer, sign-in, the status of a refusal, or a fault."""
    with undone():
        response: Any = client.get(address) if method == "GET" else client.post(address, {})
        if response.streaming:
            response.getvalue()  # to its end, or its file stays open
    lacking = lacks(response)
    if lacking:
        return f"lacks {', '.join(lacking)}"
    if response.status_code == 405:
        return "405"
    if response.status_code in (403, 404):
        return str(response.status_code)
    if response.status_code >= 500:
        return f"fault {response.status_code}"
    return "sign-in" if _leads_to_sign_in(response) else "answer"


def _leads_to_sign_in(response: HttpResponseBase) -> bool:
    login = reverse("account_login", urlconf=settings.URLCONF_TENANT)
    return response.status_code == 302 and response.headers["Location"].startswith(f"{login}?next=")


def expected(row: Row, who: Lowest) -> set[str]:
    """Return the outcomes that the table allows somebody."""
    if row.lowest is ANYONE:
        # A stale or missing key in a public address may be answered in any way but a fault.
        return {"answer", "404"} | ({"sign-in"} if who is ANYONE else set())
    if who is ANYONE:
        return {"sign-in"}
    if who >= row.lowest:
        return {"answer", "404"} if row.or_404 else {"answer"}
    return {"404"} if who < row.sees else {"403"}


KNOWN = [name for name in NAMES if name in TABLE]
# Those with something of Pulse in the address.
HIDING = [
    name
    for name in KNOWN
    if TABLE[name].args and TABLE[name].lowest is not ANYONE and TABLE[name].elsewhere is not None
]


class TestEveryUrl:
    @pytest.mark.parametrize("name", KNOWN)
    def test_answers_from_its_role_upwards(
        self, pulse: Organisation, visitors: list[Visitor], name: str
    ) -> None:
        row = TABLE[name]
        address = address_of(name, row, pulse)
        got = {
            (who, method): (lowest, outcome(client, method, address))
            for who, lowest, client in visitors
            for method in ("GET", "POST")
        }
        unknown_methods = {method for (_, method), (_, what) in got.items() if what == "405"}
        wrong = {
            key: what
            for key, (lowest, what) in got.items()
            if key[1] not in unknown_methods and what not in expected(row, lowest)
        }
        assert (wrong, len(unknown_methods) < 2) == ({}, True)

    @pytest.mark.parametrize("name", HIDING)
    def test_hides_its_things_from_another_organisation(
        self, pulse: Organisation, tide: Organisation, client_as: ClientAs, name: str
    ) -> None:
        row = TABLE[name]
        address = address_of(name, row, pulse)
        dee = client_as("dee@tide.example", tide)
        got = {outcome(dee, method, address) for method in ("GET", "POST")} - {"405"}
        assert got == {str(row.elsewhere)}
