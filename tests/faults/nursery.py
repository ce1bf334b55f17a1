"""A process that has loaded the product once and forks its processes: worker, beat and the mover.

Each of them is the real one, with a process id of its own to be killed. Only the two seconds of loading are
saved, which are nothing that these tests are about, and of which hundreds of kills would be made otherwise.
"""

import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psutil  # type: ignore[import-untyped]  # the package ships no types

from tests.servers import FOLDER, ROOT
from tests.workers import wait_for


@dataclass(frozen=True, slots=True)
class Born:
    """A process that the nursery forked, in a group of its own."""

    pid: int
    log: Path

    def kill(self) -> bool:
        """End it at once, with its children; return whether it still ran."""
        with suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
            wait_for(lambda: not self.is_running(), seconds=10, every=0.002)
            return True
        return False

    def is_running(self) -> bool:
        """Return whether it lives."""
        return bool(psutil.pid_exists(self.pid))

    def processes(self) -> list[int]:
        """Return the ids of it and of its children."""
        return [self.pid, *(child.pid for child in psutil.Process(self.pid).children())]

    def said(self) -> str:
        """Return its log."""
        return self.log.read_text(errors="replace")


class Nursery:
    """The process, seen from the test."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._all: list[Born] = []
        self._one_at_a_time = threading.Lock()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.forking"],
            cwd=ROOT,
            env={**os.environ, **environment},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def fork(self, *words: str) -> Born:
        """Start `celery` or `manage.py` with further words."""
        descriptor, name = tempfile.mkstemp(prefix=f"{words[0]}-", suffix=".log", dir=FOLDER)
        os.close(descriptor)
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with self._one_at_a_time:
            self._process.stdin.write(json.dumps([name, *words]) + "\n")
            self._process.stdin.flush()
            born = Born(int(self._process.stdout.readline()), Path(name))
        self._all.append(born)
        return born

    def end(self) -> None:
        """End it and everything that it forked."""
        for one in self._all:
            one.kill()
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(timeout=30)
        if self._process.stdout is not None:
            self._process.stdout.close()


@contextmanager
def nursery(environment: Mapping[str, str]) -> Iterator[Nursery]:
    """Run one for a block."""
    made = Nursery(environment)
    try:
        yield made
    finally:
        made.end()
