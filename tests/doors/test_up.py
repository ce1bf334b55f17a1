"""bin/up as a newcomer runs it: it serves, two copies run side by side, and nothing stays behind."""

import http.client
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psutil  # type: ignore[import-untyped]  # the package ships no types
import pytest

from config.embedded.ports import free_port
from config.embedded.processes import wait_until

ROOT = Path(__file__).resolve().parent.parent.parent
STARTED = "Ctrl-C stops everything."
OURS = ("DATABASE_URL", "REDIS_URL", "EMAIL_HOST", "ENCLAVE_", "DJANGO_", "PYTEST_")

pytestmark = pytest.mark.nightly


class Up:
    """One bin/up with a data folder and a port of its own."""

    def __init__(self, folder: Path) -> None:
        self.data = folder / "data"
        self.output = folder / "output"
        self.port = free_port()
        self.process: subprocess.Popen[bytes] | None = None

    def start(self, *more: str) -> None:
        """Start it, with more words on its command line, and return when it says that it is ready."""
        # The tests' own servers must not be taken for servers that the person named.
        clean = {name: value for name, value in os.environ.items() if not any(word in name for word in OURS)}
        words: list[str | Path] = [
            ROOT / "bin" / "up",
            "--no-demo",
            "--port",
            str(self.port),
            "--data",
            self.data,
            *more,
        ]
        with self.output.open("wb") as output:
            self.process = subprocess.Popen(words, stdout=output, stderr=output, env=clean)
        assert wait_until(lambda: STARTED in self.said() or not self.runs(), 180)
        assert self.runs(), self.said()

    def said(self) -> str:
        """All that it wrote."""
        return self.output.read_text()

    def runs(self) -> bool:
        """Whether the supervisor is alive."""
        return self.process is not None and self.process.poll() is None

    def manage(self, *words: str) -> "subprocess.CompletedProcess[str]":
        """Run one of manage.py's commands, as a person would from another terminal."""
        clean = {"PATH": os.environ["PATH"], "ENCLAVE_DATA": str(self.data)}
        command = [sys.executable, str(ROOT / "manage.py"), *words]
        return subprocess.run(command, env=clean, capture_output=True, text=True, check=False)

    def is_healthy(self) -> bool:
        """Whether the web server answers."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        try:
            connection.request("GET", "/-/health")
            return connection.getresponse().status == 200
        except OSError:
            return False
        finally:
            connection.close()

    def signal(self, number: signal.Signals) -> int:
        """Send a signal to the supervisor and return its exit code."""
        assert self.process is not None
        self.process.send_signal(number)
        return self.process.wait(timeout=30)

    def processes(self) -> list[str]:
        """All processes of the machine that belong to this data folder."""
        marks = (f"ENCLAVE_DATA={self.data}", str(self.data))
        return [words for words in map(_words, psutil.process_iter()) if any(mark in words for mark in marks)]


def _words(process: psutil.Process) -> str:
    try:
        if process.pid == os.getpid() or process.status() == psutil.STATUS_ZOMBIE:
            return ""
        variables = " ".join(f"{name}={value}" for name, value in process.environ().items())
        return " ".join(process.cmdline()) + " " + variables
    except psutil.Error:
        return ""


@pytest.fixture
def folders() -> Iterator[tuple[Path, Path]]:
    """Two folders that the database's user can reach."""
    made = [Path(tempfile.mkdtemp(prefix="enclave-up-")) for _ in range(2)]
    for folder in made:
        folder.chmod(0o711)
    yield made[0], made[1]
    for folder in made:
        shutil.rmtree(folder)


class TestUp:
    def test_it_serves_and_leaves_nothing_behind(self, folders: tuple[Path, Path]) -> None:
        up = Up(folders[0])
        for asked in (signal.SIGTERM, signal.SIGINT):
            up.start()
            assert up.is_healthy()
            assert len(up.processes()) > 6
            status = up.manage("migrate_fleet", "--status")
            assert status.stdout == "0 organisations are behind.\n", status.stderr

            assert up.signal(asked) == 0
            assert up.processes() == []

    def test_a_part_that_is_killed_comes_back(self, folders: tuple[Path, Path]) -> None:
        up = Up(folders[0])
        up.start()
        for part in psutil.Process(up.process.pid if up.process else 0).children():
            part.kill()

        assert wait_until(lambda: "The web server ended (signal 9)" in up.said(), 60)
        assert wait_until(up.is_healthy, 30)
        assert "The database server ended by itself and starts again." in up.said()
        assert up.signal(signal.SIGTERM) == 0
        assert up.processes() == []

    def test_a_killed_supervisor_takes_everything_with_it(self, folders: tuple[Path, Path]) -> None:
        up = Up(folders[0])
        up.start()
        up.signal(signal.SIGKILL)
        assert wait_until(lambda: up.processes() == [], 30)

        up.start()
        assert up.signal(signal.SIGTERM) == 0

    def test_two_copies_run_side_by_side(self, folders: tuple[Path, Path]) -> None:
        one, two = Up(folders[0]), Up(folders[1])
        one.start()
        two.start()

        assert one.is_healthy()
        assert two.is_healthy()
        assert one.signal(signal.SIGTERM) == 0
        assert two.is_healthy()
        assert two.signal(signal.SIGTERM) == 0
        assert one.processes() + two.processes() == []
