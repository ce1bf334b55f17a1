"""Comparing both sides, row by row, at one position of the trail.

For an instant the organisation's writers are kept out: until the last event before it has arrived on the
target. Both sides are then read as they were in that instant, for as long as it takes, while work goes on.
"""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from psycopg import sql

from operations.models import Move
from operations.moves import links
from operations.moves.copying import Look, following
from operations.moves.fencing import fenced
from operations.moves.links import Link
from operations.moves.problems import NotTheSame, NotYet
from operations.moves.tables import EVENTS, Table, differences, tables_of
from operations.moves.telling import COMPARED, Place, tell

ARRIVES_SECONDS = 1.5
TRIES = 10
_POLL_SECONDS = 0.004


def compare(move: Move, *, look: Look) -> None:
    """Compare every table. Raises NotTheSame, naming table and key, when a row differs twice.

    Twice, because the owner's own work (a seal, say) is not kept out and may come between the two sides.
    """
    for is_last in (False, True):
        found = _compare_once(move, look=look)
        if not found:
            return
        if is_last:
            raise NotTheSame("The copy is not the same: " + "; ".join(map(str, found)))


def _compare_once(move: Move, *, look: Look) -> list[object]:
    with _same_instant(move) as (source, target):
        tables, rows, found = tables_of(source, move.schema_name), 0, []
        for number, table in enumerate(tables, start=1):
            look()
            move.say(f"Comparing table {number} of {len(tables)}")
            ours, theirs = _both(source, target, table)
            rows += ours[0]
            if ours != theirs:
                found.extend(_named(source, target, table))
        move.count(rows_compared=rows)
        return found


def _both(source: Link, target: Link, table: Table) -> list[tuple[int, int]]:
    """Return number of rows and digest of both sides: at once, unless they share a machine's processors."""

    def one(connection: Link) -> tuple[int, int]:
        row = connection.execute(table.digest()).fetchone()
        assert row is not None
        return int(row[0]), int(row[1])

    with ThreadPoolExecutor(1 if source.info.host == target.info.host else 2) as pool:
        return list(pool.map(one, (source, target)))


def _named(source: Link, target: Link, table: Table) -> list[object]:
    return list(
        differences(table, source.execute(table.rows()).fetchall(), target.execute(table.rows()).fetchall())
    )


@contextmanager
def _same_instant(move: Move) -> Iterator[tuple[Link, Link]]:
    """Yield a connection to each side, both reading the same state of the organisation; keep its position."""
    with (
        links.owner(move.source_id) as door,
        links.owner(move.source_id) as source,
        links.owner(move.target_id) as target,
    ):
        for number in range(TRIES):
            try:
                with fenced(door, move.schema_name) as fence:
                    mark = tell(door, move, COMPARED, **_places(move))
                    source.execute("BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY")
                    position = _position(source)
                    arrived(target, move, mark)
                    target.execute("BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY")
                    target.execute("SELECT 1")
            except NotYet:
                source.execute("ROLLBACK")
                if number == TRIES - 1:
                    raise
                time.sleep(1)
            else:
                break
        move.note_columns(position=position)
        move.count(compare_pause_ms=round(fence.pause_ms, 1))
        yield source, target


def _places(move: Move) -> dict[str, str]:
    return {"source": move.source_id, "target": move.target_id}


def _position(source: Link) -> dict[str, int]:
    """Return where the snapshot stands: later events have this transaction id or a higher one."""
    row = source.execute("SELECT pg_snapshot_xmax(pg_current_snapshot())::text").fetchone()
    assert row is not None
    return {"txid": int(row[0])}


def arrived(target: Link, move: Move, mark: Place) -> None:
    """Return when an event, and so all that was committed before it, is on the target. Raises NotYet."""
    until = time.monotonic() + ARRIVES_SECONDS
    query = sql.SQL("SELECT 1 FROM {} WHERE epoch = %s AND txid = %s::text::xid8").format(
        links.name(move.schema_name, EVENTS)
    )
    while not target.execute(query, (mark.epoch, mark.txid)).fetchone():
        if time.monotonic() > until:
            following(target, move)
            raise NotYet("The target has not caught up yet")
        time.sleep(_POLL_SECONDS)


def stray(move: Move) -> str:
    """Return a sentence about rows that only the copy has, or nothing."""
    with links.owner(move.source_id) as source, links.owner(move.target_id) as target:
        found: list[object] = []
        for table in tables_of(source, move.schema_name):
            ours, theirs = _both(source, target, table)
            if theirs[0] and ours != theirs:
                here = {key for key, _ in source.execute(table.rows()).fetchall()}
                rows = target.execute(table.rows()).fetchall()
                found.extend(d for d in differences(table, [], [row for row in rows if row[0] not in here]))
        return "; ".join(map(str, found[:3]))
