"""bin/up with two database servers: a second is added to a folder that has one, and either may crash."""

import http.client
import os
import signal
import subprocess
from functools import partial
from pathlib import Path

import psutil  # type: ignore[import-untyped]  # the package ships no types
import pytest

from config.embedded.processes import wait_until
from tests.doors.test_up import ROOT, Up, folders

__all__ = ["folders"]
pytestmark = pytest.mark.nightly


def status(up: Up, slug: str) -> int:
    """Return what the sign-in page of an organisation answers."""
    connection = http.client.HTTPConnection("127.0.0.1", up.port, timeout=60)
    try:
        connection.request("GET", "/accounts/login/", headers={"Host": f"{slug}.enclave.localhost"})
        return connection.getresponse().status
    except OSError:
        return 0
    finally:
        connection.close()


def provision(up: Up, slug: str, *words: str) -> str:
    """Make an organisation and return what the command said."""
    made = up.manage("provision", slug, "--name", slug, "--owner", f"o@{slug}.example", *words)
    return made.stdout + made.stderr


def postmaster(up: Up, folder: str) -> psutil.Process:
    """Return the postmaster of a server."""
    record = up.data / folder / "cluster" / "data" / "postmaster.pid"
    return psutil.Process(int(record.read_text().splitlines()[0]))


class TestTwoServers:
    def test_from_one_to_two_and_back_from_crashes(self, folders: tuple[Path, Path]) -> None:
        up = Up(folders[0])
        up.start()
        assert "lives on shard_" in provision(up, "before")
        assert up.signal(signal.SIGINT) == 0

        up.start("--servers", "2")
        assert status(up, "before") == 200
        assert "lives on shard_3" in provision(up, "after", "--shard", "shard_3")
        assert status(up, "after") == 200
        assert up.signal(signal.SIGTERM) == 0
        assert up.processes() == []

        up.start()
        assert [status(up, slug) for slug in ("before", "after")] == [200, 200]
        for folder in ("postgres-2", "postgres"):
            gone = postmaster(up, folder).pid
            os.kill(gone, signal.SIGKILL)
            assert wait_until(partial(is_another, up, folder, gone), 60)
            assert wait_until(lambda: [status(up, one) for one in ("before", "after")] == [200, 200], 60)
        assert "The database 2 server ended by itself" in up.said()
        assert up.signal(signal.SIGINT) == 0
        assert up.processes() == []

    def test_fewer_than_there_are_is_refused(self, folders: tuple[Path, Path]) -> None:
        up = Up(folders[0])
        up.start("--servers", "2")
        assert up.signal(signal.SIGTERM) == 0
        words = [str(ROOT / "bin" / "up"), "--data", str(up.data), "--servers", "1", "--port", str(up.port)]
        clean = {"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/")}
        refused = subprocess.run(words, env=clean, capture_output=True, text=True, check=False)
        assert refused.returncode == 1
        assert "has 2 database servers with data on them" in refused.stderr


def is_another(up: Up, folder: str, gone: int) -> bool:
    """Return whether a server runs again, as another process."""
    try:
        return bool(postmaster(up, folder).pid != gone)
    except (OSError, ValueError, IndexError, psutil.Error):
        return False
