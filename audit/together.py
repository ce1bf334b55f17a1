"""The single entries behind one that stands for many: rows of one statement, or of the chunks of one work."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from audit.queries import PAGE, Cursor, Entry, as_written, entries_where, fetch, of_request

_LIMIT = 2**63
# One probe of the index for each chunk, whatever the number of its rows.
_TOTAL = """
WITH RECURSIVE chunks AS (
    (SELECT at_us, txid, payload FROM audit_event AS event WHERE {work} AND {upto}
     ORDER BY at_us DESC, txid DESC LIMIT 1)
    UNION ALL
    SELECT older.at_us, older.txid, older.payload FROM chunks, LATERAL (
        SELECT at_us, txid, payload FROM audit_event AS event
        WHERE {work} AND {since} AND event.at_us <= chunks.at_us
            AND (event.at_us, event.txid) < (chunks.at_us, chunks.txid)
        ORDER BY at_us DESC, txid DESC LIMIT 1
    ) AS older
)
SELECT coalesce(sum((payload::jsonb->>'of')::bigint), 0)::bigint FROM chunks
"""
_WORK = "event.code = %s AND event.actor_id IS NOT DISTINCT FROM %s AND (strpos(event.payload, %s) > 0) = %s"
_UPTO = "event.at_us <= %s AND (event.at_us, event.txid) <= (%s, %s::text::xid8)"
_SINCE = "event.at_us >= %s AND (event.at_us, event.txid) >= (%s, %s::text::xid8)"
_AFTER = "event.at_us >= %s AND (event.at_us, event.txid, event.eid) > (%s, %s::text::xid8, %s)"


@dataclass(frozen=True, slots=True)
class Point:
    """A place between single entries."""

    at_us: int
    txid: int
    eid: int

    def __str__(self) -> str:
        return f"{self.at_us}.{self.txid}.{self.eid}"

    @classmethod
    def parse(cls, text: str) -> "Point | None":
        """Return the place that an address names; None for anything else."""
        parts = text.split(".")
        if len(parts) != 3 or not all(part.isdecimal() and int(part) < _LIMIT for part in parts):
            return None
        return cls(*(int(part) for part in parts))


@dataclass(frozen=True, slots=True)
class Work:
    """What one person did in one request or job: the same action, from one place in the trail to another."""

    code: str
    actor_id: UUID | None
    request_id: str
    newest: Cursor
    since: Cursor

    @classmethod
    def at(cls, newest: Cursor, since: Cursor | None) -> "Work | None":
        """Return the work whose last chunk stands at a place, or None if nothing stands there."""
        found = as_written(
            "event.at_us = %s AND event.txid = %s::text::xid8 LIMIT 1", [newest.at_us, newest.txid]
        )
        if not found:
            return None
        (entry,) = found
        return cls(entry.code, entry.actor_id, entry.request_id, newest, since or newest)

    def total(self) -> int:
        """Return how many entries there are."""
        query = _TOTAL.format(work=_WORK, upto=_UPTO, since=_SINCE)
        values = self._values()
        ((total,),) = fetch(query, [*values, *_end(self.newest), *values, *_end(self.since)])
        return int(total)

    def entries(self, *, after: Point | None = None, size: int = PAGE) -> tuple[list[Entry], Point | None]:
        """Return entries in the order in which they were written, and where they go on."""
        conditions = [_WORK, _UPTO, _SINCE]
        values = [*self._values(), *_end(self.newest), *_end(self.since)]
        if after is not None:
            conditions.append(_AFTER)
            values += [after.at_us, after.at_us, after.txid, after.eid]
        order = "ORDER BY event.at_us, event.txid, event.eid LIMIT %s"
        found = entries_where(f"{' AND '.join(conditions)} {order}", [*values, size + 1])
        if len(found) <= size:
            return found, None
        last = found[size - 1]
        return found[:size], Point(last.at_us, last.txid, last.eid)

    def _values(self) -> list[Any]:
        return [self.code, self.actor_id, *of_request(self.request_id)]


def _end(place: Cursor) -> list[Any]:
    return [place.at_us, place.at_us, place.txid]
