"""Doing a backfill in one organisation: a job in batches, each a transaction with its checkpoint.

A batch is a range of keys; its effects, the place in the table and the lease commit together, so a worker
that is killed loses one batch and repeats none. When a whole pass finds nothing to do, the schema says so.
"""

import logging
import time
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, Protocol

from django.db import Error as DatabaseError
from django.db import OperationalError, connections
from django.db.models import QuerySet

from jobs.actions import Run
from jobs.backfills import registry
from jobs.backfills.registry import Backfill
from jobs.backfills.sizing import FIRST, Size
from jobs.backfills.strain import load_of
from jobs.models import Backfilled
from jobs.refusals import Postponed, TryLater
from jobs.registry import kind
from tenants.context import required
from tenants.placement import Tenant

logger = logging.getLogger(__name__)
KIND = "jobs.backfill"
MOST_PASSES = 20
# A batch ends within a second, whatever it meets; one that does not is tried again with fewer rows.
_STATEMENT_MS, _LOCK_MS = 900, 300
_LOOK_SECONDS = 1.0
_TELL_SECONDS = 2.0
_PATIENCE_SECONDS = 3.0
_POSTPONED_SECONDS = 5.0
_HELD_SECONDS = 30.0
_TOO_SLOW = ("57014", "55P03", "40P01")  # query_canceled, lock_not_available, deadlock_detected


class LeftUndone(RuntimeError):
    """A function left rows as they were that it was to fill: its condition and its work disagree."""


class Watcher(Protocol):
    """Who decides for the whole fleet, and shows how far it is."""

    def held(self, tenant: Tenant, name: str) -> str:
        """Return why an organisation must wait; "" when it may go on."""

    def told(self, tenant: Tenant, name: str, *, done: int, total: int, is_done: bool) -> None:
        """Hear how far an organisation is."""


_watchers: list[Watcher] = []


def watch(watcher: Watcher) -> None:
    """Let `watcher` hold backfills and hear of them."""
    if watcher not in _watchers:
        _watchers.append(watcher)


@kind(KIND, label="Backfill", delays=(5, 60, 300, 1800))
def fill(run: Run) -> Mapping[str, Any]:
    """Do one backfill in one organisation."""
    one = registry.find(run.payload["name"])
    if one is None:
        raise Postponed("Another release has this backfill.", after=_HELD_SECONDS)
    return _Filling(one, run).fill()


