"""Sealing: a range of finished events becomes a segment, with the Merkle root over every column.

An event may be sealed once its transaction id is below the horizon of the running snapshot: every
such transaction has ended, and what commits later has a higher one, so nothing can appear behind the
mark. The leaves are hashed by PostgreSQL, the tree here, and the verifier hashes both on its own.
"""

import hashlib
import struct
import time
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from tenants.functions import written

MOST = 65_536
_LOCK = 0x7472_6169  # one sealer for each schema: this and the hash of the schema's name
_COLUMNS = (
    "log_id", "segment_no", "first_epoch", "first_txid", "first_eid", "last_epoch", "last_txid", "last_eid",
    "count", "root", "trigger_digest", "clock_us", "prev_header_hash", "header_hash",
)  # fmt: skip
# The two branches of the horizon: transaction ids are comparable inside one epoch only.
_READY = """
SELECT event.epoch, event.txid::text::bigint, event.eid, audit_leaf@(event)
FROM audit_event AS event
WHERE (event.epoch, event.txid, event.eid) > (%s, %s::text::xid8, %s)
    AND (event.txid < pg_snapshot_xmin(pg_current_snapshot())
        OR event.epoch < (SELECT max(epoch) FROM audit_epoch))
ORDER BY event.epoch, event.txid, event.eid LIMIT %s
"""


@dataclass(frozen=True, slots=True)
class Sealed:
    """A segment that was just sealed."""

    segment_no: int
    count: int
    header_hash: bytes


def seal(cursor: Any, *, log_id: UUID, most: int = MOST, allow_empty: bool = False) -> Sealed | None:
    """Seal what is finished, `most` events at a time; return the segment, or None if there is nothing.

    Needs the owner's login, the path set to the schema, and a transaction. `log_id` is the
    organisation's. With `allow_empty` silence is sealed as well.
    """
    cursor.execute("SELECT current_schema(), pg_advisory_xact_lock(%s, hashtext(current_schema()))", (_LOCK,))
    schema = str(cursor.fetchone()[0])
    number, mark, before = _mark(cursor)
    cursor.execute(written(_READY, schema), (*mark, most))
    rows = cursor.fetchall()
    if not rows and not allow_empty:
        return None
    first, last = (rows[0][:3], rows[-1][:3]) if rows else (mark, mark)
    cursor.execute(written("SELECT audit_trigger_digest@()", schema))
    header = [
        log_id, number + 1, *first, *last, len(rows), merkle_root([bytes(row[3]) for row in rows]),
        bytes(cursor.fetchone()[0]), time.time_ns() // 1000, before,
    ]  # fmt: skip
    digest = _header_hash(header)
    places = ", ".join("%s::text::xid8" if name.endswith("txid") else "%s" for name in _COLUMNS)
    cursor.execute(f"INSERT INTO audit_segment ({', '.join(_COLUMNS)}) VALUES ({places})", (*header, digest))
    return Sealed(number + 1, len(rows), digest)


def seal_everything(cursor: Any, *, log_id: UUID) -> int:
    """Seal until nothing finished is left; return how many events were sealed."""
    total = 0
    while sealed := seal(cursor, log_id=log_id):
        total += sealed.count
    return total


def _mark(cursor: Any) -> tuple[int, tuple[int, int, int], bytes]:
    """Return the last segment's number, last key and hash."""
    cursor.execute(
        "SELECT segment_no, last_epoch, last_txid::text::bigint, last_eid, header_hash FROM audit_segment "
        "ORDER BY segment_no DESC LIMIT 1"
    )
    row = cursor.fetchone()
    return (row[0], (row[1], row[2], row[3]), bytes(row[4])) if row else (0, (0, 0, 0), bytes(32))


def merkle_root(leaves: list[bytes]) -> bytes:
    """Return the Merkle root of RFC 6962: pairs level by level, an odd one is carried up unhashed."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    level = leaves
    while len(level) > 1:
        above = [
            hashlib.sha256(b"\x01" + level[place] + level[place + 1]).digest()
            for place in range(0, len(level) - 1, 2)
        ]
        level = above + level[len(above) * 2 :]
    return level[0]


def _header_hash(header: list[Any]) -> bytes:
    total = hashlib.sha256(b"\x02")
    for value in header:
        part = value if isinstance(value, bytes) else str(value).encode()
        total.update(struct.pack(">i", len(part)) + part)
    return total.digest()
