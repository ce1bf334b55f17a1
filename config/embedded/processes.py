"""Starting and ending processes so that none is left behind, even when their starter is killed."""

import json
import os
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil  # type: ignore[import-untyped]  # the package ships no types

from config.embedded.files import write_private

POLL_SECONDS = 0.02
LOG_LIMIT_BYTES = 20_000_000


@dataclass(frozen=True)
class RunAs:
    """Another operating-system user to run a program as; only root can."""

    uid: int
    gid: int


def _leash(end_with: signal.Signals) -> list[str]:
    """A prefix that makes the system end the process when its starter is gone, even by kill -9.

    The kernel watches the starting *thread*, so only the main thread may hold a leash; and the tool is
    part of util-linux, which another system may lack. The record of each process covers both cases.
    A starter that was killed before the leash held sends no signal, so the shell looks once more.
    """
    tool = shutil.which("setpriv")
    if tool is None or threading.current_thread() is not threading.main_thread():
        return []
    is_watched = '[ "$PPID" = "$0" ] && exec "$@"'
    leash = [tool, "--pdeathsig", end_with.name.removeprefix("SIG")]
    return [*leash, "/bin/sh", "-c", is_watched, str(os.getpid())]


class Child:
    """A program in a process group of its own, with its output in a file and a record of who it is.

    `end_with` asks it to stop; `record` is a file that lets the next start find it if we are killed.
    """

    def __init__(self, *, log: Path, record: Path, end_with: signal.Signals = signal.SIGTERM) -> None:
        self.log = log
        self.record = record
        self.end_with = end_with
        self._process: subprocess.Popen[bytes] | None = None
        self._reaped = False

    def launch(
        self,
        command: Sequence[str | Path],
        *,
        environment: Mapping[str, str],
        run_as: RunAs | None = None,
        cwd: Path | None = None,
        stdin: bytes = b"",
    ) -> None:
        """Start `command`; raises OSError when the program cannot be run."""
        if self.log.exists() and self.log.stat().st_size > LOG_LIMIT_BYTES:
            self.log.replace(self.log.with_suffix(self.log.suffix + ".old"))
        argv = [*_leash(self.end_with), *(os.fspath(word) for word in command)]
        with self.log.open("ab") as output:
            self._process = subprocess.Popen(
                argv,
                stdin=subprocess.PIPE if stdin else subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=dict(environment),
                cwd=cwd,
                # Ctrl-C in a terminal reaches the whole group; we want to stop the parts in our own order.
                start_new_session=True,
                user=None if run_as is None else run_as.uid,
                group=None if run_as is None else run_as.gid,
                extra_groups=None if run_as is None else [],
            )
        self._reaped = False
        if stdin and self._process.stdin is not None:
            with suppress(BrokenPipeError), self._process.stdin as pipe:
                pipe.write(stdin)
        write_private(self.record, json.dumps({"pid": self.pid, "started": _started(self.pid)}))

    @property
    def pid(self) -> int:
        """The process id, or 0 when it was never started."""
        return 0 if self._process is None else self._process.pid

    def exit_code(self) -> int | None:
        """None while it runs (or before it was started), else what it returned."""
        return None if self._process is None else self._process.poll()

    def is_running(self) -> bool:
        """Whether it was started and has not ended."""
        return self._process is not None and self._process.poll() is None

    def ask_to_stop(self) -> None:
        """Send the stop signal to the program itself, which then tells its own children."""
        if self.is_running():
            os.kill(self.pid, self.end_with)

    def wait_or_kill(self, seconds: float) -> None:
        """Wait up to `seconds` for the end, then kill the whole group. Its record is removed."""
        if self._process is None or self._reaped:
            return
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(timeout=max(seconds, 0))
        # The group may outlive its head, e.g. the pool of a worker that was killed.
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)
        self._process.wait()
        # From here on the number may belong to a stranger.
        self._reaped = True
        self.record.unlink(missing_ok=True)

    def tail(self, lines: int = 12, since: int = 0) -> str:
        """The last `lines` lines that it wrote after byte `since` of its log."""
        try:
            with self.log.open("rb") as source:
                source.seek(max(since, self.log.stat().st_size - 20_000))
                text = source.read().decode(errors="replace")
        except OSError:
            return ""
        return "\n".join(text.strip().splitlines()[-lines:])


def _started(pid: int) -> float:
    try:
        created: float = psutil.Process(pid).create_time()
    except psutil.Error:
        return 0.0
    return created


def is_same_process(pid: int, started: float) -> bool:
    """Whether `pid` is still the process that began at `started` (seconds since 1970), not a later one."""
    return pid > 0 and abs(_started(pid) - started) < 0.05


def end_leftover(record: Path, *, end_with: signal.Signals, seconds: float = 8.0) -> bool:
    """End the process that an earlier, killed start left behind; True if there was one."""
    try:
        noted = json.loads(record.read_text())
        pid, started = int(noted["pid"]), float(noted["started"])
    except (OSError, ValueError, KeyError, TypeError):
        return False
    found = is_same_process(pid, started)
    if found:
        end_pid(pid, end_with=end_with, seconds=seconds)
    record.unlink(missing_ok=True)
    return found


def end_pid(pid: int, *, end_with: signal.Signals, seconds: float) -> None:
    """Ask process `pid` to end, and kill its group after `seconds`."""
    try:
        leftover = psutil.Process(pid)
        leftover.send_signal(end_with)
        leftover.wait(timeout=seconds)
    except psutil.NoSuchProcess:
        return
    except psutil.TimeoutExpired:
        with suppress(ProcessLookupError):
            os.killpg(pid, signal.SIGKILL)


def wait_until(ready: Callable[[], bool], seconds: float) -> bool:
    """Poll `ready` until it is true; False after `seconds`."""
    end = time.monotonic() + seconds
    while not ready():
        if time.monotonic() >= end:
            return False
        time.sleep(POLL_SECONDS)
    return True
