"""Keeping the trail of another organisation, as it was. Needs the owner's login.

The other trail is read from a loaded copy of its schema on the same server; the cursor's path is the schema
that keeps it. Rows are copied as they are, column by column, so that their leaves and the seals over them
stay what they were.
"""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from audit.models.annexed import Why
from tenants.names import checked_schema_name


@dataclass(frozen=True, slots=True)
class Origin:
    """Whose trail it is: the organisation's id, its name and address, and the end of its trail."""

    source: UUID
    name: str
    slug: str
    head: dict[str, Any]


@dataclass(frozen=True, slots=True)
class _Copied:
    """A table of the trail, the one that keeps it, its columns, and those of its key."""

    own: str
    kept: str
    columns: str
    key: str


_EVENT = (
    "epoch, txid, eid, at_us, code, type_id, object_id, actor_id, payload, private_ref, private_commitment"
)
_SEGMENT = (
    "segment_no, log_id, first_epoch, first_txid, first_eid, last_epoch, last_txid, last_eid, count, root, "
    "trigger_digest, clock_us, prev_header_hash, header_hash"
)
_PRIVATE = "ref, subject, salt, value"
_TABLES = (
    _Copied("audit_event", "audit_annexed_event", _EVENT, "epoch, txid, eid"),
    _Copied("audit_private", "audit_annexed_private", _PRIVATE, "ref"),
    _Copied("audit_segment", "audit_annexed_segment", _SEGMENT, "segment_no"),
)
# What the other one kept of others, which it passes on.
_PASSED_ON = (
    _Copied(
        "audit_annexed_trail",
        "audit_annexed_trail",
        "source, name, slug, attached_at, why, is_whole, head",
        "source",
    ),
    _Copied("audit_annexed_event", "audit_annexed_event", f"source, {_EVENT}", "source, epoch, txid, eid"),
    _Copied("audit_annexed_private", "audit_annexed_private", f"source, {_PRIVATE}", "source, ref"),
    _Copied("audit_annexed_segment", "audit_annexed_segment", f"source, {_SEGMENT}", "source, segment_no"),
    _Copied("audit_annexed_key", "audit_annexed_key", "source, type_id, old, new", "source, type_id, old"),
)
# Who is erased here while rows are copied is not brought again by those that come after, nor by those that
# are copied anew. Entries of this kind are few.
_ERASED = """
SELECT said.object_id FROM audit_event AS said
WHERE said.code = 'trail.erased' AND said.object_id IS NOT NULL
UNION ALL
SELECT k.old FROM audit_annexed_key AS k JOIN audit_event AS said ON said.object_id = k.new
WHERE said.code = 'trail.erased' AND k.source = {source}
"""
_ALL = (*_TABLES, _Copied("", "audit_annexed_key", "", "source, type_id, old"), _PASSED_ON[0])


def annex_begin(cursor: Any, *, origin: Origin, why: Why, is_whole: bool) -> None:
    """Write down that a trail is kept here from now on. May be repeated."""
    cursor.execute(
        "INSERT INTO audit_annexed_trail (source, name, slug, attached_at, why, is_whole, head) "
        "VALUES (%s, %s, %s, %s, %s, %s, %s::jsonb) ON CONFLICT (source) DO UPDATE SET head = excluded.head",
        [
            *(origin.source, origin.name, origin.slug, datetime.now(UTC), why.value, is_whole),
            json.dumps(origin.head),
        ],
    )


def annex_some(cursor: Any, *, staged: str, source: UUID, most: int, only: str = "") -> int:
    """Copy the next rows; return how many, 0 when everything is here. Each call is one short transaction.

    With `only`, a condition over entries `came` of ours, an excerpt: these entries and their personal parts,
    without seals, which are over all of them, and without what the other one keeps of others.
    """
    checked_schema_name(staged)
    parts = f"came.ref IN (SELECT private_ref FROM {_TABLES[0].kept} WHERE source = '{source}')"
    for table, wanted in (
        zip(_TABLES, (only, parts), strict=False) if only else ((one, "") for one in _TABLES)
    ):
        if count := _copy(cursor, table, staged, source, most, wanted):
            return count
    for table in () if only else _PASSED_ON:
        if count := _pass_on(cursor, table, staged, most):
            return count
    return 0


def _copy(cursor: Any, table: _Copied, staged: str, source: UUID, most: int, only: str) -> int:
    """Copy rows behind the last one that is here: they come in the order of their keys."""
    read = ", ".join(f"{part}::text" for part in table.key.split(", "))
    # By the columns, and not by the texts that are read of them and have the same names.
    order = ", ".join(f"kept.{part} DESC" for part in table.key.split(", "))
    last = cursor.execute(
        f"SELECT {read} FROM {table.kept} AS kept WHERE source = %s ORDER BY {order} LIMIT 1", [source]
    ).fetchone()
    beyond = [f"({table.key}) > ({', '.join('%s' for _ in last)})"] if last else []
    conditions = [*beyond, *([f"({only})"] if only else []), *_not_erased(table, f"'{source}'")]
    where = " AND ".join(conditions) or "true"
    done = cursor.execute(
        f"INSERT INTO {table.kept} (source, {table.columns}) SELECT %s::uuid, {table.columns} "
        f"FROM {staged}.{table.own} AS came WHERE {where} ORDER BY {table.key} LIMIT {int(most)}",
        [source, *(last or ())],
    )
    return int(done.rowcount)


def _pass_on(cursor: Any, table: _Copied, staged: str, most: int) -> int:
    same = " AND ".join(f"here.{part} = came.{part}" for part in table.key.split(", "))
    wanted = " AND ".join(
        [f"NOT EXISTS (SELECT FROM {table.kept} AS here WHERE {same})", *_not_erased(table, "came.source")]
    )
    done = cursor.execute(
        f"INSERT INTO {table.kept} ({table.columns}) SELECT {table.columns} "
        f"FROM {staged}.{table.own} AS came WHERE {wanted} "
        f"ORDER BY {table.key} LIMIT {int(most)} ON CONFLICT DO NOTHING"
    )
    return int(done.rowcount)


def _not_erased(table: _Copied, source: str) -> list[str]:
    """Return the condition that a personal part is not of somebody who was erased here; `source` is SQL."""
    if table.kept != "audit_annexed_private":
        return []
    return [f"(came.subject IS NULL OR came.subject NOT IN ({_ERASED.format(source=source)}))"]


def hold_off_erasures(cursor: Any) -> None:
    """Let erasures wait until the transaction ends; those that were begun are waited for (audit_erase)."""
    cursor.execute("LOCK TABLE audit_annexed_private, audit_annexed_key IN ROW EXCLUSIVE MODE")


def drop_erased(cursor: Any, *, source: UUID) -> int:
    """Remove what was copied about somebody who was erased by an id that nobody knew them by then."""
    done = cursor.execute(
        "DELETE FROM audit_annexed_private WHERE source = %s "
        f"AND subject IN ({_ERASED.format(source='%s::uuid')})",
        [source, source],
    )
    return int(done.rowcount)


def annex_drop(cursor: Any, *, source: UUID, most: int) -> int:
    """Remove the next rows of a trail that is kept no longer; return how many, 0 when nothing is left."""
    for table in _ALL:
        key = table.key if "source" in table.key else f"source, {table.key}"
        done = cursor.execute(
            f"DELETE FROM {table.kept} WHERE ({key}) IN "
            f"(SELECT {key} FROM {table.kept} WHERE source = %s LIMIT {int(most)})",
            [source],
        )
        if done.rowcount:
            return int(done.rowcount)
    return 0
