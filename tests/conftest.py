"""The fixtures everybody shares: servers, a rollback around each test, and a fixed cast.

Two organisations: `pulse` on the first shard, `tide` on the second. Ada owns Pulse, Ben is a member
there, Cy a guest; Dee owns Tide.
"""

from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from django.db import connections, transaction

from operations.actions.provisioning import Wish, provision
from tenants import hosts
from tenants.models import Organisation
from tests import servers

ALIASES = ("control", "shard_1", "shard_2")
PASSWORD = "a long enough password"


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
    return {slug: provision(wish) for slug, wish in wishes.items()}


@pytest.fixture
def db(organisations: dict[str, Organisation]) -> Iterator[None]:
    """Roll back whatever the test does, in all three databases."""
    hosts.forget()
    with ExitStack() as stack:
        for alias in ALIASES:
            stack.enter_context(transaction.atomic(using=alias))
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
