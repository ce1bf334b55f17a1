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
from django.db import transaction
from django.test import Client

from tenants.models import Organisation
from tests.conftest import ALIASES, ClientAs
from tests.probes.addresses import Place, combinations, places
from tests.probes.filling import Filled, fill
from tests.probes.harvest import everything, only_in

PARTS = 10
Probe = tuple[Place, str, dict[str, str]]
SAMPLE = int(os.environ.get("ENCLAVE_PROBES", "5000"))
# Public addresses with a secret in them say that the secret is spent, whatever it is.
SPENT = {"accounts:accept", "account_confirm_email", "account_reset_password_from_key"}
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


def probes(ours: Filled, theirs: Filled) -> list[Probe]:
    """Return every probe: a place, its address, and what is sent along."""
    own = everything(ours.organisation)
    foreign = only_in(everything(theirs.organisation), own)
    found: list[Probe] = [
        (place, address, {})
        for place in places()
        for values in combinations(place, own=own, foreign=foreign)
        if (address := place.filled(values)) is not None
    ]
    ids = [str(value) for kind in ("UUIDConverter", "SlugConverter") for value in foreign[kind]]
    for place in places():
        address = place.filled({name: own[kind][0] for name, kind in place.holes.items() if own[kind]})
        if address is not None:
            found.extend((place, address, dict.fromkeys(NAMES, value)) for value in ids)
    return found


class TestProbes:
    @pytest.mark.parametrize("part", range(PARTS))
    def test_nothing_of_theirs_is_found_or_shown(
        self, part: int, two: tuple[Filled, Filled], client_as: ClientAs
    ) -> None:
        ours, theirs = two
        client = client_as("ada@pulse.example", ours.organisation)
        everything_there_is = probes(ours, theirs)
        picked = Random(14 + part).sample(everything_there_is, min(SAMPLE // PARTS, len(everything_there_is)))
        wrong = [line for probe in picked if (line := self.fault(client, probe, theirs.marker))]
        assert wrong == []

    def fault(self, client: Client, probe: Probe, marker: str) -> str:
        """Return what is wrong with the answers to a probe, or nothing."""
        place, address, sent = probe
        for method in (client.get, client.post):
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
        return {404, 405, 410, 302, 200} if place.name in SPENT else {404, 405}

    def test_the_probes_would_see_a_leak(self, two: tuple[Filled, Filled], client_as: ClientAs) -> None:
        _, theirs = two
        client = client_as("dee@tide.example", theirs.organisation)
        own = everything(theirs.organisation)
        shown = [
            place.name
            for place in places()
            for values in list(combinations(place, own=own, foreign=own))[:40]
            if (address := place.filled(values)) and theirs.marker.encode() in read(client.get(address))
        ]
        assert len(set(shown)) > 8
