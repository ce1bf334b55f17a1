"""The canonical lines of a trail: what the verifier reads, an archive holds and a customer may have."""

import json
import re
from collections.abc import Iterator
from typing import Any
from uuid import UUID

_EVENTS = """
SELECT epoch, txid::text::bigint, eid, at_us, code, type_id, object_id::text, actor_id::text, payload,
    private_ref::text, encode(private_commitment, 'hex')
FROM audit_event ORDER BY epoch, txid, eid
"""
_PRIVATE = "SELECT ref::text, subject::text, encode(salt, 'hex'), value FROM audit_private ORDER BY ref"
_SEGMENTS = """
SELECT segment_no, log_id::text, first_epoch, first_txid::text::bigint, first_eid, last_epoch,
    last_txid::text::bigint, last_eid, count, encode(root, 'hex'), encode(trigger_digest, 'hex'), clock_us,
    encode(prev_header_hash, 'hex'), encode(header_hash, 'hex')
FROM audit_segment ORDER BY segment_no
"""
_EVENT = (
    "epoch", "txid", "eid", "at_us", "code", "type_id", "object_id", "actor_id", "payload", "private_ref",
    "private_commitment",
)  # fmt: skip
_SEGMENT = (
    "segment_no", "log_id", "first_epoch", "first_txid", "first_eid", "last_epoch", "last_txid", "last_eid",
    "count", "root", "trigger_digest", "clock_us", "prev_header_hash", "header_hash",
)  # fmt: skip
_BATCH = 5_000


def lines(cursor: Any, *, source: UUID | None = None) -> Iterator[str]:
    """Yield every event, private part and segment of the current schema as a line of JSON.

    With `source`, of the trail of that other organisation which is kept here: letter by letter the lines that
    it had itself. Run it in a repeatable-read transaction, so that the three belong together.
    """
    yield from _of_kind(cursor, "event", _of(_EVENTS, source), _EVENT)
    yield from _of_kind(cursor, "private", _of(_PRIVATE, source), ("ref", "subject", "salt", "value"))
    yield from _of_kind(cursor, "segment", _of(_SEGMENTS, source), _SEGMENT)


def _of(query: str, source: UUID | None) -> str:
    if source is None:
        return query
    return re.sub(r"FROM audit_(\w+)", rf"FROM audit_annexed_\1 WHERE source = '{source}'", query)


def _of_kind(cursor: Any, kind: str, query: str, names: tuple[str, ...]) -> Iterator[str]:
    cursor.execute(query)
    while rows := cursor.fetchmany(_BATCH):
        for row in rows:
            entry = {"kind": kind, **dict(zip(names, row, strict=True))}
            yield json.dumps(entry, ensure_ascii=False, separators=(",", ":"))
