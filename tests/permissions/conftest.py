"""People of Pulse in the tests of rights: Ada owns, Ben is a member, Cy a guest; Ann becomes an admin."""

from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
from django.utils import timezone

from accounts.actions.people import add_person
from accounts.identity.models import User
from permissions.actions.groups import create_group
from permissions.actions.memberships import assign_role
from permissions.models import GroupProfile, Role
from records.models import Collection, Record
from tenants.context import Actor, enter
from tenants.models import Organisation

DAY = timedelta(days=1)


@pytest.fixture
def at(pulse: Organisation) -> datetime:
    """A moment after everybody of the cast has joined."""
    return timezone.now()


@pytest.fixture
def inside(pulse: Organisation) -> Iterator[None]:
    """The test runs inside Pulse."""
    with enter(pulse, actor=Actor.system("test")):
        yield


@pytest.fixture
def ada(inside: None) -> User:
    """The owner."""
    return User.objects.get(email="ada@pulse.example")


@pytest.fixture
def ben(inside: None) -> User:
    """A member."""
    return User.objects.get(email="ben@pulse.example")


@pytest.fixture
def cy(inside: None) -> User:
    """A guest."""
    return User.objects.get(email="cy@pulse.example")


@pytest.fixture
def ann(ada: User, at: datetime) -> User:
    """An admin."""
    person = add_person(email="ann@pulse.example", name="Ann Mori", at=at)
    assign_role(user=person, role=role("admin"), by=ada, at=at)
    return person


def role(code: str) -> Role:
    """Return a built-in role."""
    return Role.objects.get(code=code)


@pytest.fixture
def events(inside: None) -> Collection:
    """A collection with two records in it."""
    made = Collection.objects.create(name="Events", key="events")
    Record.objects.bulk_create([Record(collection=made), Record(collection=made)])
    return made


@pytest.fixture
def event(events: Collection) -> Record:
    """The first record of the collection."""
    found = events.records.order_by("pk").first()
    assert found is not None
    return found


@pytest.fixture
def staff(ada: User, at: datetime) -> GroupProfile:
    """A group without people."""
    return create_group(name="Door staff", by=ada, at=at)
