"""The fence: the lock of a schema, held alone. Whoever was let in has ended, all others wait at the door."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import psycopg

from operations.moves.links import Link
from operations.moves.problems import NotYet
from tenants.staying import PLACEMENT_LOCK

# For how long others wait behind the mover while somebody inside takes long; then it steps back.
QUEUE_MS = 300
STEP_BACK_SECONDS = 0.5
TRIES = 60
# Sealers are let in by nobody; they have a lock of their own.
_SEALER_LOCK = 0x7472_6169


@dataclass(slots=True)
class Fence:
    """How long writers have been kept out, in milliseconds, from when the mover began to queue."""

    began: float
    pause_ms: float = 0.0

    def so_far(self) -> float:
        """Return the milliseconds until now."""
        return (time.perf_counter() - self.began) * 1000


@contextmanager
def fenced(source: Link, schema: str) -> Iterator[Fence]:
    """Keep every transaction of the organisation out for the block. Raises NotYet if somebody stays inside.

    The lock belongs to the session: it outlives commits, and ends with this process.
    """
    fence = Fence(time.perf_counter())
    locks = ((PLACEMENT_LOCK, schema), (_SEALER_LOCK, schema))
    try:
        for number, (kind, of) in enumerate(locks):
            _take(source, kind, of, fence, is_first=number == 0)
        yield fence
    finally:
        if not source.closed:
            source.execute("SELECT pg_advisory_unlock_all()")
        fence.pause_ms = fence.so_far()


def _take(source: Link, kind: int, schema: str, fence: Fence, *, is_first: bool) -> None:
    source.execute("SELECT set_config('lock_timeout', %s, false)", (f"{QUEUE_MS}ms",))
    for _ in range(TRIES):
        if is_first:
            fence.began = time.perf_counter()
        try:
            source.execute("SELECT pg_advisory_lock(%s, hashtext(%s))", (kind, schema))
        except psycopg.errors.LockNotAvailable:
            if not is_first:
                break  # others wait already
            time.sleep(STEP_BACK_SECONDS)
        else:
            return
    raise NotYet("A long transaction of the organisation has not ended yet")