class _Filling:
    """One run of one backfill. `after` is the last key looked at, `changed` counts the rows of this pass."""

    def __init__(self, one: Backfill, run: Run) -> None:
        self.one, self.run = one, run
        state = run.state
        self.size = Size(int(state.get("size", FIRST)))
        self.after: str | None = state.get("after")
        self.passes = int(state.get("passes", 0))
        self.changed, self.filled = int(state.get("changed", 0)), int(state.get("filled", 0))
        self.looked_at = int(state.get("looked_at", 0))
        self.is_done = False
        self.commit_seconds = 0.0
        self._looked = self._told = float("-inf")

    def fill(self) -> Mapping[str, Any]:
        """Go on until a whole pass finds nothing that needs it."""
        self._begin()
        while not self.is_done:
            self._make_room()
            self._batch()
            self._tell()
        self._tell(at_once=True)
        return {"filled": self.filled}

    def _begin(self) -> None:
        with self.run.chunk():
            self.is_done = Backfilled.objects.filter(name=self.one.name).exists()
            if not self.is_done and self.run.total is None:
                self.run.checkpoint(total=self._rows().count())

    def _rows(self) -> QuerySet[Any]:
        return self.one.model._base_manager.order_by("pk")

    def _batch(self) -> None:
        began = time.monotonic()
        try:
            with self.run.chunk():
                self._limit()
                state = self._do()
                worked = time.monotonic()
        except OperationalError as problem:
            if getattr(problem.__cause__, "sqlstate", "") not in _TOO_SLOW:
                raise
            self._smaller(problem)
            return
        ended = time.monotonic()
        self.commit_seconds = ended - worked
        self.size.took(ended - began)
        self.__dict__.update(state)

    def _do(self) -> dict[str, Any]:
        """Fill the next range of keys, and return what is true once that is committed."""
        ahead = self._rows() if self.after is None else self._rows().filter(pk__gt=self.after)
        last = ahead.values_list("pk", flat=True)[self.size.rows - 1 : self.size.rows].first()
        here = ahead if last is None else ahead.filter(pk__lte=last)
        count = self.size.rows if last is not None else here.count()
        needing = here.filter(self.one.todo)
        changed = 0
        if needing.exists():
            changed = max(1, self.one.function(needing.all()))
            if needing.exists():
                raise LeftUndone(f"{self.one.name} left rows that match its condition.")
        return self._moved_on(last, count, changed)

    def _moved_on(self, last: Any, count: int, changed: int) -> dict[str, Any]:
        ends = last is None
        seen, filled = self.changed + changed, self.filled + changed
        is_done = ends and not seen
        if is_done:
            Backfilled.objects.get_or_create(name=self.one.name, defaults={"rows": filled})
        passes = self.passes + ends
        looked_at = self.looked_at + (0 if self.passes else count)
        state: dict[str, Any] = {
            "after": None if ends else str(last),
            "passes": passes,
            "changed": 0 if ends else seen,
            "filled": filled,
            "looked_at": looked_at,
        }
        total = max(self.run.total or 0, looked_at)
        done = total if is_done else min(looked_at, total)
        note = "A second look" if passes else "Filling"
        self.run.checkpoint({**state, "size": self.size.rows}, done=done, total=total, note=note)
        if passes >= MOST_PASSES and not is_done:
            raise TryLater("Rows that need it keep coming: does the release before this one still serve?")
        return {**state, "is_done": is_done}

    def _limit(self) -> None:
        with connections[required().alias].cursor() as cursor:
            cursor.execute(
                "SELECT set_config('statement_timeout', %s, true), set_config('lock_timeout', %s, true)",
                (f"{_STATEMENT_MS}ms", f"{_LOCK_MS}ms"),
            )

    def _smaller(self, problem: OperationalError) -> None:
        """Take fewer rows after a batch that took too long; wait when it was the smallest already."""
        logger.info("a batch of %s was too slow: %s", self.one.name, problem)
        if not self.size.failed():
            raise Postponed("Its rows are in use.", after=_POSTPONED_SECONDS)

    def _make_room(self) -> None:
        """Wait while the fleet or the database says so; give the job back when that takes longer."""
        if time.monotonic() - self._looked < _LOOK_SECONDS:
            return
        self._looked = time.monotonic()
        for watcher in _watchers:
            if held := watcher.held(self.run.tenant, self.one.name):
                self._pause(held, after=_HELD_SECONDS)
        until = self._looked + _PATIENCE_SECONDS
        while strain := load_of(self.run.tenant.alias).strain(self.commit_seconds):
            self.commit_seconds = 0.0
            if time.monotonic() > until:
                self._pause(f"the database is busy ({strain})", after=_POSTPONED_SECONDS)
            time.sleep(0.5)

    def _pause(self, why: str, *, after: float) -> None:
        self.run.checkpoint(note=f"Paused: {why}")
        self._tell(at_once=True)
        raise Postponed(why, after=after)

    def _tell(self, *, at_once: bool = False) -> None:
        now = time.monotonic()
        if not at_once and now - self._told < _TELL_SECONDS:
            return
        self._told = now
        for watcher in _watchers:
            # The sweeper finds out as well: what is shown may lag behind what is done, and never stops it.
            with suppress(DatabaseError):
                watcher.told(
                    self.run.tenant,
                    self.one.name,
                    done=self.run.done,
                    total=self.run.total or 0,
                    is_done=self.is_done,
                )
