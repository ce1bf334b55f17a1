"""PostgreSQL 18 from a wheel, in a folder, on 127.0.0.1 only."""

import os
import shutil
import signal
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Self
from urllib.parse import quote

import psutil  # type: ignore[import-untyped]  # the package ships no types

from config.embedded import cluster
from config.embedded.errors import CannotStart
from config.embedded.files import FolderLock, because_of, make_folder, require_space
from config.embedded.place import Place, find_place, program, remove_place
from config.embedded.ports import LOOPBACK, is_free
from config.embedded.processes import POLL_SECONDS, Child, end_leftover, end_pid

__all__ = ["CannotStart", "PostgresServer", "program"]

# Recovery after a crash reads the log since the last checkpoint; minutes are possible, more is a fault.
READY_SECONDS = 300.0
STOP_SECONDS = 6.0
LONGEST_SOCKET_FOLDER = 80


class PostgresServer:
    """One PostgreSQL 18 server. Everything it keeps lies in `folder`.

    `durable` False is for tests: fast, and worthless after a power cut. `extra` are further settings by
    name, such as {"log_statement": "all"}. Works as an ordinary user and as root (then the server runs as
    the user postgres or nobody). Every fault raises CannotStart with a sentence for people.
    """

    def __init__(
        self, folder: Path, port: int, durable: bool = True, *, extra: Mapping[str, str] | None = None
    ) -> None:
        self.folder = folder.absolute()
        self.port = port
        self.durable = durable
        self.extra = dict(extra or {})
        self._lock: FolderLock | None = None
        self._child: Child | None = None
        self._own_socket_folder: Path | None = None
        self._launched_at_byte = 0
        self._data = self.folder / "cluster" / "data"

    def start(self) -> None:
        """Start the server and return when it answers; raises CannotStart."""
        self.launch()
        self.wait_until_ready()

    def launch(self) -> None:
        """Start the server without waiting for it, so that other parts start meanwhile."""
        self.folder = make_folder(self.folder)
        self._lock = FolderLock(self.folder)
        self._lock.acquire()
        try:
            require_space(self.folder)
            place = find_place(self.folder)
            self._end_leftovers(place)
            if not is_free(self.port):
                raise CannotStart(f"Port {self.port}, meant for the database, is in use; choose another one.")
            self._data = cluster.prepare_cluster(
                place, password_file=self._password_file, durable=self.durable
            )
            self._launch(place)
        except CannotStart:
            self.stop()
            raise
        except OSError as error:
            self.stop()
            raise because_of(error, "The database", self.folder) from error

    def wait_until_ready(self) -> None:
        """Return when the server takes connections; raises CannotStart if it does not."""
        end = time.monotonic() + READY_SECONDS
        while not self._says_ready():
            if not self.is_running() or time.monotonic() > end:
                said = self._said()
                self.stop()
                raise CannotStart(cluster.explain(said, self._data))
            time.sleep(POLL_SECONDS)

    def stop(self, seconds: float = STOP_SECONDS) -> None:
        """End every connection, write everything down and stop; kill after `seconds`."""
        if self._child is not None:
            self._child.ask_to_stop()
            self._child.wait_or_kill(seconds)
            if self._child.exit_code() == -signal.SIGKILL:
                # Its backends have groups of their own, and one may still be writing to a slow disk.
                self._wait_for_orphans(self._data)
            self._child = None
        if self._own_socket_folder is not None:
            shutil.rmtree(self._own_socket_folder, ignore_errors=True)
            self._own_socket_folder = None
        if self._lock is not None:
            self._lock.release()
            self._lock = None

    def is_running(self) -> bool:
        """Whether the server's process is alive."""
        return self._child is not None and self._child.is_running()

    @property
    def pid(self) -> int:
        """The postmaster's process id; 0 when it is not running."""
        return 0 if self._child is None else self._child.pid

    @contextmanager
    def running(self) -> Iterator[Self]:
        """The server, started, and stopped at the end whatever happens."""
        self.start()
        try:
            yield self
        finally:
            self.stop()

    def discard(self) -> None:
        """Stop the server and delete all that it kept."""
        self.stop()
        remove_place(self.folder)
        shutil.rmtree(self.folder, ignore_errors=True)

    def superuser_url(self, database: str = "postgres") -> str:
        """A URL for the superuser; needed to bootstrap roles and databases, by nothing else."""
        password = self._password_file.read_text().strip()
        return f"postgresql://{cluster.SUPERUSER}:{quote(password)}@{LOOPBACK}:{self.port}/{quote(database)}"

    @property
    def archive(self) -> Path:
        """Where the write-ahead log is archived."""
        return self.folder / "cluster" / cluster.WAL

    def archived_bytes(self) -> int:
        """How much the archive of the write-ahead log holds."""
        folder = self.archive
        return sum(path.stat().st_size for path in folder.iterdir()) if folder.is_dir() else 0

    @property
    def _password_file(self) -> Path:
        return self.folder / "superuser.password"

    @property
    def _record(self) -> Path:
        return self.folder / "process.json"

    def _launch(self, place: Place) -> None:
        chosen = cluster.settings(
            place, port=self.port, socket_folder=self._socket_folder(place), durable=self.durable
        )
        chosen.update(self.extra)
        self._child = Child(log=self.folder / "log", record=self._record, end_with=signal.SIGINT)
        log = self._child.log
        self._launched_at_byte = log.stat().st_size if log.exists() else 0
        words = [word for name, value in chosen.items() for word in ("-c", f"{name}={value}")]
        self._child.launch(
            [place.programs / "postgres", "-D", self._data, *words],
            environment=cluster.SERVER_ENVIRONMENT,
            run_as=place.run_as,
            cwd=place.cluster,
        )

    def _socket_folder(self, place: Place) -> Path:
        """The cluster's folder, or a short one: the system allows a socket's path about 100 characters."""
        if len(os.fsencode(place.cluster)) <= LONGEST_SOCKET_FOLDER:
            return place.cluster
        self._own_socket_folder = Path(tempfile.mkdtemp(prefix="enclave-"))
        place.give(self._own_socket_folder)
        return self._own_socket_folder

    def _end_leftovers(self, place: Place) -> None:
        """End the server of an earlier start that was killed. We hold the lock, so nobody uses it."""
        end_leftover(self._record, end_with=signal.SIGINT)
        pid_file = place.cluster / "data" / "postmaster.pid"
        try:
            pid = int(pid_file.read_text().splitlines()[0])
            is_ours = psutil.Process(pid).cwd() == str(place.cluster / "data")
        except (OSError, ValueError, IndexError, psutil.Error):
            is_ours = False
        if is_ours:
            end_pid(pid, end_with=signal.SIGINT, seconds=STOP_SECONDS)
        # Its number may belong to a stranger by now, and PostgreSQL would then refuse to start.
        pid_file.unlink(missing_ok=True)
        self._wait_for_orphans(place.cluster / "data")

    def _wait_for_orphans(self, data: Path) -> None:
        """Wait for backends whose postmaster was killed: they end by themselves, within moments."""
        for process in psutil.process_iter(["name", "cwd"]):
            if process.info["name"] == "postgres" and process.info["cwd"] == str(data):
                try:
                    process.wait(timeout=STOP_SECONDS)
                except psutil.TimeoutExpired:
                    process.kill()

    def _says_ready(self) -> bool:
        try:
            lines = (self._data / "postmaster.pid").read_text().splitlines()
        except OSError:
            return False
        return len(lines) >= 8 and lines[0].strip() == str(self.pid) and lines[7].strip() == "ready"

    def _said(self) -> str:
        return "" if self._child is None else self._child.tail(200, since=self._launched_at_byte)
