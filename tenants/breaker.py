"""Noticing that a shard does not answer, so that nobody waits for it twice.

Each process watches the shards that it uses. Where somebody waits for a connection, or keeps one for long,
a connection of the watcher's own asks the server. One that refuses, or is silent, opens the breaker: who
waits is let go, connections in use are cut, whoever comes is refused at once, and the server is asked again
until it answers. Then the breaker closes by itself. Slow statements and full pools open nothing: the server
still answers.
"""

import contextlib
import logging
import os
import socket
import threading
import time
import weakref
from collections.abc import Callable, Mapping
from typing import Any

import psycopg
from django.db.utils import OperationalError

logger = logging.getLogger(__name__)

TICK_SECONDS = 0.25
# Somebody has waited so long for a connection, or has had one so long, before the server is asked.
WAITED_SECONDS = 0.5
HELD_SECONDS = 5.0
# How long the server has to answer. Who comes while it has taken half of it is refused.
ANSWER_SECONDS = 2.0
# A machine that is very busy may answer late once; one that refuses is believed at once.
SILENT_TIMES = 2
AGAIN_SECONDS = 0.5
# What a server says that is well but full.
_FULL = ("too many clients", "too many connections", "remaining connection slots")

Parameters = Mapping[str, Any]
# Returns why a shard must not be used although it answers; "" when it may.
Objection = Callable[[psycopg.Connection], str]


class ShardDown(OperationalError):
    """The server of a shard does not answer. Raised at once, without waiting for it."""

    def __init__(self, alias: str, why: str = "") -> None:
        super().__init__(f"{alias} does not answer{': ' if why else ''}{why}")
        self.alias = alias


class Silent(Exception):
    """The server took the connection, or the question, and did not answer in time."""


class Unfit(Exception):
    """The server answers, and must not be used all the same."""


class Entry:
    """Somebody who waits for a connection, or has one."""

    def __init__(self, parameters: Parameters) -> None:
        self.parameters = parameters
        self.since = time.monotonic()
        self.is_held = False
        self._connection: weakref.ref[psycopg.Connection] | None = None

    @property
    def connection(self) -> psycopg.Connection | None:
        """The connection that it has, or tries."""
        return self._connection() if self._connection is not None else None

    @property
    def is_over(self) -> bool:
        """Whether its thread went away without a word: then the connection is gone, or closed."""
        return self.is_held and (self.connection is None or self.connection.closed)

    def tries(self, connection: psycopg.Connection) -> None:
        """Note the connection that is being asked whether it still lives."""
        self._connection = weakref.ref(connection)

    def has(self, connection: psycopg.Connection) -> None:
        """Note the connection that was got."""
        self._connection, self.is_held, self.since = weakref.ref(connection), True, time.monotonic()

    def is_uneasy(self, now: float, answered_at: float) -> bool:
        """Return whether it has taken so long, since the server answered last, that it should be asked."""
        if self.is_held:
            return now - max(self.since, answered_at) > HELD_SECONDS
        return now - max(self.since, answered_at) > WAITED_SECONDS


