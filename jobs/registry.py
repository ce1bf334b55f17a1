"""Kinds of jobs: which function does them, how often it may try, and how many may run at once.

Rooms write `<room>/jobs.py` and import it when their app is ready:

    @kind("records.import", label="Import", max_running=2)
    def import_file(run: Run) -> Mapping[str, Any]: ...
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

if TYPE_CHECKING:
    from jobs.actions.running import Run
    from jobs.models import Job

Handler = Callable[["Run"], Mapping[str, Any] | None]
Upgrade = Callable[[dict[str, Any], int], dict[str, Any]]

_FORM = re.compile(r"[a-z][a-z_]*\.[a-z][a-z_]*")
# Seconds to wait after each failure; the last holds for all that follow.
RETRY_DELAYS = (2, 10, 60, 300, 1800)


class UnknownKind(LookupError):
    """Code enqueued a kind that no room has registered."""


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of job.

    `version` is the newest payload this code understands; `upgrade(payload, version)` brings an
    older one to it. `max_running` holds for one organisation. `delays` are seconds to wait after
    each failure, `max_attempts` failures end the job. `result_url(job)` is where its result is seen;
    "" while there is none.
    """

    name: str
    handler: Handler
    version: int = 1
    queue: str = "app"
    max_running: int = 1
    upgrade: Upgrade | None = None
    label: str = ""
    delays: tuple[float, ...] = RETRY_DELAYS
    max_attempts: int = 5
    result_url: Callable[[Job], str] | None = None

    def delay(self, attempts: int) -> float:
        """Return how many seconds to wait after failure number `attempts`, counted from 1."""
        return self.delays[min(attempts, len(self.delays)) - 1] if self.delays else 0

    def current_payload(self, payload: dict[str, Any], version: int) -> dict[str, Any]:
        """Return the payload as this code understands it."""
        if version < self.version and self.upgrade is not None:
            return self.upgrade(payload, version)
        return payload


_kinds: dict[str, Kind] = {}
_closers: list[Callable[[], Collection[str]]] = []


def kind(
    name: str,
    *,
    version: int = 1,
    queue: str = "app",
    max_running: int = 1,
    upgrade: Upgrade | None = None,
    label: str = "",
    delays: tuple[float, ...] = RETRY_DELAYS,
    max_attempts: int = 5,
    result_url: Callable[[Job], str] | None = None,
) -> Callable[[Handler], Handler]:
    """Register the decorated function as what does jobs of kind `name`; see Kind.

    Raises ImproperlyConfigured for a malformed name, or one that another function has.
    """
    if not _FORM.fullmatch(name):
        raise ImproperlyConfigured(f"{name!r} is not a kind: write room.noun in lower case.")
    if queue not in ("app", "mail", "owner"):
        raise ImproperlyConfigured(f"Kind {name} names an unknown queue {queue!r}.")

    def keep(handler: Handler) -> Handler:
        known = _kinds.get(name)
        if known is not None and known.handler is not handler:
            raise ImproperlyConfigured(f"Kind {name} is registered twice.")
        _kinds[name] = Kind(
            name=name,
            handler=handler,
            version=version,
            queue=queue,
            max_running=max_running,
            upgrade=upgrade,
            label=label or name.partition(".")[2].replace("_", " ").capitalize(),
            delays=delays,
            max_attempts=max_attempts,
            result_url=result_url,
        )
        return handler

    return keep


def find(name: str) -> Kind | None:
    """Return a registered kind, or None: another release may know it."""
    return _kinds.get(name)


def get(name: str) -> Kind:
    """Return a registered kind; raise UnknownKind."""
    try:
        return _kinds[name]
    except KeyError:
        raise UnknownKind(f"{name!r} is not registered: see jobs.registry.kind.") from None


def forget(name: str) -> None:
    """Take a kind out again. For tests."""
    _kinds.pop(name, None)


def close_by(source: Callable[[], Collection[str]]) -> None:
    """Let `source()` name kinds that stay queued, such as those of a rollout under way."""
    if source not in _closers:
        _closers.append(source)


def closed_kinds() -> frozenset[str]:
    """Return the kinds that stay queued for now."""
    closed = set(settings.JOB_CLOSED_KINDS)
    for source in _closers:
        closed.update(source())
    return frozenset(closed)


def open_kinds(queue: str) -> list[Kind]:
    """Return the kinds of a queue that may run now."""
    closed = closed_kinds()
    return [one for one in _kinds.values() if one.queue == queue and one.name not in closed]
