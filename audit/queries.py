"""Reading the trail: newest first, by keyset, filtered by person, object, action and period.

Rows that one statement changed together (an import, a bulk change) share their time and their
transaction; from four on they are read as one entry with a count, so that a page is not filled by them.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from itertools import groupby
from typing import Any
from uuid import UUID

from django.db import connections

from audit import codes, origins, translating
from audit.entries import Cursor, Entry, Filters, Page, entry_of
from tenants.context import required

__all__ = [
    "FOLD",
    "PAGE",
    "Cursor",
    "Entry",
    "Filters",
    "Page",
    "as_written",
    "entries_where",
    "fetch",
    "last_values",
    "of_request",
    "one",
    "page",
]
PAGE = 50
FOLD = 4
# Nothing that writes runs for longer.
_LONGEST_US = 30_000_000
# Reads for one page; each can pass over a whole statement.
_MOST_READS = 200
_COLUMNS = """
SELECT event.epoch, event.txid::text::bigint, event.eid, event.at_us, event.code, event.type_id,
    event.object_id, event.actor_id, event.payload, event.private_ref IS NOT NULL, private.value
FROM audit_event AS event LEFT JOIN audit_private AS private ON private.ref = event.private_ref
"""
# The chunks that follow without anything in between: one probe of an index for each.
_REST = """
WITH RECURSIVE chunks AS (
    SELECT %s::bigint AS at_us, %s::text::xid8 AS txid, 0::bigint AS rows
    UNION ALL
    SELECT older.at_us, older.txid, older.rows FROM chunks, LATERAL (
        SELECT event.at_us, event.txid, event.code, event.actor_id, event.payload,
            coalesce((event.payload::jsonb->>'of')::bigint, 1) AS rows
        FROM audit_event AS event WHERE {where} event.at_us <= chunks.at_us
            AND (event.at_us, event.txid) < (chunks.at_us, chunks.txid)
        ORDER BY event.at_us DESC, event.txid DESC LIMIT 1
    ) AS older
    WHERE older.code = %s AND older.actor_id IS NOT DISTINCT FROM %s
        AND (strpos(older.payload, %s) > 0) = %s AND older.payload::jsonb->'by' = %s::jsonb
        AND older.rows >= %s
)
SELECT sum(rows)::bigint, min(at_us), (array_agg(txid::text::bigint ORDER BY at_us, txid))[1] FROM chunks
"""


def page(filters: Filters, *, after: Cursor | None = None, size: int = PAGE) -> Page:
    """Return up to `size` entries before a place, newest first.

    The last one is read to its end: an import of a hundred chunks is one entry, wherever a page ends.
    """
    found = _page(filters, after, size)
    return replace(found, entries=translating.as_here(found.entries))


def _page(filters: Filters, after: Cursor | None, size: int) -> Page:
    entries: list[Entry] = []
    place = after
    for _ in range(_MOST_READS):
        rows = _rows(filters, place, size + FOLD)
        finished = len(rows) < size + FOLD
        groups = [list(group) for _, group in groupby(rows, key=lambda row: (row[3], row[1]))]
        if not finished and len(groups) > 1 and len(groups[-1]) < FOLD:
            groups.pop()  # it may go on beyond what was read
        told = frozenset[int]() if filters.every else _told(rows)
        for group in groups:
            read = list(_folded(group))
            if read[0].txid in told and read[0].label:
                place = read[0].place
                continue
            joined = _joined(entries[-1], read[0]) if entries else None
            if joined is not None:
                entries[-1] = joined
            elif len(entries) >= size:
                return Page(entries, place)
            else:
                entries.extend(read)
            place = read[0].place
            if not finished and group is groups[-1] and read[0].count >= FOLD:
                entries[-1], place = _to_its_end(entries[-1], filters, place)
        if finished:
            return Page(entries)
    return Page(entries, place)


def one(epoch: int, txid: int, eid: int) -> Entry | None:
    """Return one entry by its place in the order, or None."""
    found = entries_where(
        "event.epoch = %s AND event.txid = %s::text::xid8 AND event.eid = %s", [epoch, txid, eid]
    )
    return found[0] if found else None


def last_values(object_ids: list[UUID], code: str) -> dict[UUID, Mapping[str, Any]]:
    """Return what the trail last knew of objects whose rows are gone, unless it was erased."""
    entries = entries_where("event.object_id = ANY (%s) AND event.code = %s", [object_ids, code])
    return {entry.object_id: entry.before for entry in entries if entry.object_id and not entry.erased}


def entries_where(condition: str, values: list[Any]) -> list[Entry]:
    """Return the entries that a condition of SQL leaves."""
    return translating.as_here(as_written(condition, values))


def as_written(condition: str, values: list[Any]) -> list[Entry]:
    """Return the same with the ids that stand in the trail that is read, to ask it further."""
    return [entry_of(row) for row in fetch(f"{_COLUMNS} WHERE {condition}", values)]


def _rows(filters: Filters, place: Cursor | None, limit: int) -> list[Any]:
    conditions, values = _conditions(filters)
    if place:
        conditions.append("event.at_us <= %s AND (event.at_us, event.txid) < (%s, %s::text::xid8)")
        values += [place.at_us, place.at_us, place.txid]
    where = f"WHERE {' AND '.join(conditions)} " if conditions else ""
    return fetch(f"{_COLUMNS} {where}ORDER BY event.at_us DESC, event.txid DESC LIMIT %s", [*values, limit])


def _told(rows: list[Any]) -> frozenset[int]:
    """Return the transactions of some rows in which an event of intent was written as well."""
    # By code and time, where an index leads: a transaction may hold ten thousand rows.
    query = (
        "SELECT asked.txid FROM unnest(%s::bigint[], %s::bigint[]) AS asked (txid, at_us) WHERE EXISTS ("
        "SELECT FROM audit_event AS meant WHERE meant.code = ANY (%s) "
        "AND meant.txid = asked.txid::text::xid8 "
        "AND meant.at_us BETWEEN asked.at_us - %s AND asked.at_us + %s)"
    )
    written = {row[1]: row[3] for row in rows if row[4].count(".") > 1}
    if not written:
        return frozenset()
    meant = [code.name for code in codes.declared()]
    times = [list(written), list(written.values())]
    return frozenset(txid for (txid,) in fetch(query, [*times, meant, _LONGEST_US, _LONGEST_US]))


def _conditions(filters: Filters) -> tuple[list[str], list[Any]]:
    wanted: list[tuple[str, Any]] = [
        _is("event.actor_id", filters.actor, None),
        _is("event.object_id", filters.object_id, filters.type_id),
        ("event.type_id = %s", filters.type_id),
        ("event.code = ANY (%s)", list(filters.codes) or None),
        ("event.at_us >= %s", _micros(filters.since)),
        ("event.at_us < %s", _micros(filters.until)),
    ]
    given = [(condition, value) for condition, value in wanted if value is not None]
    conditions, values = [condition for condition, _ in given], [value for _, value in given]
    if filters.transaction:
        conditions.append("event.epoch = %s AND event.txid = %s::text::xid8")
        values += filters.transaction
    return conditions, values


def _is(column: str, key: UUID | None, type_id: int | None) -> tuple[str, Any]:
    """Return the condition that a column is somebody or something, under whatever id it is known there."""
    if key is None or origins.current() is None:
        return f"{column} = %s", key
    return f"{column} = ANY (%s)", translating.known_as(key, type_id)


def _micros(at: datetime | None) -> int | None:
    return None if at is None else round(at.timestamp() * 1_000_000)


def fetch(query: str, values: list[Any]) -> list[Any]:
    """Return the rows of a query in the organisation entered."""
    with connections[required().alias].cursor() as cursor:
        cursor.execute(origins.told(query), values)
        return list(cursor.fetchall())


def _folded(group: list[Any]) -> Iterator[Entry]:
    entries = [entry_of(row) for row in group]
    if len(entries) < FOLD or entries[0].of < FOLD:
        yield from entries
    else:
        yield replace(entries[0], count=entries[0].of)


def _joined(newer: Entry, older: Entry) -> Entry | None:
    """Add up chunks of one work: the same action of the same person in one request; None if they are not."""
    if min(newer.count, older.count) < FOLD or _work(newer) != _work(older):
        return None
    return replace(newer, count=newer.count + older.count, since=older.place)


def _to_its_end(entry: Entry, filters: Filters, place: Cursor) -> tuple[Entry, Cursor]:
    """Add to an entry all chunks of its work before a place, in one query; return it and where they end."""
    conditions, values = _conditions(filters)
    where = "".join(f"{condition} AND " for condition in conditions)
    asked = [
        place.at_us,
        place.txid,
        *values,
        entry.code,
        entry.actor_id,
        *of_request(entry.request_id),
        json.dumps(entry.by),
        FOLD,
    ]
    ((rows, at_us, txid),) = fetch(_REST.format(where=where), asked)
    if not rows:
        return entry, place
    end = Cursor(at_us, txid)
    return replace(entry, count=entry.count + rows, since=end), end


def of_request(request_id: str) -> tuple[str, bool]:
    """Return what a payload says of its request, as capture writes it, and whether it is to say so."""
    said = ',"request":'
    return (said + json.dumps(request_id, ensure_ascii=False), True) if request_id else (said, False)


def _work(entry: Entry) -> tuple[Any, ...]:
    return entry.code, entry.actor_id, entry.request_id, entry.by.get("credential")
