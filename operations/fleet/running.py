"""Running parts on many schemas at once: a few connections to each shard, each with the next schema.

What one schema's data or locks do to it stops nobody else. A schema whose tables are in use waits at
the end of the line and is tried again.
"""

import threading
import time
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from queue import SimpleQueue

import psycopg
from django.db import connections, transaction
from psycopg.errors import error_from_result
from psycopg.pq import ExecStatus

from operations.fleet.parts import LOCK_TIMEOUT_MS
from operations.fleet.recording import apply
from operations.fleet.scripts import ALREADY_THERE, ANOTHER_VERSION, COPY, LOCKED, Script
from operations.fleet.work import Outcome, Step, Target, Work
from tenants.context import as_owner
from tenants.schema import version_at
from tenants.staying import LivesElsewhere, staying

CONNECTIONS = 2  # to each shard; more only wait for each other on two cores
MOST_TRIES = 20
FLUSHED_AT_ONCE = 50
FLUSHED_AFTER_S = 0.5  # or sooner: nobody hears of what is not on the disk
MOST_AT_ONCE = 20  # schemas in one call
_AT_ONCE_S = 0.05
_FLUSH = b"BEGIN; SET LOCAL synchronous_commit = on; SELECT pg_catalog.pg_current_xact_id(); COMMIT"
_PAUSE_S = 0.2  # before those whose tables were in use are tried again


def run(
    work: Work,
    targets: Sequence[Target],
    *,
    addresses: Mapping[str, str],
    width: int = CONNECTIONS,
    most_failed: int | None = None,
    stop: threading.Event | None = None,
) -> Iterator[Outcome]:
    """Do the work on every target and yield each outcome once it is safe on the disk.

    `addresses` has the connection string of the owner's login for each alias. After `most_failed`
    failures, or when `stop` is set, nothing more is begun.
    """
    outcomes: SimpleQueue[Outcome | None] = SimpleQueue()
    steps = work.steps()
    threads: list[threading.Thread] = []
    lines = []
    for alias in sorted({target.alias for target in targets}):
        line = Line([target for target in targets if target.alias == alias])
        lines.append(line)
        for _ in range(min(width, len(line))):
            runner = _Runner(addresses[alias], work, steps, line, outcomes)
            threads.append(threading.Thread(target=runner.run, name=f"fleet-{alias}", daemon=True))
    for thread in threads:
        thread.start()
    failed = 0
    for _ in threads:
        while (outcome := outcomes.get()) is not None:
            failed += bool(outcome.error)
            if (most_failed is not None and failed > most_failed) or (stop is not None and stop.is_set()):
                for line in lines:
                    line.close()
            yield outcome
    for thread in threads:
        thread.join()


class Line:
    """Who is next, for several threads; those that were locked come last."""

    def __init__(self, targets: Sequence[Target]) -> None:
        self._waiting = deque(targets)
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._waiting)

    def take(self, most: int) -> list[Target]:
        """Return the next few, none when nobody waits. One that was locked before comes alone."""
        with self._lock:
            taken = [self._waiting.popleft()] if self._waiting else []
            while self._waiting and len(taken) < most and not (taken[0].tries or self._waiting[0].tries):
                taken.append(self._waiting.popleft())
            return taken

    def close(self) -> None:
        """Let nobody else be next."""
        with self._lock:
            self._waiting.clear()

    def put_back(self, target: Target) -> None:
        """Let a target wait at the end."""
        with self._lock:
            self._waiting.append(replace(target, tries=target.tries + 1))


