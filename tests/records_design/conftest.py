"""Pulse with a collection that has data in it, and the browsers of its people."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connections
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.actions.people import add_person
from accounts.identity.models import User
from permissions.actions.memberships import assign_role
from permissions.models import Role
from records.actions import collections
from records.actions.holding import field_mark
from records.models import Collection, Field, Record
from records.values import Choice, FieldSpec, FieldType
from tenants.context import Actor, enter
from tenants.models import Organisation
from tests.conftest import ClientAs

GIGS = (
    FieldSpec("f_name", "Name", FieldType.TEXT, required=True),
    FieldSpec("f_guests", "Guests", FieldType.TEXT),
    FieldSpec(
        "f_state",
        "State",
        FieldType.CHOICE,
        choices=(Choice("planned", "Planned"), Choice("on", "On")),
        help="How sure it is",
    ),
)
ROWS = (
    {"f_name": "Opening", "f_guests": "120", "f_state": "on"},
    {"f_name": "Second night", "f_guests": "many", "f_state": "planned"},
    {"f_name": "Third night"},
)


@pytest.fixture
def ada(pulse: Organisation, client_as: ClientAs) -> Client:
    """The browser of the owner."""
    return client_as("ada@pulse.example", pulse)


@pytest.fixture
def ann(pulse: Organisation, client_as: ClientAs) -> Client:
    """The browser of an admin."""
    with enter(pulse, actor=Actor.system("test")):
        owner = User.objects.get(email="ada@pulse.example")
        person = add_person(email="ann@pulse.example", name="Ann Mori", at=timezone.now())
        assign_role(user=person, role=Role.objects.get(code="admin"), by=owner, at=timezone.now())
    return client_as("ann@pulse.example", pulse)


@pytest.fixture
def inside(pulse: Organisation) -> Callable[[], Any]:
    """A way into Pulse for looking at what a page did: `with inside(): …`."""
    return lambda: enter(pulse, actor=Actor.system("test"))


@pytest.fixture
def gigs(inside: Callable[[], Any]) -> Collection:
    """Three fields and three records; two say how many guests, one of them not in a number."""
    with inside():
        made = collections.create(name="Gigs", fields=GIGS, by=None, at=timezone.now())
        Record.objects.bulk_create([Record(collection=made, values=values) for values in ROWS])
        return made


@pytest.fixture
def field(inside: Callable[[], Any], gigs: Collection) -> Callable[[str], Field]:
    """A field of Gigs by its key, as it is now."""

    def read(key: str) -> Field:
        with inside():
            return gigs.fields.get(key=key)

    return read


@pytest.fixture
def order(inside: Callable[[], Any], gigs: Collection) -> Callable[[], list[str]]:
    """The keys of the live fields of Gigs, in their order."""

    def read() -> list[str]:
        with inside():
            return [one.key for one in Collection.objects.get(pk=gigs.pk).live_fields()]

    return read


@pytest.fixture
def counted(pulse: Organisation) -> Callable[[Callable[[], object]], int]:
    """Count the statements that something sends to Pulse's shard."""

    def count(work: Callable[[], object]) -> int:
        with CaptureQueriesContext(connections[pulse.shard_id]) as queries:
            work()
        return len(queries)

    return count


def form_of(field: Field, **changed: Any) -> dict[str, Any]:
    """Return what the form of a field sends when only `changed` is changed in it."""
    sent: dict[str, Any] = {
        "mark": field_mark(field),
        "name": field.name,
        "type": field.type,
        "help": field.help,
        "currency": "EUR",
        "code": [choice["code"] for choice in field.choices],
        "label": [choice["label"] for choice in field.choices],
        **{name: "on" for name in ("required", "unique", "sensitive", "indexed") if getattr(field, name)},
        **changed,
    }
    return {name: value for name, value in sent.items() if value is not None}
