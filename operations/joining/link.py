"""Connections of the owner that write into an organisation, as an operator, in its trail."""

import json
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg

from operations.restoring import places
from tenants.names import checked_schema_name
from tenants.staying import PLACEMENT_LOCK

Link = psycopg.Connection[tuple[object, ...]]
_PINNED = "SET TimeZone = 'UTC'; SET statement_timeout = 0; SET client_encoding = 'UTF8'"


@contextmanager
def opened(alias: str) -> Iterator[Link]:
    """Connect to a shard as its owner for the block."""
    with psycopg.connect(places.owner_address(alias), autocommit=True) as connection:
        connection.execute(_PINNED)
        yield connection


@contextmanager
def inside(connection: Link, schema: str, *, by: str) -> Iterator[Link]:
    """Run one transaction in a schema, which stays where it is; the trail names who does it."""
    checked_schema_name(schema)
    with connection.transaction():
        connection.execute("SELECT pg_advisory_xact_lock_shared(%s, hashtext(%s))", [PLACEMENT_LOCK, schema])
        connection.execute("SELECT set_config('search_path', %s, true)", [f"{schema}, pg_temp"])
        actor = json.dumps({"kind": "operator", "label": by})
        connection.execute("SELECT set_config('app.actor', %s, true)", [actor])
        yield connection


def column(connection: Link, query: str, values: list[object] | None = None) -> list[object]:
    """Return the first column of what a query finds."""
    return [row[0] for row in connection.execute(query.encode(), values)]
