"""What has changed since both sides were compared, compared once more behind the fence."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

from psycopg import sql

from operations.models import Move
from operations.moves import links
from operations.moves.links import Link
from operations.moves.problems import NotTheSame, NotYet
from operations.moves.tables import EVENTS, PRIVATE, Difference, Table, captured_keys, differences, tables_of

# More rows than this are compared anew in full, while work goes on, and not behind the fence.
MOST_LATER = 5_000
_CHANGED = """
SELECT type_id, array_agg(DISTINCT object_id) FROM {events}
WHERE epoch = (SELECT max(epoch) FROM {epochs}) AND txid >= %s::text::xid8 AND object_id IS NOT NULL
GROUP BY type_id
"""


def count_later(source: Link, move: Move) -> int:
    """Return how many events there are behind the position."""
    query = sql.SQL("SELECT count(*) FROM {} WHERE {}").format(_events(move), _behind(move))
    row = source.execute(query, (move.position["txid"],)).fetchone()
    return int(row[0]) if row else 0


def verify(move: Move, source: Link, target: Link) -> int:
    """Compare the rows that later events name, the later events, and whole tables that no event speaks of.

    Return how many rows were compared. Raises NotTheSame, naming table and key.
    """
    wanted = _questions(move, source)
    with ThreadPoolExecutor(2) as pool:
        ours, theirs = pool.map(lambda link: [_rows(link, *one) for one in wanted], (source, target))
    found: list[Difference] = []
    for (table, _), here, there in zip(wanted, ours, theirs, strict=True):
        if here != there:
            found.extend(differences(table, here, there))
    if found:
        raise NotTheSame("The copy is not the same: " + "; ".join(map(str, found[:5])))
    return sum(map(len, ours))


def _rows(link: Link, table: Table, where: sql.Composable | None) -> list[tuple[str, int]]:
    return sorted(link.execute(table.rows(where)).fetchall())


def _questions(move: Move, source: Link) -> list[tuple[Table, sql.Composable | None]]:
    """Return for each table which of its rows are compared."""
    changed, keys = _changed(move, source), captured_keys()
    by_type = {type_id: table for table, (type_id, _) in keys.items()}
    named = {by_type[type_id]: ids for type_id, ids in changed.items() if type_id in by_type}
    wanted: list[tuple[Table, sql.Composable | None]] = []
    for table in tables_of(source, move.schema_name):
        if table.name == EVENTS:
            wanted.append((table, _behind(move, literal=True)))
        elif table.name == PRIVATE:
            wanted.append((table, _private_of_later(move)))
        elif table.name not in keys:
            wanted.append((table, None))
        elif table.name in named:
            wanted.append((table, _among(keys[table.name][1], named[table.name])))
    return wanted


def _changed(move: Move, source: Link) -> dict[int, Sequence[UUID]]:
    query = sql.SQL(_CHANGED).format(events=_events(move), epochs=links.name(move.schema_name, "audit_epoch"))
    rows = dict(source.execute(query, (move.position["txid"],)).fetchall())
    if sum(map(len, rows.values())) > MOST_LATER:
        raise NotYet("More has changed meanwhile than can be compared in an instant")
    return rows


def _among(key: str, ids: Sequence[UUID]) -> sql.Composable:
    """Return the condition for rows by key; whole numbers stand in events as UUIDs."""
    if all(one.int < 2**64 for one in ids):
        return sql.SQL("{} = ANY ({})").format(sql.Identifier(key), sql.Literal([one.int for one in ids]))
    return sql.SQL("{} = ANY ({}::uuid[])").format(
        sql.Identifier(key), sql.Literal([str(one) for one in ids])
    )


def _events(move: Move) -> sql.Identifier:
    return links.name(move.schema_name, EVENTS)


def _behind(move: Move, *, literal: bool = False) -> sql.Composable:
    """Return the condition for events behind the position."""
    txid = sql.Literal(move.position["txid"]) if literal else sql.SQL("%s")
    return sql.SQL("epoch = (SELECT max(epoch) FROM {}) AND txid >= {}::text::xid8").format(
        links.name(move.schema_name, "audit_epoch"), txid
    )


def _private_of_later(move: Move) -> sql.Composable:
    return sql.SQL("ref IN (SELECT private_ref FROM {} WHERE {})").format(
        _events(move), _behind(move, literal=True)
    )
