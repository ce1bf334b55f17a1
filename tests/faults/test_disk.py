"""A disk is full, of the data, the log or temporary files: what needs room is refused, reads go on.

Nothing is repaired by hand afterwards, and operators see it in the console. The trail has no disk of its
own: it lies in the database beside what it tells of, so its disk is that of the data. Uploads are in
test_uploads.py.
"""

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest
from django.utils import timezone

from accounts.identity.models import User
from config.embedded.errors import CannotStart
from config.embedded.ports import free_port
from operations.actions.placing import NoRoom
from operations.actions.provisioning import Wish, provision
from records.actions import records
from tenants.context import enter
from tests.browser import site
from tests.faults.console import DOWN, FULL, told
from tests.faults.disks import filled, small_disk
from tests.faults.ledger import ACTOR, Ledger, get, open_ledger
from tests.faults.second import SecondServer, only_meanwhile, second_server
from tests.workers import lasting, wait_for

pytestmark = pytest.mark.nightly
_MUCH = (
    "CREATE TABLE public.{} AS SELECT "
    "(SELECT string_agg(md5(i::text || j), '') FROM generate_series(1, 60) j) "
    "FROM generate_series(1, 150000) i"
)


@dataclass(frozen=True, slots=True)
class Disks:
    """The small disks of the second server."""

    data: Path
    wal: Path
    temporary: Path


@pytest.fixture(scope="module")
def disks() -> Iterator[Disks]:
    """The disks, empty."""
    with small_disk(700) as data, small_disk(160) as wal, small_disk(20) as temporary:
        yield Disks(data, wal, temporary)


@pytest.fixture(scope="module")
def second(running_servers: None, disks: Disks) -> Iterator[SecondServer]:
    """A second server on small disks."""
    with second_server(durable=True, below=disks.data) as server:
        _move_wal(server, disks.wal)
        _move_temporary_files(server, disks.temporary)
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


def _move_temporary_files(server: SecondServer, disk: Path) -> None:
    """Put what is sorted onto a disk of its own, and let little be sorted in memory."""
    place = disk / "space"
    place.mkdir(mode=0o700)
    owner = ((server.postgres.folder / "cluster").resolve() / "data").stat()
    os.chown(place, owner.st_uid, owner.st_gid)
    with psycopg.connect(server.postgres.superuser_url(), autocommit=True) as superuser:
        superuser.execute(f"CREATE TABLESPACE temporary LOCATION '{place}'".encode())
        superuser.execute("GRANT CREATE ON TABLESPACE temporary TO PUBLIC")
        superuser.execute("ALTER ROLE enclave_app SET temp_tablespaces = 'temporary'")
        superuser.execute("ALTER ROLE enclave_app SET work_mem = '64kB'")


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
        self, second: SecondServer, disks: Disks, ledger: Ledger, neighbour: Ledger, port: int
    ) -> None:
        assert ledger.write(port) == 302
        assert told() == set()
        with filled(disks.data):
            with psycopg.connect(second.postgres.superuser_url("shard_2"), autocommit=True) as superuser:
                with pytest.raises(psycopg.errors.DiskFull):
                    superuser.execute(_MUCH.format("more"))
            # Pages with room in them still take rows, which are kept; those after them are refused.
            wait_for(lambda: ledger.write(port) == 503, seconds=300, every=0)
            assert ledger.read(port) == 200
            assert neighbour.write(port) == 302
            assert told() == {FULL}
            with pytest.raises(NoRoom):
                provision(Wish("no-room", "No room", "o@no-room.example", "O", shard="shard_2"))
        assert told() == set()
        wait_for(lambda: ledger.write(port) == 302, seconds=60)
        assert ledger.said.keys() <= {302, 503}, ledger.said
        assert ledger.faults() == []


class TestLog:
    def test_that_is_full_ends_the_server_which_comes_back_by_itself(
        self, second: SecondServer, disks: Disks, ledger: Ledger, neighbour: Ledger, port: int
    ) -> None:
        assert ledger.write(port) == 302
        with filled(disks.wal):
            with suppress(psycopg.OperationalError):
                url = second.postgres.superuser_url("shard_2")
                with psycopg.connect(url, autocommit=True) as superuser:
                    superuser.execute(_MUCH.format("logged"))
            wait_for(lambda: ledger.write(port) in (0, 503), seconds=120, every=0)
            assert neighbour.write(port) == 302
            wait_for(lambda: told() == {DOWN}, seconds=60)
        # What bin/up does all the time: start a server that ended by itself.
        until = time.monotonic() + 120
        while not second.postgres.is_running() and time.monotonic() < until:
            with suppress(CannotStart):
                second.postgres.stop()
                second.postgres.start()
        wait_for(lambda: ledger.write(port) == 302, seconds=60)
        assert told() == set()
        assert ledger.said[500] == 0, ledger.said
        assert ledger.faults() == []


class TestTemporaryFiles:
    def test_refuse_what_is_sorted_and_nothing_else(
        self, second: SecondServer, disks: Disks, ledger: Ledger, port: int
    ) -> None:
        wide = open_ledger(lasting(shard="shard_2"))
        with enter(wide.organisation, actor=ACTOR):
            owner = User.objects.get()
            for number in range(100):
                long = f"{number * 7919 % 100:03}" + "語" * 990
                records.create(
                    collection=wide.collection, values={"f_name": long}, by=owner, at=timezone.now()
                )
        listed = f"/c/{wide.collection.key}/"

        def look(path: str) -> int:
            return get(port, wide.host, wide.cookie, path)

        assert look(f"{listed}?sort=f_name") == 200
        with filled(disks.temporary):
            # In the middle of a transaction, after which nothing more can be asked in it.
            assert look(f"{listed}?sort=f_name") == 503
            assert look(listed) == 200
            assert (ledger.write(port), ledger.read(port)) == (302, 200)
            assert told() == {FULL}
        assert look(f"{listed}?sort=f_name") == 200
        assert told() == set()
        assert ledger.faults() == []
