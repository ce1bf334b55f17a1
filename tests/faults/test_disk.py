"""A disk that is full, of the data or of the log: writes are refused, reads go on, and nothing is repaired.

The disks are small file systems in memory, which only root can mount.
"""

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psycopg
import pytest

from config.embedded.errors import CannotStart
from config.embedded.ports import free_port
from tests.browser import site
from tests.faults.ledger import Ledger, open_ledger
from tests.faults.second import SecondServer, only_meanwhile, second_server
from tests.workers import lasting, wait_for

pytestmark = [
    pytest.mark.nightly,
    pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount a disk that is small"),
]
_MUCH = (
    "CREATE TABLE public.{} AS SELECT "
    "(SELECT string_agg(md5(i::text || j), '') FROM generate_series(1, 60) j) "
    "FROM generate_series(1, 150000) i"
)


@contextmanager
def small_disk(megabytes: int) -> Iterator[Path]:
    """Mount a file system in memory of a certain size, for a block."""
    folder = Path(tempfile.mkdtemp(prefix="enclave-disk-"))
    words = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m,mode=0711", "tmpfs", str(folder)]
    subprocess.run(words, check=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)
        folder.rmdir()


@contextmanager
def filled(folder: Path) -> Iterator[None]:
    """Leave no byte free on a disk, for a block."""
    ballast = folder / "ballast"
    try:
        with suppress(OSError), ballast.open("wb", buffering=0) as file:
            while True:
                file.write(b"x" * 4096)
        assert shutil.disk_usage(folder).free == 0
        yield
    finally:
        ballast.unlink()


@pytest.fixture(scope="module")
def second(running_servers: None) -> Iterator[SecondServer]:
    """A second server on small disks."""
    with small_disk(700) as data, small_disk(160) as wal:
        with second_server(durable=True, below=data) as server:
            _move_wal(server, wal)
            with only_meanwhile():
                yield server


def _move_wal(server: SecondServer, disk: Path) -> None:
    """Put the write-ahead log onto a disk of its own, and keep it small."""
    server.stop()
    place = (server.postgres.folder / "cluster").resolve() / "data" / "pg_wal"
    target = disk / "pg_wal"
    subprocess.run(["cp", "-a", str(place), str(target)], check=True)
    shutil.rmtree(place)
    place.symlink_to(target)
    server.postgres.extra.update(max_wal_size="64MB", min_wal_size="32MB", archive_mode="off")
    server.start()


@pytest.fixture(scope="module")
def port(second: SecondServer) -> Iterator[int]:
    """A web server."""
    number = free_port()
    with site._web(number, {"DJANGO_SETTINGS_MODULE": site.SETTINGS, **second.variables}):
        yield number


@pytest.fixture
def ledger(second: SecondServer) -> Ledger:
    """A ledger on the second server."""
    return open_ledger(lasting(shard="shard_2"))


@pytest.fixture
def neighbour(second: SecondServer) -> Ledger:
    """A ledger on the first server."""
    return open_ledger(lasting(shard="shard_1"))


class TestData:
    def test_refuses_writes_and_goes_on_reading(
        self, second: SecondServer, ledger: Ledger, neighbour: Ledger, port: int
    ) -> None:
        disk = second.postgres.folder.parent.parent
        assert ledger.write(port) == 302
        with filled(disk):
            with psycopg.connect(second.postgres.superuser_url("shard_2"), autocommit=True) as superuser:
                with pytest.raises(psycopg.errors.DiskFull):
                    superuser.execute(_MUCH.format("more"))
            # Pages with room in them still take rows, which are kept; those after them are refused.
            wait_for(lambda: ledger.write(port) == 503, seconds=300, every=0)
            assert ledger.read(port) == 200
            assert neighbour.write(port) == 302
        wait_for(lambda: ledger.write(port) == 302, seconds=60)
        assert ledger.said.keys() <= {302, 503}, ledger.said
        assert ledger.faults() == []


class TestLog:
    def test_that_is_full_ends_the_server_which_comes_back_by_itself(
        self, second: SecondServer, ledger: Ledger, neighbour: Ledger, port: int
    ) -> None:
        disk = (second.postgres.folder / "cluster").resolve() / "data" / "pg_wal"
        assert ledger.write(port) == 302
        with filled(disk.resolve().parent):
            with suppress(psycopg.OperationalError):
                url = second.postgres.superuser_url("shard_2")
                with psycopg.connect(url, autocommit=True) as superuser:
                    superuser.execute(_MUCH.format("logged"))
            wait_for(lambda: ledger.write(port) in (0, 503), seconds=120, every=0)
            assert neighbour.write(port) == 302
        # What bin/up does all the time: start a server that ended by itself.
        until = time.monotonic() + 120
        while not second.postgres.is_running() and time.monotonic() < until:
            with suppress(CannotStart):
                second.postgres.stop()
                second.postgres.start()
        wait_for(lambda: ledger.write(port) == 302, seconds=60)
        assert ledger.said[500] == 0, ledger.said
        assert ledger.faults() == []
