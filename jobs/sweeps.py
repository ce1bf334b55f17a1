"""Sweeps: what is looked after again and again, whether or not a message about it was lost."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from redis.exceptions import RedisError

from jobs.bells import store
from tenants.releases import queue_of

logger = logging.getLogger(__name__)
# A sweep whose worker died may run again after so many seconds.
_MOST_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Sweep:
    """One sweep. Unless `alone`, two of it may run at a time: it settles races by itself.

    `queue` says whose worker runs it: "owner" for what needs the owner's login.
    """

    name: str
    every_seconds: float
    run: Callable[[], object]
    alone: bool = True
    queue: str = "mail"


_sweeps: dict[str, Sweep] = {}


def add(
    name: str,
    *,
    every_seconds: float,
    run: Callable[[], object],
    alone: bool = True,
    queue: str = "mail",
) -> None:
    """Hang `run()` on the beat, every so many seconds. It enters planes and organisations by itself.

    It must be safe to leave out, and to run again after it broke off: it is what others fall back on.
    """
    _sweeps[name] = Sweep(name, every_seconds=every_seconds, run=run, alone=alone, queue=queue)


def find(name: str) -> Sweep | None:
    """Return a sweep, or None: beat may belong to another release."""
    return _sweeps.get(name)


def run(name: str) -> bool:
    """Run a sweep, unless it is unknown or another worker is at it; return whether it ran."""
    sweep = find(name)
    if sweep is None:
        return False
    if not sweep.alone:
        sweep.run()
        return True
    lock = store().lock(f"enclave:sweep:{name}", timeout=_MOST_SECONDS, blocking=False)
    if not lock.acquire():
        return False
    try:
        sweep.run()
    finally:
        try:
            lock.release()
        except RedisError as problem:
            logger.warning("the lock of sweep %s was gone: %s", name, problem)
    return True


def schedule() -> dict[str, Any]:
    """Return beat's schedule. A message that nobody took before the next one is dropped."""
    return {
        sweep.name: {
            "task": "jobs.tasks.sweep",
            "schedule": sweep.every_seconds,
            "kwargs": {"name": sweep.name},
            "options": {
                "queue": queue_of(sweep.queue, settings.RELEASE),
                "expires": max(5, sweep.every_seconds),
                "retry": False,
            },
        }
        for sweep in _sweeps.values()
    }
