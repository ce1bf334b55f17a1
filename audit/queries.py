"""Reading the trail: newest first, by keyset, filtered by person, object, action and period.

Rows that one statement changed together (an import, a bulk change) share their time and their
transaction; from four on they are read as one entry with a count, so that a page is not filled by them.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from itertools import groupby
from typing import Any
from uuid import UUID

from django.db import connections

from audit import codes
from tenants.context import required

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


@dataclass(frozen=True, slots=True)
class Filters:
    """What is asked for; None and empty mean any. `codes` are alternatives; `until` is exclusive,
    `transaction` is its epoch and id.

    Without `every`, changed rows are left out where something that was meant, and written in the same
    transaction, says what happened: "made Sam a member" stands for a person, an address and a membership.
    """

    actor: UUID | None = None
    object_id: UUID | None = None
    type_id: int | None = None
    codes: tuple[str, ...] = ()
    since: datetime | None = None
    until: datetime | None = None
    transaction: tuple[int, int] | None = None
    every: bool = True


@dataclass(frozen=True, slots=True)
class Cursor:
    """A place between entries: time and transaction of the last one read."""

    at_us: int
    txid: int

    def __str__(self) -> str:
        return f"{self.at_us}.{self.txid}"

    @classmethod
    def parse(cls, text: str) -> "Cursor | None":
        """Return the place that a page's address names; None for anything else."""
        at_us, _, txid = text.partition(".")
        limit = 2**63
        if not (at_us.isdecimal() and txid.isdecimal()) or int(at_us) >= limit or int(txid) >= limit:
            return None
        return cls(int(at_us), int(txid))


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry, read. `of` rows were changed by its statement; it stands for `count` of them, since `since`.

    `before` and `after` hold open and personal values together; `erased` says that personal ones are
    gone, `hidden` names the columns whose values were never kept. `title` is what its object was called
    then, or what many of them belong to, where a room knows.
    """

    epoch: int
    txid: int
    eid: int
    at: datetime
    at_us: int
    code: str
    type_id: int
    object_id: UUID | None
    actor_id: UUID | None
    by: Mapping[str, Any]
    request_id: str
    source: str
    before: Mapping[str, Any]
    after: Mapping[str, Any]
    details: Mapping[str, Any]
    personal: tuple[str, ...]
    hidden: tuple[str, ...]
    erased: bool
    of: int = 1
    count: int = 1
    since: Cursor | None = None
    title: str = ""

    @property
    def place(self) -> Cursor:
        """Return where this entry stands."""
        return Cursor(self.at_us, self.txid)

    @property
    def label(self) -> str:
        """Return the model of a row's event, `records.record`, or an empty text for one of intent."""
        return self.code.rpartition(".")[0] if self.code.count(".") > 1 else ""

    @property
    def verb(self) -> str:
        """Return added, changed or removed, or what an event of intent calls itself."""
        return self.code.rpartition(".")[2]


@dataclass(frozen=True, slots=True)
class Page:
    """Entries, and where the next page begins; None at the end."""

    entries: list[Entry] = field(default_factory=list)
    next: Cursor | None = None


def page(filters: Filters, *, after: Cursor | None = None, size: int = PAGE) -> Page:
    """Return up to `size` entries before a place, newest first.

    The last one is read to its end: an import of a hundred chunks is one entry, wherever a page ends.
    """
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
    return [_entry(row) for row in fetch(f"{_COLUMNS} WHERE {condition}", values)]


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
        ("event.actor_id = %s", filters.actor),
        ("event.object_id = %s", filters.object_id),
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


def _micros(at: datetime | None) -> int | None:
    return None if at is None else round(at.timestamp() * 1_000_000)


def fetch(query: str, values: list[Any]) -> list[Any]:
    """Return the rows of a query in the organisation entered."""
    with connections[required().alias].cursor() as cursor:
        cursor.execute(query, values)
        return list(cursor.fetchall())


def _folded(group: list[Any]) -> Iterator[Entry]:
    entries = [_entry(row) for row in group]
    if len(entries) < FOLD or entries[0].of < FOLD:
        yield from entries
    else:
        yield replace(entries[0], count=entries[0].of)


def _joined(newer: Entry, older: Entry) -> Entry | None:
    """Add up chunks of one work: the same action of the same person in one request; None if they are not."""
    if min(newer.count, older.count) < FOLD or _work(newer) != _work(older):
        return None
    return replace(newer, count=newer.count + older.count, since=older.place)


def _work(entry: Entry) -> tuple[Any, ...]:
    return entry.code, entry.actor_id, entry.request_id, entry.by.get("credential")


def _entry(row: Any) -> Entry:
    epoch, txid, eid, at_us, code, type_id, object_id, actor_id, text, has_private, value = row
    payload = json.loads(text)
    private = json.loads(value) if value else {}
    return Entry(
        epoch=epoch,
        txid=txid,
        eid=eid,
        at=datetime.fromtimestamp(at_us / 1_000_000, tz=UTC),
        at_us=at_us,
        code=code,
        type_id=type_id,
        object_id=object_id,
        actor_id=actor_id,
        by=payload.get("by", {}),
        request_id=payload.get("request", ""),
        source=payload.get("source", ""),
        before={**payload.get("before", {}), **_flat(private.get("before", {}))},
        after={**payload.get("after", {}), **_flat(private.get("after", {}))},
        details={**payload.get("details", {}), **private.get("details", {})},
        personal=tuple(payload.get("personal", ())),
        hidden=tuple(payload.get("masked", ())),
        erased=has_private and value is None,
        of=payload.get("of", 1),
    )


def _flat(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return documents taken apart one level: `values.capacity`, the name of a column and its key."""
    flat: dict[str, Any] = {}
    for name, value in values.items():
        if isinstance(value, dict):
            flat.update({f"{name}.{key}": inner for key, inner in value.items()})
        else:
            flat[name] = value
    return flat
