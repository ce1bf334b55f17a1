"""Programs that step back for those who serve people: bringing somebody back may take longer."""

import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

import psutil  # type: ignore[import-untyped]  # the package ships no types

# Of a processor that is wanted by others they get ten times as much. More would starve on a busy machine,
# and whoever waits for a restore waits for people as well.
NICENESS = 10
# Seconds for which nothing is done at most, however long what came before it took.
LONGEST_REST = 1.0


@cache
def _ahead() -> tuple[str, ...]:
    nice, ionice = shutil.which("nice"), shutil.which("ionice")
    return (
        *((nice, "-n", str(NICENESS)) if nice else ()),
        *((ionice, "-c", "3", "-t") if ionice else ()),  # where the system knows none, as if it were not said
    )


def gently(command: list[str]) -> list[str]:
    """Return a command that runs when nobody else wants processor and disk."""
    return [*_ahead(), *command]


@contextmanager
def resting() -> Iterator[None]:
    """Do a piece of work, and then nothing for as long as it took; not to be used inside a transaction.

    What the live server does for a restore has no priority that could be lowered, so it gets half the time.
    """
    began = time.monotonic()
    yield
    time.sleep(min(time.monotonic() - began, LONGEST_REST))


def step_back(pid: int) -> None:
    """Let a process, and those that it starts from now on, step back in the same way."""
    process = psutil.Process(pid)
    process.nice(NICENESS)
    if hasattr(process, "ionice"):
        process.ionice(psutil.IOPRIO_CLASS_IDLE)
