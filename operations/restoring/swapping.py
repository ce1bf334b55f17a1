"""What happens to a loaded schema before it takes the live one's place, and the exchange itself."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, TypeVar

import psycopg

from tenants.functions import own

# Requests that were let in earlier end within 2 s; whoever comes later waits as long as this at most.
LOCK_TIMEOUT = "3s"
TRIES = 20
_Done = TypeVar("_Done")
HELD = "Held, because the organisation was brought back to an earlier time."


def settle(address: str, schema: str, *, by: str) -> dict[str, int]:
    """End what must not go on by itself in a loaded schema, and return how much of each. May be repeated."""
    with psycopg.connect(address, autocommit=True) as connection, connection.transaction():
        _enter(connection, schema, by)
        return {
            "sessions_ended": connection.execute("DELETE FROM identity_session").rowcount,
            "jobs_held": connection.execute(
                "UPDATE jobs_job SET state = 'cancelled', ended_at = now(), leased_until = NULL, error = %s "
                "WHERE state IN ('queued', 'running')",
                [HELD],
            ).rowcount,
            "mails_held": connection.execute(
                "UPDATE jobs_outgoingmail SET state = 'failed' WHERE state = 'waiting'"
            ).rowcount,
            # One that was withdrawn since would be open again.
            "invitations_withdrawn": connection.execute(
                "UPDATE accounts_invitation SET revoked_at = now() "
                "WHERE accepted_at IS NULL AND revoked_at IS NULL"
            ).rowcount,
        }


def events_after(address: str, schema: str, moment: datetime) -> int:
    """Return how many entries the trail of a schema has since a moment: what a restore to it takes back."""
    with psycopg.connect(address, autocommit=True) as connection:
        row = connection.execute(
            f"SELECT count(*) FROM {schema}.audit_event WHERE at_us > %s".encode(), [_us(moment)]
        ).fetchone()
    assert row is not None
    return int(row[0])


def swaps_of(address: str, other: str) -> int:
    """Return how often a loaded or kept schema has been exchanged with the live one."""
    with psycopg.connect(address, autocommit=True) as connection:
        query = "SELECT swaps FROM enclave.issued WHERE schema_name = %s"
        row = connection.execute(query, [other]).fetchone()
    return int(row[0]) if row else 0


def placed_epoch(address: str, live: str) -> int:
    """Return at which epoch of its placement a shard has an organisation; each exchange raises it."""
    with psycopg.connect(address, autocommit=True) as connection:
        query = "SELECT epoch FROM enclave.placed WHERE schema_name = %s"
        row = connection.execute(query, [live]).fetchone()
    assert row is not None
    return int(row[0])


def exchange(
    address: str, live: str, other: str, *, done: int, code: str, by: str, details: dict[str, Any]
) -> dict[str, Any]:
    """Put `other` in the place of `live`, and say so in its trail with the head of the one it replaces.

    Nobody else is in either schema meanwhile. `done` is the number of exchanges so far; one that was done
    before is not done again. Raises psycopg's LockNotAvailable when somebody does not leave.
    """
    return _when_free(lambda: _exchange(address, live, other, done, code, by, details))


def _when_free(do: Callable[[], _Done]) -> _Done:
    """Try again while somebody is inside who will leave soon."""
    for left in reversed(range(TRIES)):
        try:
            return do()
        except (psycopg.errors.LockNotAvailable, psycopg.errors.DeadlockDetected):
            if not left:
                raise
    raise AssertionError


def close(address: str, schema: str) -> None:
    """Let nobody into a schema any more, for good, so that it can be dropped. May be repeated.

    Raises psycopg's LockNotAvailable when somebody does not leave.
    """
    _when_free(lambda: _close(address, schema))


def _close(address: str, schema: str) -> None:
    with psycopg.connect(address, autocommit=True) as connection, connection.transaction():
        connection.execute(f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT}'".encode())
        connection.execute("SELECT enclave.close_for_good(%s)", [schema])


def begin_epoch(address: str, schema: str, *, code: str, by: str, details: dict[str, Any]) -> None:
    """Begin a new epoch in the trail of a loaded schema, and say there why.

    Not idempotent: whoever repeats it loads the schema again before.
    """
    with psycopg.connect(address, autocommit=True) as connection, connection.transaction():
        _enter(connection, schema, by)
        connection.execute(
            "INSERT INTO audit_epoch (epoch, opened_us, reason) "
            "SELECT max(epoch) + 1, %s, %s FROM audit_epoch",
            [_us(datetime.now(UTC)), code],
        )
        record(connection, schema, code, details)


def record(connection: psycopg.Connection, schema: str, code: str, details: dict[str, Any]) -> None:
    """Say something in the trail of the schema that the connection is in."""
    connection.execute(
        f"SELECT {own('audit_record', schema)}(%s, 0, NULL, %s::jsonb, '{{}}'::jsonb, NULL)".encode(),
        [code, json.dumps(details)],
    )


def say_at_the_end(
    address: str, schema: str, *, code: str, by: str, details: dict[str, Any], work: str
) -> None:
    """Wait until nobody is inside a schema, and say something in its trail, once for each `work`.

    Nobody is let in by its state.
    """

    def say(connection: psycopg.Connection) -> None:
        said = connection.execute(
            "SELECT FROM audit_event WHERE code = %s AND payload::jsonb #>> '{details,work}' = %s",
            [code, work],
        )
        if said.rowcount == 0:
            record(connection, schema, code, {**details, "work": work})

    fenced(address, schema, say, by=by)


def fenced(address: str, schema: str, do: Callable[[psycopg.Connection], None], *, by: str) -> None:
    """Do something in a schema in which nobody is meanwhile, in one transaction: whoever comes waits.

    Raises psycopg's LockNotAvailable when somebody does not leave.
    """
    _when_free(lambda: _fenced(address, schema, do, by))


def _fenced(address: str, schema: str, do: Callable[[psycopg.Connection], None], by: str) -> None:
    with psycopg.connect(address, autocommit=True) as connection, connection.transaction():
        connection.execute(f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT}'".encode())
        connection.execute("SELECT enclave.fence(%s)", [schema])
        _enter(connection, schema, by)
        do(connection)


def _exchange(
    address: str, live: str, other: str, done: int, code: str, by: str, details: dict[str, Any]
) -> dict[str, Any]:
    with psycopg.connect(address, autocommit=True) as connection, connection.transaction():
        connection.execute(f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT}'".encode())
        swaps = connection.execute(
            "SELECT swaps FROM enclave.issued WHERE schema_name = %s FOR UPDATE", [other]
        ).fetchone()
        if swaps is None or swaps[0] != done:
            return {}
        connection.execute("SELECT enclave.fence(%s)", [live])
        head = head_of(connection, live)
        _enter(connection, other, by)
        connection.execute(
            f"INSERT INTO audit_epoch (epoch, opened_us, reason) SELECT greatest("
            f"(SELECT max(epoch) FROM {live}.audit_epoch), (SELECT max(epoch) FROM audit_epoch)) + 1, "
            "%s, %s".encode(),
            [_us(datetime.now(UTC)), code],
        )
        record(connection, other, code, {**details, "kept_as": other, "replaced": head})
        connection.execute("SET LOCAL search_path = ''")
        connection.execute("SELECT enclave.swap(%s, %s, %s)", [live, other, done])
        return head


def head_of(connection: psycopg.Connection, schema: str) -> dict[str, Any]:
    """Return the end of a schema's trail: its last entry, a digest over all, and its last seal."""
    last = connection.execute(
        f"SELECT epoch, txid::text, eid, (SELECT count(*) FROM {schema}.audit_event) "
        f"FROM {schema}.audit_event ORDER BY epoch DESC, txid DESC, eid DESC LIMIT 1".encode()
    ).fetchone()
    leaves = connection.execute(
        "SELECT encode(sha256(string_agg("
        f"{schema}.{own('audit_leaf', schema)}(event), ''::bytea ORDER BY epoch, txid, eid)), 'hex') FROM "
        f"(SELECT * FROM {schema}.audit_event ORDER BY epoch DESC, txid DESC, eid DESC LIMIT 10000) "
        "AS event".encode()
    ).fetchone()
    seal = connection.execute(
        f"SELECT segment_no, encode(header_hash, 'hex') FROM {schema}.audit_segment "
        "ORDER BY segment_no DESC LIMIT 1".encode()
    ).fetchone()
    found: dict[str, Any] = {"entries": 0}
    if last is not None and leaves is not None:
        found = {"last": list(last[:3]), "entries": last[3], "digest_of_last_10000": leaves[0]}
    return {**found, "seal": list(seal) if seal else None}


def _enter(connection: psycopg.Connection, schema: str, by: str) -> None:
    connection.execute("SELECT set_config('search_path', %s, true)", [f"{schema}, pg_temp"])
    actor = json.dumps({"kind": "operator", "label": by})
    connection.execute("SELECT set_config('app.actor', %s, true)", [actor])


def _us(moment: datetime) -> int:
    return round(moment.timestamp() * 1_000_000)
