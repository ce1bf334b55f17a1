"""Reading the trails of other organisations that are kept here (audit.models.annexed).

Within `reading(origin)` every question about the trail is about that one, with the same words: its tables
have the same columns. Who and what had another id there is known by the one it has here (audit.translating).
"""

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from audit.models.annexed import AnnexedTrail, Why
from tenants.capabilities import capability, has
from tenants.context import required

ANNEXED = capability("audit.annexed", since=("audit", "0002_annexed")).name
# Seconds for which it is believed that an organisation keeps no other's trail.
BELIEVED_FOR = 30.0
_MOST_REMEMBERED = 50_000
_KEPT = {"audit_event": "audit_annexed_event", "audit_private": "audit_annexed_private"}
_NAMES = re.compile(r"\b(audit_event|audit_private)\b")


@dataclass(frozen=True, slots=True)
class Origin:
    """Another organisation whose trail is kept here: its id and name, since when and why, all or a part."""

    source: UUID
    name: str
    attached_at: datetime
    why: Why
    is_whole: bool


_reading: ContextVar[Origin | None] = ContextVar("audit_origin", default=None)
_none: dict[str, float] = {}


def kept() -> list[Origin]:
    """Return the trails of others that the organisation entered keeps, the last one first."""
    schema, now = required().schema, time.monotonic()
    if _none.get(schema, 0.0) > now or not has(ANNEXED):
        return []
    found = [
        Origin(row.source, row.name, row.attached_at, Why(row.why), row.is_whole)
        for row in AnnexedTrail.objects.order_by("-attached_at")
    ]
    if not found:
        if len(_none) >= _MOST_REMEMBERED:
            _none.clear()
        _none[schema] = now + BELIEVED_FOR
    return found


def forget() -> None:
    """Believe nothing any more. For tests."""
    _none.clear()


def find(said: str) -> Origin | None:
    """Return the trail that an address names; None for anything that is not kept here."""
    try:
        source = UUID(said)
    except ValueError:
        return None
    return next((origin for origin in kept() if origin.source == source), None)


@contextmanager
def reading(origin: Origin | None) -> Iterator[None]:
    """Let every question about the trail be about this one; None is the organisation's own."""
    token = _reading.set(origin)
    try:
        yield
    finally:
        _reading.reset(token)


def current() -> Origin | None:
    """Return whose trail is read; None for the organisation's own."""
    return _reading.get()


def told(query: str) -> str:
    """Return a question about the own trail as one about the trail that is read."""
    origin = current()
    if origin is None:
        return query
    # A sub-select that the planner takes apart again: its indexes begin with the source.
    return _NAMES.sub(
        lambda found: f"(SELECT * FROM {_KEPT[found[1]]} WHERE source = '{origin.source}')", query
    )