class Breaker:
    """What this process knows of one shard's server. `let_go()` is called when the breaker opens."""

    def __init__(self, alias: str, let_go: Callable[[], None] = lambda: None) -> None:
        self.alias = alias
        self.let_go = let_go
        self._lock = threading.Condition()
        self._entries: set[Entry] = set()
        self._parameters: Parameters = {}
        self._why: str | None = None
        self._objection: Objection | None = None
        self._asked_at: float | None = None
        self._thread: threading.Thread | None = None

    @property
    def is_open(self) -> bool:
        """Whether the shard is known not to answer."""
        return self._why is not None

    @property
    def why(self) -> str | None:
        """Why nobody may use the shard; None while it answers."""
        return self._why

    def begin(self, parameters: Parameters) -> Entry:
        """Note that somebody wants a connection. Raises ShardDown when there is none to be had."""
        if self._why is not None:
            raise ShardDown(self.alias, self._why)
        asked_at = self._asked_at
        if asked_at is not None and time.monotonic() - asked_at > ANSWER_SECONDS / 2:
            raise ShardDown(self.alias, "it is slow to answer")
        entry = Entry(parameters)
        with self._lock:
            self._entries.add(entry)
            self._ensure_watched()
            self._lock.notify()
        return entry

    def end(self, entry: Entry) -> None:
        """Note that somebody has given the connection back, or never got one."""
        with self._lock:
            self._entries.discard(entry)

    def open_until(self, objection: Objection, *, parameters: Parameters, why: str) -> None:
        """Let nobody use the shard before it answers and `objection(connection)` has nothing against it."""
        with self._lock:
            self._parameters, self._objection = parameters, objection
            self._why = " ".join(why.split())[:300]
            self._ensure_watched()
            self._lock.notify()
        logger.error("%s does not answer, and is left alone until it does: %s", self.alias, self._why)

    def _ensure_watched(self) -> None:
        if self._thread is None or not self._thread.is_alive():
            self._thread = threading.Thread(target=self._watch, name=f"breaker-{self.alias}", daemon=True)
            self._thread.start()

    def _watch(self) -> None:
        silent, answered_at = 0, 0.0
        while True:
            with self._lock:
                while not self._entries and not self.is_open:
                    self._lock.wait()
            time.sleep(AGAIN_SECONDS if self.is_open else TICK_SECONDS)
            now = time.monotonic()
            if not self.is_open and not silent:
                uneasy = self._uneasy(now, answered_at)
                if uneasy is None:
                    continue
                self._parameters = uneasy.parameters
            fault = self._ask()
            silent = silent + 1 if isinstance(fault, Silent) else 0
            if fault is None:
                answered_at = time.monotonic()
                self._close()
            elif not silent or silent >= SILENT_TIMES:
                self._open(str(fault))

    def _uneasy(self, now: float, answered_at: float) -> Entry | None:
        """Return somebody who waits for long, or has held a connection for long."""
        with self._lock:
            self._entries = {one for one in self._entries if not one.is_over}
            return next((one for one in self._entries if one.is_uneasy(now, answered_at)), None)

    def _ask(self) -> Exception | None:
        self._asked_at = time.monotonic()
        try:
            ask(self._parameters, objection=self._objection)
        except (psycopg.Error, Silent, Unfit) as fault:
            return fault
        finally:
            self._asked_at = None
        return None

    def _open(self, why: str) -> None:
        with self._lock:
            was_open, self._why = self.is_open, " ".join(why.split())[:300]
            held = [one.connection for one in self._entries if one.connection is not None]
        if not was_open:
            logger.error("%s does not answer, and is left alone until it does: %s", self.alias, self._why)
        self.let_go()
        for connection in held:
            cut(connection)

    def _close(self) -> None:
        if self.is_open:
            self._why = self._objection = None
            logger.warning("%s answers again", self.alias)

    def forget_threads(self) -> None:
        """Begin anew in a forked process, which has neither the threads nor the connections of its parent."""
        self._lock = threading.Condition()
        self._entries = set()
        self._asked_at = None
        self._thread = None
        if self.is_open:
            self._ensure_watched()


def ask(
    parameters: Parameters,
    statement: bytes = b"",
    *,
    seconds: float = ANSWER_SECONDS,
    objection: Objection | None = None,
) -> list[Any]:
    """Return the rows of a statement on a connection of its own; without one, signing in is the answer.

    A server that is full counts as answering.

    Raises psycopg.OperationalError when the server refuses, Silent when it says nothing for `seconds`,
    Unfit with the objection where there is one.
    """
    began = time.monotonic()
    try:
        connection = psycopg.connect(
            **{**parameters, "connect_timeout": max(2, round(seconds)), "autocommit": True}
        )
    except psycopg.errors.ConnectionTimeout as fault:
        raise Silent(f"no answer within {seconds:.0f} s") from fault
    except psycopg.OperationalError as fault:
        if objection is None and any(words in str(fault) for words in _FULL):
            return []
        raise
    late = threading.Timer(max(0.1, began + seconds - time.monotonic()), cut, [connection])
    late.daemon = True
    late.start()
    try:
        if objection is not None and (why := objection(connection)):
            raise Unfit(why)
        return connection.execute(statement).fetchall() if statement else []
    except psycopg.OperationalError as fault:
        if time.monotonic() - began >= seconds:
            raise Silent(f"no answer within {seconds:.0f} s") from fault
        raise
    finally:
        late.cancel()
        connection.close()


def cut(connection: psycopg.Connection) -> None:
    """End a connection under whoever uses it: they are told that the server has closed it."""
    with (
        contextlib.suppress(OSError, psycopg.Error),
        socket.socket(fileno=os.dup(connection.fileno())) as wire,
    ):
        wire.shutdown(socket.SHUT_RDWR)


_breakers: dict[str, Breaker] = {}


def of(alias: str, let_go: Callable[[], None] | None = None) -> Breaker:
    """Return this process's breaker of a shard."""
    found = _breakers.get(alias)
    if found is None:
        found = _breakers.setdefault(alias, Breaker(alias))
    if let_go is not None:
        found.let_go = let_go
    return found


def _forget_threads() -> None:
    for one in _breakers.values():
        one.forget_threads()


os.register_at_fork(after_in_child=_forget_threads)
