"""The fixtures everybody shares: servers, a rollback around each test, and a fixed cast.

Two organisations: `pulse` on the first shard, `tide` on the second. Ada owns Pulse, Ben is a member
there, Cy a guest; Dee owns Tide.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import Any

import pytest
from django.db import connections, transaction
from django.test import Client
from django.utils import timezone
from xdist.scheduler import LoadScopeScheduling

from accounts.actions.people import add_person
from accounts.identity.models import User
from operations.actions.provisioning import Wish, provision
from permissions.actions.memberships import assign_role
from permissions.models import Role
from tenants import hosts
from tenants.context import Actor, enter
from tenants.models import Organisation
from tests import servers

ALIASES = ("control", "shard_1", "shard_2")
PASSWORD = "a long enough password"
# Who else is in Pulse, and in which role.
CAST = (
    ("ben@pulse.example", "Ben Castillo", "member"),
    ("cy@pulse.example", "Cy Novak", "guest"),
)
CAST_ORGANISATIONS = ("pulse", "tide")
BACKEND = "allauth.account.auth_backends.AuthenticationBackend"
ClientAs = Callable[[str, Organisation], Client]


# The rooms whose tests take the longest, so that no process is left with one of them at the end.
LONGEST = (
    "moves",
    "browser",
    "faults",
    "probes",
    "jobs",
    "fleet",
    "operations",
    "ui",
    "imports",
    "restoring",
)


def room_of(node: str) -> str:
    """Return the room of a test by its id: a folder of these, or a file that lies beside them."""
    return node.partition("::")[0].removeprefix("tests/").split("/")[0]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the rooms that take long."""
    place = {room: number for number, room in enumerate(LONGEST)}
    items.sort(key=lambda item: place.get(room_of(item.nodeid), len(place)))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item: pytest.Item, nextitem: pytest.Item | None) -> Iterator[None]:
    """Let each room begin with the cast alone, in whatever order a process is given them."""
    yield
    if nextitem is not None and room_of(nextitem.nodeid) != room_of(item.nodeid):
        # In a thread of its own: a browser's loop may run in this one, and then Django refuses to ask.
        with ThreadPoolExecutor(1) as thread:
            thread.submit(forget_all_but_the_cast).result()


def forget_all_but_the_cast() -> None:
    """Forget the organisations that tests have committed; their schemas stay, and nobody looks there."""
    if servers.POSTGRES is None:
        return
    try:
        Organisation.objects.exclude(slug__in=CAST_ORGANISATIONS).delete()
    finally:
        connections.close_all()


class ByRoom(LoadScopeScheduling):  # type: ignore[misc]  # the package ships no types
    """Keeps a room's tests in one process: they share what they have committed, browsers and workers.

    Not by marks: since pytest 9.2 xdist reads them and then forgets them, and says nothing.
    """

    def _split_scope(self, nodeid: str) -> str:
        return room_of(nodeid)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> ByRoom:
    """Let xdist hand out tests by room."""
    return ByRoom(config, log)


@pytest.fixture(scope="session", autouse=True)
def running_servers(django_db_blocker: Any) -> Iterator[None]:
    """Run the servers; the walls of Enclave guard the databases, not pytest-django's blocker."""
    with servers.running():
        django_db_blocker.unblock()
        yield
        connections.close_all()


@pytest.fixture(scope="session")
def organisations(running_servers: None) -> dict[str, Organisation]:
    """Make the two organisations, once for the session."""
    wishes = {
        "pulse": Wish("pulse", "Pulse Nights", "ada@pulse.example", "Ada Okafor", PASSWORD, shard="shard_1"),
        "tide": Wish("tide", "Tide Sessions", "dee@tide.example", "Dee Larsen", PASSWORD, shard="shard_2"),
    }
    made = {slug: provision(wish) for slug, wish in wishes.items()}
    with enter(made["pulse"], actor=Actor.system("cast")):
        ada = User.objects.get(email="ada@pulse.example")
        for email, name, role in CAST:
            person = add_person(email=email, name=name, password=PASSWORD, at=timezone.now())
            assign_role(user=person, role=Role.objects.get(code=role), by=ada, at=timezone.now())
    return made


@pytest.fixture
def db(organisations: dict[str, Organisation]) -> Iterator[None]:
    """Roll back whatever the test does, in all three databases."""
    hosts.forget()
    with ExitStack() as stack:
        for alias in ALIASES:
            stack.enter_context(transaction.atomic(using=alias))
            # One shard rests while a test works on another; the login's limit is for requests.
            connections[alias].connection.execute("SET LOCAL idle_in_transaction_session_timeout = 0")
        yield
        for alias in ALIASES:
            connections[alias].run_on_commit.clear()
            transaction.set_rollback(True, using=alias)
    hosts.forget()


@pytest.fixture
def pulse(db: None, organisations: dict[str, Organisation]) -> Organisation:
    """The organisation on the first shard."""
    return organisations["pulse"]


@pytest.fixture
def tide(db: None, organisations: dict[str, Organisation]) -> Organisation:
    """The organisation on the second shard."""
    return organisations["tide"]


@pytest.fixture
def other(db: None) -> Organisation:
    """A second organisation on the first shard, made for this test."""
    return provision(Wish("other", "Other", "eve@other.example", "Eve Other", PASSWORD, shard="shard_1"))


@pytest.fixture
def client_as() -> ClientAs:
    """A function that signs a person in: `client_as("ben@pulse.example", pulse)` is their browser."""

    def sign_in(email: str, organisation: Organisation) -> Client:
        client = Client(HTTP_HOST=organisation.primary_host, headers={"sec-fetch-site": "same-origin"})
        with enter(organisation, actor=Actor.system("sign-in")):
            client.force_login(User.objects.get(email=email), backend=BACKEND)
        return client

    return sign_in