class _Runner:
    """One thread with one connection."""

    def __init__(
        self,
        address: str,
        work: Work,
        steps: Sequence[Step],
        line: Line,
        outcomes: "SimpleQueue[Outcome | None]",
    ) -> None:
        self.address, self.work, self.steps, self.line, self.outcomes = address, work, steps, line, outcomes
        self.unflushed: list[Outcome] = []
        self.flushed_at = time.monotonic()
        self.connection: psycopg.Connection | None = None
        self.at_once = 1

    def run(self) -> None:
        """Take some after the others until nobody waits."""
        try:
            while targets := self.line.take(self.at_once):
                self._do(targets)
                if self._is_time():
                    self._flush()
            self._flush()
        finally:
            if self.connection is not None:
                self.connection.close()
            connections.close_all()
            self.outcomes.put(None)

    def _do(self, targets: Sequence[Target]) -> None:
        """Do all steps on some schemas, each on all of them before the next, and keep what became of them."""
        if targets[0].tries:
            time.sleep(_PAUSE_S)
        began = time.perf_counter()
        ended = dict(self._ended(targets))
        each = (time.perf_counter() - began) / len(targets)
        # As many as are done in a short while: whoever follows, or wants it to stop, does not wait long.
        self.at_once = min(MOST_AT_ONCE, max(1, int(_AT_ONCE_S / each)))
        self.unflushed += [replace(one, took_ms=each * 1000) for one in ended.values() if one is not None]

    def _ended(self, targets: Sequence[Target]) -> Iterator[tuple[Target, Outcome | None]]:
        """Yield what became of each; None for one that has to wait for others."""
        here = list(targets)
        for step in self.steps:
            found = self._sent(step.script, here) if step.script else self._in_python_each(step, here)
            here = []
            for target, version in found:
                if isinstance(version, Exception):
                    yield target, self._outcome(target, version)
                elif version != step.part.aim:
                    yield target, Outcome(target, version)
                else:
                    here.append(target)
        yield from ((target, Outcome(target, self.work.aim)) for target in here)

    def _outcome(self, target: Target, problem: Exception) -> Outcome | None:
        if isinstance(problem, LivesElsewhere):
            return Outcome(target, "", waits=str(problem))
        if is_locked(problem) and target.tries + 1 < MOST_TRIES:
            self.line.put_back(target)
            return None
        return Outcome(target, "", said(problem))

    def _sent(self, script: Script, targets: Sequence[Target]) -> Iterator[tuple[Target, str | Exception]]:
        """Send a script for some schemas; yield for each the version it is at, or what went wrong."""
        found: dict[Target, str | Exception] = {}
        while left := [target for target in targets if target not in found]:
            try:
                self._send(script.for_schemas([target.schema for target in left]))
            except psycopg.Error as problem:
                if self.connection is None or self.connection.closed:
                    # Nobody says which of them were committed, nor what is on the disk; the next run looks.
                    self._disbelieve(problem)
                    wrong = {one: what for one, what in found.items() if isinstance(what, Exception)}
                    return iter((dict.fromkeys(targets, problem) | wrong).items())
                done = self._done_of(left)
                found |= dict.fromkeys(left[:done], script.aim) | {left[done]: _meant(problem, left[done])}
            else:
                found |= dict.fromkeys(left, script.aim)
        return iter(found.items())

    def _done_of(self, targets: Sequence[Target]) -> int:
        """Return how many of the schemas of the last call were done before one failed."""
        row = self._connected().execute("SELECT current_setting('enclave.at', true)").fetchone()
        schemas = [target.schema for target in targets]
        return schemas.index(row[0]) + 1 if row is not None and row[0] in schemas else 0

    def _in_python_each(
        self, step: Step, targets: Sequence[Target]
    ) -> Iterator[tuple[Target, str | Exception]]:
        for target in targets:
            try:
                yield target, self._in_python(step, target)
            except Exception as problem:  # noqa: BLE001  # whatever a migration's code raises is one schema's
                yield target, problem

    def _in_python(self, step: Step, target: Target) -> str:
        """Run a part's migrations on one schema, with the models' states that were built for all."""
        with as_owner(target.alias, target.schema), staying(target.alias, target.schema):
            there = version_at(target.alias, target.schema)
            if there != step.start:
                return there
            for migration, pieces in step.part.pieces:
                with ExitStack() as stack:
                    if migration.atomic:
                        stack.enter_context(transaction.atomic(using=target.alias))
                        with connections[target.alias].cursor() as cursor:
                            cursor.execute(f"SET LOCAL lock_timeout = {LOCK_TIMEOUT_MS}")
                    apply(target.alias, migration, pieces)
        return step.part.aim

    def _send(self, text: bytes) -> None:
        """Send it and wait for its end, below psycopg's cursors, which the other threads would wait for."""
        connection = self._connected()
        result = connection.pgconn.exec_(text)
        if result.status == ExecStatus.FATAL_ERROR:
            raise error_from_result(result)

    def _connected(self) -> psycopg.Connection:
        if self.connection is None or self.connection.closed:
            self.connection = psycopg.connect(self.address, autocommit=True)
            # What is sent does many schemas; each has its own patience for locks.
            self.connection.execute("SET statement_timeout = 0")
        return self.connection

    def _is_time(self) -> bool:
        return len(self.unflushed) >= FLUSHED_AT_ONCE or time.monotonic() - self.flushed_at > FLUSHED_AFTER_S

    def _flush(self) -> None:
        """Wait until what was committed is on the disk, then tell of it."""
        self.flushed_at = time.monotonic()
        if not self.unflushed:
            return
        try:
            if self.connection is not None:
                # A commit of its own takes all earlier ones to the disk with it. On the same connection: a
                # server that was started again meanwhile has lost them.
                self.connection.execute(_FLUSH)
        except psycopg.Error as problem:
            self._disbelieve(problem)
        for outcome in self.unflushed:
            self.outcomes.put(outcome)
        self.unflushed = []

    def _disbelieve(self, problem: psycopg.Error) -> None:
        """Take back what was not on the disk when the connection was lost."""
        self.unflushed = [
            one if one.error or one.waits else replace(one, version="", error=said(problem))
            for one in self.unflushed
        ]


def _meant(problem: psycopg.Error, target: Target) -> str | Exception:
    """Return the version that a script found, where it says so by an error; else what went wrong."""
    if problem.sqlstate in (ALREADY_THERE, ANOTHER_VERSION):
        return str(problem.diag.message_primary)
    if problem.sqlstate == COPY:
        return LivesElsewhere(f"It does not live on {target.alias} any more.")
    return problem


def is_locked(problem: BaseException) -> bool:
    """Return whether a table was in use by somebody else for too long; Django wraps what psycopg raises."""
    return any(getattr(one, "sqlstate", None) in LOCKED for one in (problem, problem.__cause__))


def said(problem: BaseException) -> str:
    """Return an error in one line."""
    return f"{type(problem).__name__}: {' '.join(str(problem).split())}"[:2000]
