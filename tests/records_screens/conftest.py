"""A collection of gigs in Pulse, filled, and the browsers of its people."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from accounts.identity.models import User
from permissions.actions.grants import grant
from records.actions import collections
from records.models import Collection, Record
from records.values import Choice, FieldSpec, FieldType
from tenants.context import enter
from tenants.models import Organisation
from tests.people import SETTING_UP, signed_in

NOW = datetime(2026, 11, 1, 12, 0, tzinfo=UTC)
FIELDS = (
    FieldSpec(key="f_name", name="Name", type=FieldType.TEXT, required=True),
    FieldSpec(key="f_seats", name="Seats", type=FieldType.INTEGER),
    FieldSpec(
        key="f_mood",
        name="Mood",
        type=FieldType.CHOICE,
        choices=(Choice("loud", "Loud"), Choice("calm", "Calm")),
    ),
    FieldSpec(key="f_on", name="Date", type=FieldType.DATE),
    FieldSpec(key="f_note", name="Note", type=FieldType.LONG_TEXT),
    FieldSpec(key="f_fee", name="Fee", type=FieldType.MONEY, sensitive=True, options={"currency": "EUR"}),
)
LIST = "/c/gigs/"


@pytest.fixture
def gigs(pulse: Organisation) -> Collection:
    """Three gigs, the latest named Warehouse."""
    return make_gigs(pulse)


def make_gigs(organisation: Organisation, *rows: dict[str, Any]) -> Collection:
    """Make the collection of gigs in an organisation."""
    with enter(organisation, actor=SETTING_UP):
        made = collections.create(name="Gigs", by=None, at=NOW, fields=FIELDS)
        add(
            made,
            *(
                rows
                or (
                    {"f_name": "Harbour", "f_seats": 400, "f_mood": "calm", "f_fee": 7311},
                    {"f_name": "Cellar", "f_seats": 90, "f_mood": "loud", "f_on": "2026-11-14"},
                    {"f_name": "Warehouse", "f_seats": 1500, "f_mood": "loud", "f_note": "Doors\nat nine"},
                )
            ),
        )
    return made


def add(collection: Collection, *rows: dict[str, Any]) -> list[Record]:
    """Put rows into a collection as they are; call it inside the organisation."""
    return [Record.objects.create(collection=collection, values=row) for row in rows]


@pytest.fixture
def ada(pulse: Organisation) -> Client:
    """The browser of the owner of Pulse."""
    return signed_in(pulse, "ada@pulse.example")


@pytest.fixture
def ben(pulse: Organisation) -> Client:
    """The browser of a member of Pulse."""
    return signed_in(pulse, "ben@pulse.example")


@pytest.fixture
def cy(pulse: Organisation) -> Client:
    """The browser of a guest of Pulse."""
    return signed_in(pulse, "cy@pulse.example")


@pytest.fixture
def dee(tide: Organisation) -> Client:
    """The browser of the owner of Tide."""
    return signed_in(tide, "dee@tide.example")


Find = Callable[[str], Record]


@pytest.fixture
def gig(pulse: Organisation, gigs: Collection) -> Find:
    """A function that reads a gig by its name, also from the bin."""

    def find(name: str) -> Record:
        with enter(pulse, actor=SETTING_UP):
            return Record.objects.get(collection=gigs, values__f_name=name)

    return find


def user_of(organisation: Organisation, email: str) -> User:
    """Return a person of an organisation."""
    with enter(organisation, actor=SETTING_UP):
        return User.objects.get(email=email)


Share = Callable[..., None]


@pytest.fixture
def share(pulse: Organisation) -> Share:
    """A function that shares an object with a person."""

    def give(obj: Collection | Record, email: str, *names: str) -> None:
        with enter(pulse, actor=SETTING_UP):
            owner = User.objects.get(email="ada@pulse.example")
            to = User.objects.get(email=email)
            grant(obj=obj, to=to, names=names, by=owner, at=timezone.now())

    return give
