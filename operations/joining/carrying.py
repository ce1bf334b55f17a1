"""Carrying rows over in small transactions, so that nobody waits and nothing is done twice.

Each transaction takes the next rows by their keys, writes them with what they become, and writes down how far
it came; one that is killed leaves nothing. The triggers of the trail see every row.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass

import psycopg

from jobs.backfills.sizing import Size
from operations.joining.link import Link, inside, opened
from operations.joining.problems import CannotJoin
from operations.joining.shape import Place, Table, rows_of, tables
from operations.joining.staging import Both
from operations.restoring.gently import resting
from operations.restoring.loaded import bring_to_template
from tenants.schema import labels

# A transaction that writes for long holds up the seals of every organisation of the server.
_LOCK_TIMEOUT = "900ms"
_TOO_SLOW = (psycopg.errors.LockNotAvailable, psycopg.errors.DeadlockDetected)
_TRIES = 20
_MIGRATIONS = 3
_SAME_VERSION = "SELECT enclave.version_of(%s, %s) = enclave.version_of(%s, %s)"
Tell = Callable[[str, int], None]


class OtherVersion(RuntimeError):
    """The one that rows come to was migrated meanwhile."""


@dataclass(slots=True)
class Step:
    """One table's part of the work: `do(connection, after, most)` returns the last key and how many rows."""

    name: str
    do: Callable[[Link, str, int], tuple[str, int]]


def carry(both: Both, place: Place, *, by: str, tell: Tell) -> dict[str, int]:
    """Carry all rows over, from wherever it stands; return how many came of each table.

    Raises psycopg's IntegrityError where somebody has taken meanwhile what a row needs.
    """
    with opened(both.here.alias) as connection:
        return {
            table.name: work_off(connection, both, place, _carrying(table, both, place), by=by, tell=tell)
            for table in tables()
        }


def work_off(connection: Link, both: Both, place: Place, step: Step, *, by: str, tell: Tell) -> int:
    """Do a step until nothing is left of it; return how many rows it was in all."""
    size, tries, migrations = Size(), _TRIES, _MIGRATIONS
    while True:
        began = time.monotonic()
        try:
            done, rows = _once(connection, both, place, step, size.rows, by)
        except _TOO_SLOW:
            tries -= 1
            if not size.failed() and not tries:
                raise
            continue
        except OtherVersion:
            migrations -= 1
            if not migrations:
                raise CannotJoin(f"{both.here.name} has not had its migrations yet.") from None
            bring_to_template(both.here.alias, place.staged)
            continue
        size.took(time.monotonic() - began)
        tell(step.name, rows)
        if done:
            return rows


def _once(connection: Link, both: Both, place: Place, step: Step, most: int, by: str) -> tuple[bool, int]:
    """Do the next part; return whether nothing is left, and how many rows it has been so far."""
    with resting(), inside(connection, both.here.schema, by=by):
        connection.execute(f"SET LOCAL lock_timeout = '{_LOCK_TIMEOUT}'".encode())
        known = [both.here.schema, labels(), place.staged, labels()]
        (same,) = connection.execute(_SAME_VERSION, known).fetchone() or (False,)
        if not same:
            raise OtherVersion
        row = connection.execute(
            "SELECT after, rows, is_done FROM enclave.joined_done WHERE staged = %s AND step = %s FOR UPDATE",
            [place.staged, step.name],
        ).fetchone()
        after, rows, is_done = (str(row[0]), int(str(row[1])), bool(row[2])) if row else ("", 0, False)
        if is_done:
            return True, rows
        last, count = step.do(connection, after, most)
        connection.execute(
            "INSERT INTO enclave.joined_done (staged, step, after, rows, is_done) "
            "VALUES (%s, %s, %s, %s, %s) ON CONFLICT (staged, step) DO UPDATE SET "
            "after = excluded.after, rows = excluded.rows, is_done = excluded.is_done",
            [place.staged, step.name, last, rows + count, not last],
        )
        return not last, rows + count


def _carrying(table: Table, both: Both, place: Place) -> Step:
    columns = ", ".join(f'"{column}"' for column in table.columns)
    quietly = "ON CONFLICT DO NOTHING" if table.rule.quietly else ""

    def do(connection: Link, after: str, most: int) -> tuple[str, int]:
        last = last_key(connection, table, place, after, most)
        if not last:
            return "", 0
        done = connection.execute(
            f'INSERT INTO {both.here.schema}."{table.name}" ({columns}) '
            f"{rows_of(table, place)} AND {between(table, after)} {quietly}".encode(),
            bounds(after, last),
        )
        return last, done.rowcount

    return Step(f"carry {table.name}", do)


def last_key(connection: Link, table: Table, place: Place, after: str, most: int) -> str:
    """Return the last of the next keys of a table of the copy; "" where there are none."""
    key = f'r."{table.key}"'
    beyond = f"WHERE {key} > %s" if after else ""
    keys = (
        f'SELECT {key}{_sorted(table)} AS key FROM {place.staged}."{table.name}" AS r '
        f"{beyond} ORDER BY {key} LIMIT {most}"
    )
    row = connection.execute(
        f"SELECT max(key)::text FROM ({keys}) AS keys".encode(),
        [after] if after else [],
    ).fetchone()
    return str(row[0]) if row and row[0] is not None else ""


def between(table: Table, after: str) -> str:
    """Return the condition of rows `r` behind one key and up to another."""
    key = f'r."{table.key}"'
    return f"{key} > %s AND {key} <= %s" if after else f"{key} <= %s"


def bounds(after: str, last: str) -> list[str]:
    """Return the values of `between`."""
    return [after, last] if after else [last]


def _sorted(table: Table) -> str:
    # There is no max() of UUIDs in PostgreSQL 18 and before; as text they have the same order.
    return "" if table.is_numbered else "::text"
