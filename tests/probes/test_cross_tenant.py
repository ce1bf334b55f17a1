"""Every id of one organisation, at every place of another's site: not found, and not a byte of it.

The addresses come from the URL map and the ids from the tables, so a new page is tried without a
further line. A sample runs always, everything at night.
"""

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from random import Random
from typing import Any

import pytest
from django.conf import settings
from django.db import transaction
from django.test import Client

from tenants.models import Organisation
from tests.conftest import ALIASES, ClientAs
from tests.probes.addresses import Place, drawn, each, places
from tests.probes.filling import Filled, fill
from tests.probes.harvest import everything, only_in

PARTS = 10
Probe = tuple[Place, str, dict[str, str]]
# Requests: each probe is one GET and one POST.
SAMPLE = int(os.environ.get("ENCLAVE_PROBES", "5000"))
# Public addresses with a secret in them say that the secret is spent, whatever it is.
SPENT = {
    "accounts:accept",
    "account_confirm_email",
    "account_reset_password_from_key",
    "records:undo",
}
# Places of which a handful of all things is: each thing is tried there.
HAS_FEW = {"records:room-record", "records:room-record-edit"}
# The share of probes that send foreign ids along instead of having them in the address.
SENT_ALONG = 0.2
# What pages read from the address and from forms; each is tried with foreign ids.
NAMES = (
    "pk",
    "ids",
    "person",
    "object",
    "group",
    "role",
    "to",
    "view",
    "collection",
    "record",
    "next",
    "q",
    "f",
)


@pytest.fixture
def two(pulse: Organisation, tide: Organisation) -> tuple[Filled, Filled]:
    """Ours and theirs, both filled with one of everything."""
    return fill(pulse, "ada@pulse.example", name="Ours"), fill(tide, "dee@tide.example", name="Theirs")


@contextmanager
def undone() -> Iterator[None]:
    """Take back whatever one request does."""
    with ExitStack() as stack:
        for alias in ALIASES:
            stack.enter_context(transaction.atomic(using=alias))
        yield
        for alias in ALIASES:
            transaction.set_rollback(True, using=alias)


def read(response: Any) -> bytes:
    """Return every byte of an answer: head and body."""
    body = b"".join(response.streaming_content) if response.streaming else response.content
    head = "\n".join(f"{name}: {value}" for name, value in response.items())
    return bytes(head.encode() + b"\n" + body)


def samples(ours: Filled, theirs: Filled, random: Random, count: int) -> Iterator[Probe]:
    """Yield so many probes: mostly foreign things in addresses, and some sent along to our own."""
    own = everything(ours.organisation)
    foreign = only_in(everything(theirs.organisation), own)
    everywhere = places()
    with_holes = [place for place in everywhere if place.holes]
    # Without their marker, which a page might show only because we sent it.
    ids = [str(value) for value in foreign["UUIDConverter"]]
    while count:
        if random.random() < SENT_ALONG:
            place = random.choice(everywhere)
            values = {name: own[kind][0] for name, kind in place.holes.items() if own[kind]}
            sent = dict.fromkeys(NAMES, random.choice(ids))
        else:
            place = random.choice(with_holes)
            values, sent = drawn(place, random, own=own, foreign=foreign) or {}, {}
        address = place.filled(values)
        if address is not None:
            count -= 1
            yield place, address, sent


def whole(ours: Filled, theirs: Filled) -> Iterator[Probe]:
    """Yield every foreign thing at every place."""
    own = everything(ours.organisation)
    foreign = only_in(everything(theirs.organisation), own)
    for place in places():
        for values in each(place, own=own, foreign=foreign):
            address = place.filled(values)
            if address is not None:
                yield place, address, {}


class TestProbes:
    @pytest.mark.parametrize("part", range(PARTS))
    def test_nothing_of_theirs_is_found_or_shown(
        self, part: int, two: tuple[Filled, Filled], client_as: ClientAs
    ) -> None:
        ours, theirs = two
        client = client_as("ada@pulse.example", ours.organisation)
        cookie = client.cookies[settings.SESSION_COOKIE_NAME].value
        picked = samples(ours, theirs, Random(14 + part), SAMPLE // PARTS // 2)
        wrong = [line for probe in picked if (line := self.fault(client, cookie, probe, theirs.marker))]
        assert wrong == []

    @pytest.mark.nightly
    def test_no_id_at_any_place(self, two: tuple[Filled, Filled], client_as: ClientAs) -> None:
        ours, theirs = two
        client = client_as("ada@pulse.example", ours.organisation)
        cookie = client.cookies[settings.SESSION_COOKIE_NAME].value
        wrong = [
            line
            for probe in whole(ours, theirs)
            if (line := self.fault(client, cookie, probe, theirs.marker))
        ]
        assert wrong == []

    def fault(self, client: Client, cookie: str, probe: Probe, marker: str) -> str:
        """Return what is wrong with the answers to a probe, or nothing."""
        place, address, sent = probe
        for method in (client.get, client.post):
            # A probe may sign out; the next one comes with the same cookie again.
            client.cookies[settings.SESSION_COOKIE_NAME] = cookie
            with undone():
                response = method(address, sent)
                told = read(response)
            if marker.encode() in told:
                return f"{method.__name__} {address} {sent} shows their marker"
            if response.status_code >= 500 and response.status_code != 503:
                return f"{method.__name__} {address} {sent} fails with {response.status_code}"
            if not sent and response.status_code not in self.allowed(place):
                return f"{method.__name__} {address} answers {response.status_code}"
        return ""

    def allowed(self, place: Place) -> set[int]:
        """Return the statuses that a foreign thing in an address may have."""
        return {200, 302, 404, 405, 409, 410, 429} if place.name in SPENT else {404, 405}

    def test_the_probes_would_see_a_leak(self, two: tuple[Filled, Filled], client_as: ClientAs) -> None:
        _, theirs = two
        client = client_as("dee@tide.example", theirs.organisation)
        own = everything(theirs.organisation)
        random, marker = Random(14), theirs.marker.encode()
        few = {kind: random.sample(things, min(12, len(things))) for kind, things in own.items()}
        # One thing that shows is enough for each place.
        shown = {
            place.name
            for place in places()
            if any(
                marker in read(client.get(address))
                for values in each(place, own=own, foreign=own if place.name in HAS_FEW else few)
                if (address := place.filled(values))
            )
        }
        assert len(shown) > 15
        assert shown >= HAS_FEW
