"""One run through the fleet at a time, written down as it goes, and stopped when somebody asks."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import psycopg
from django.db import connections
from django.utils import timezone

from operations.models import FleetRun, FleetState
from tenants.context import CONTROL
from tenants.placement import Ring

_LOOKS_EVERY_S = 1.0
# One number for all runs; the lock belongs to a connection and is gone with its process.
_LOCK = "SELECT pg_advisory_lock(hashtextextended('enclave.fleet', 0))"
# The server may not have noticed yet that the process before was killed.
_WAITS_MS = 2_000


class FleetBusy(RuntimeError):
    """Another run is at work."""


class FleetStopped(RuntimeError):
    """Somebody asked to stop, or so many organisations failed that the others were left as they are."""


class Run:
    """The run at work. `stop` is set when nothing more is to be begun."""

    def __init__(self, row: FleetRun) -> None:
        self.row = row
        self.stop = threading.Event()

    def enter(self, ring: Ring) -> None:
        """Write down which ring it is at."""
        self.row.ring = ring.value
        self._update(ring=ring.value)

    def count(self, states: list[FleetState]) -> None:
        """Add what became of some organisations, and see whether somebody asked to stop."""
        failed = sum(bool(state.error) for state in states)
        self.row.failed += failed
        self.row.migrated += sum(not state.error and state.version == self.row.aim for state in states)
        self._update(failed=self.row.failed, migrated=self.row.migrated)
        self.look()

    def look(self) -> None:
        """See whether somebody asked to stop."""
        if not self.stop.is_set():
            asked = FleetRun.objects.filter(pk=self.row.pk).values_list("stop_asked_at", "said").get()
            if asked[0] is not None:
                self.row.said = asked[1]
                self.stop.set()

    def check(self) -> None:
        """Raise FleetStopped if somebody asked to stop."""
        if self.stop.is_set():
            raise FleetStopped(self.row.said or "somebody asked to stop")

    def pause(self, seconds: float) -> None:
        """Wait before the next ring, so that people can look at the one before. Raises FleetStopped."""
        if seconds <= 0:
            return
        until = timezone.now() + timedelta(seconds=seconds)
        self._update(state=FleetRun.State.PAUSING, goes_on_at=until)
        while (left := (until - timezone.now()).total_seconds()) > 0:
            time.sleep(min(left, _LOOKS_EVERY_S))
            self.look()
            self.check()
        self._update(state=FleetRun.State.RUNNING, goes_on_at=None)

    def end(self, state: FleetRun.State, said: str = "") -> None:
        """Write down how it ended."""
        self._update(state=state, ended_at=timezone.now(), goes_on_at=None, said=said[:2000])

    def _update(self, **columns: object) -> None:
        FleetRun.objects.filter(pk=self.row.pk).update(**columns)


@contextmanager
def a_run(aim: str, *, total: int) -> Iterator[Run]:
    """Hold the fleet for one run. Raises FleetBusy while another one does."""
    with _alone():
        FleetRun.objects.filter(ended_at=None).update(
            state=FleetRun.State.BROKEN_OFF, ended_at=timezone.now(), said="Its process is gone."
        )
        run = Run(FleetRun.objects.create(aim=aim, total=total, ring=Ring.CANARY.value))
        try:
            yield run
        except FleetStopped as stopped:
            run.end(FleetRun.State.STOPPED, str(stopped))
            raise
        except BaseException as problem:
            run.end(FleetRun.State.BROKEN_OFF, str(problem) or type(problem).__name__)
            raise
        run.end(FleetRun.State.DONE)


@contextmanager
def _alone() -> Iterator[None]:
    parameters = connections[CONTROL].get_connection_params()
    with psycopg.connect(**parameters, autocommit=True) as connection:
        connection.execute(f"SET lock_timeout = {_WAITS_MS}")
        try:
            connection.execute(_LOCK)
        except psycopg.errors.LockNotAvailable as problem:
            raise FleetBusy("Another run is migrating the fleet.") from problem
        yield
