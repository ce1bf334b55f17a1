# ruff: noqa: E501  # SQL
"""The owner's connection, the tables of the tests, and a view of what a test has left in the trail."""

import json
import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import psycopg
import pytest
from django.db import connections

from audit.install import install_tables
from audit.registry import trail
from tenants.context import Actor, enter
from tenants.models import Organisation
from tests.audit.probes import BULK, ROW, TABLES

ADA = Actor(kind="person", id=None, label="Ada", credential="c-1")


@pytest.fixture(scope="session")
def owner(organisations: dict[str, Organisation]) -> Iterator[psycopg.Connection]:
    """Connect as the owner to the shard of Pulse, with the path set to its schema."""
    with psycopg.connect(os.environ["OWNER_SHARD_1_DATABASE_URL"], autocommit=True) as connection:
        connection.execute(f"SET search_path = {organisations['pulse'].placement().schema}, pg_temp")
        yield connection


@pytest.fixture(scope="session")
def probes(owner: psycopg.Connection, organisations: dict[str, Organisation]) -> None:
    """Make the tables of the tests in Pulse's schema and capture them."""
    role = organisations["pulse"].placement().schema
    owner.execute(TABLES)
    for table in ("probe_bulk", "probe_row", "probe_source"):
        owner.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO {role}")
    with owner.cursor() as cursor:
        install_tables(cursor, [*trail.captured(), BULK, ROW])


@dataclass
class Left:
    """What has come into the trail since `forget`."""

    cursor: Any
    seen: set[tuple[Any, ...]] = field(default_factory=set)

    def forget(self) -> None:
        """Begin again."""
        self.seen = {row[0] for row in self._rows()}

    def _rows(self) -> list[Any]:
        self.cursor.execute(
            "SELECT (e.epoch, e.txid::text, e.eid)::text, e.code, e.object_id, e.payload, p.value, e.at_us, e.txid::text "
            "FROM audit_event e LEFT JOIN audit_private p ON p.ref = e.private_ref ORDER BY e.epoch, e.txid, e.eid"
        )
        return list(self.cursor.fetchall())

    def events(self) -> list[dict[str, Any]]:
        """Return the new events, with payload and private part read."""
        return [
            {
                "code": code,
                "object": key,
                **json.loads(payload),
                "private": json.loads(value) if value else None,
            }
            for place, code, key, payload, value, _, _ in self._rows()
            if place not in self.seen
        ]

    def codes(self) -> Counter[str]:
        """Return how many new events there are of each code."""
        return Counter(event["code"] for event in self.events())


@pytest.fixture
def inside(pulse: Organisation, probes: None) -> Iterator[Any]:
    """Enter Pulse as Ada and give a cursor."""
    with enter(pulse, actor=ADA, request_id="r-1", source="192.0.2.7") as context:
        with connections[context.alias].cursor() as cursor:
            yield cursor


@pytest.fixture
def left(inside: Any) -> Left:
    """Return the view of what the test leaves in the trail from here on."""
    view = Left(inside)
    view.forget()
    return view
