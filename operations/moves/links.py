"""Connections of a move: as the owner of the schemas, and with the login that servers replicate with."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from django.conf import settings
from django.db import connections
from psycopg import sql
from psycopg.conninfo import make_conninfo

from operations.moves.problems import CannotMove

Link = psycopg.Connection[Any]

# The same on both sides, so that the same values are the same text; and no commit is believed too early.
_SETTINGS = {
    "TimeZone": "UTC",
    "DateStyle": "ISO, YMD",
    "IntervalStyle": "iso_8601",
    "extra_float_digits": "1",
    "bytea_output": "hex",
    "synchronous_commit": "on",
    "search_path": "",
    "jit": "off",
    # A move has time; the processors are for those who work meanwhile.
    "max_parallel_workers_per_gather": "0",
    "max_parallel_maintenance_workers": "0",
}
CONNECT_SECONDS = 5
# The class of the advisory lock of a move.
_MOVE_LOCK = 1162756941


def owner(alias: str) -> Link:
    """Connect to a shard as the owner, each statement a transaction of its own."""
    return _connect(_address(alias))


def control() -> Link:
    """Connect to the control plane as the owner."""
    return _connect(_address("control"))


def mover(alias: str) -> Link:
    """Connect to a shard with the login that servers replicate with."""
    return _connect(mover_url(alias))


def mover_url(alias: str) -> str:
    """Return how another server reaches a shard. Raises CannotMove where nobody said so."""
    try:
        return str(settings.MOVER_URLS[alias])
    except KeyError:
        name = f"MOVER_{alias.upper()}_DATABASE_URL"
        raise CannotMove(f"{name} is not set here, so servers cannot copy from each other.") from None


def conninfo(alias: str) -> str:
    """Return the same in the form that a subscription keeps."""
    return make_conninfo(mover_url(alias))


@contextmanager
def claimed(move_id: object) -> Iterator[bool]:
    """Hold a move for this process, and yield whether nobody else does. Ends with the connection."""
    with control() as connection:
        row = connection.execute(
            "SELECT pg_try_advisory_lock(%s, hashtext(%s))", (_MOVE_LOCK, str(move_id))
        ).fetchone()
        yield bool(row and row[0])


def name(*parts: str) -> sql.Identifier:
    """Return an identifier, quoted."""
    return sql.Identifier(*parts)


def _address(alias: str) -> str:
    if settings.DATABASE_LOGIN != "owner":
        raise CannotMove("Only a process with the owner's login moves organisations.")
    database = connections[alias].settings_dict
    return make_conninfo(
        host=database["HOST"],
        port=database["PORT"],
        user=database["USER"],
        password=database["PASSWORD"],
        dbname=database["NAME"],
        **{key: value for key, value in database["OPTIONS"].items() if key != "pool"},
    )


def _connect(address: str) -> Link:
    connection: psycopg.Connection[Any] = psycopg.connect(
        address, autocommit=True, connect_timeout=CONNECT_SECONDS, application_name="enclave move"
    )
    for setting, value in _SETTINGS.items():
        connection.execute("SELECT set_config(%s, %s, false)", (setting, value))
    return connection
