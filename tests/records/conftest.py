"""Pulse with its people, entered, and ways to make collections."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import connections
from django.test.utils import CaptureQueriesContext

from accounts.identity.models import User
from permissions.models import Membership, Role
from records.models import Collection, Field, Record
from records.values import FieldType
from tenants.context import Actor, enter
from tenants.models import Organisation

# After the memberships of the cast began.
NOW = datetime(2030, 1, 1, 12, 0, tzinfo=UTC)


@pytest.fixture
def inside(pulse: Organisation) -> Iterator[Organisation]:
    """Work inside Pulse."""
    with enter(pulse, actor=Actor.system("test")):
        yield pulse


@pytest.fixture
def ada(inside: Organisation) -> User:
    """The owner of Pulse."""
    return User.objects.get(email="ada@pulse.example")


def member(email: str, role: str) -> User:
    """Make a person with a built-in role."""
    user = User.objects.create_user(email, email.partition("@")[0].title())
    Membership.writer.create(
        user=user, role=Role.objects.get(code=role), starts_at=datetime(2026, 1, 1, tzinfo=UTC)
    )
    return user


@pytest.fixture
def ben(inside: Organisation) -> User:
    """A member of Pulse."""
    return User.objects.filter(email="ben@pulse.example").first() or member("ben@pulse.example", "member")


@pytest.fixture
def cy(inside: Organisation) -> User:
    """A guest of Pulse."""
    return User.objects.filter(email="cy@pulse.example").first() or member("cy@pulse.example", "guest")


Design = Callable[..., Collection]


@pytest.fixture
def design(inside: Organisation) -> Design:
    """Make a collection with fields `key=type`, or `key=dict(type=…, …)`."""

    def make(called: str = "Gigs", /, *, title: str = "name", **fields: Any) -> Collection:
        collection = Collection.objects.create(name=called, key=called.lower(), title_key=title)
        for position, (key, said) in enumerate(fields.items()):
            more = dict(said) if isinstance(said, dict) else {"type": said}
            kind = FieldType(more.pop("type"))
            Field.objects.create(
                collection=collection, key=key, name=key.title(), type=kind.value, position=position, **more
            )
        return collection

    return make


def add(collection: Collection, *rows: dict[str, Any]) -> list[Record]:
    """Put rows into a collection as they are and return them."""
    Record.objects.bulk_create([Record(collection=collection, values=row) for row in rows])
    # Keys come from the database, which does not say them for many rows at once.
    made = Record.objects.filter(collection=collection).order_by("-pk")[: len(rows)]
    return list(made)[::-1]


@pytest.fixture
def counted(inside: Organisation) -> Callable[[Callable[[], object]], int]:
    """Count the statements that something sends."""

    def count(work: Callable[[], object]) -> int:
        with CaptureQueriesContext(connections[inside.shard_id]) as queries:
            work()
        return len(queries)

    return count
