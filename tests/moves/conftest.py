"""An installation of the moves' own: shards on one server or on two, and a writer with a ledger."""

import json
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import pytest

from config.embedded.ports import free_port
from config.embedded.postgres import PostgresServer
from tenants import bootstrap
from tests import servers

SLUG = "harbour"
TABLE = "gear_speaker"


@dataclass(slots=True)
class Yard:
    """Servers with one organisation: `hosts` has the server of each database."""

    hosts: dict[str, PostgresServer]
    variables: dict[str, str]
    schema: str = ""
    folders: list[Path] = field(default_factory=list)

    def move(self, *words: str, to: str = "shard_2") -> "subprocess.Popen[str]":
        """Start `manage.py move` as the owner."""
        return self.command("move", SLUG, *(words or ("--to", to)))

    def command(self, *words: str) -> "subprocess.Popen[str]":
        """Start a command of manage.py as the owner."""
        return subprocess.Popen(
            [sys.executable, str(servers.ROOT / "manage.py"), *words],
            cwd=servers.ROOT,
            env={**self.variables, "ENCLAVE_LOGIN": "owner"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def python(self, module: str, *words: str, login: str = "app") -> "subprocess.Popen[str]":
        """Start a module in a process of its own, which is spoken to line by line."""
        return subprocess.Popen(
            [sys.executable, "-m", module, *words],
            cwd=servers.ROOT,
            env={**self.variables, "ENCLAVE_LOGIN": login},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def die(self, step: str, when: str, *, kill: int = 0, to: str = "shard_2") -> "subprocess.Popen[str]":
        """Start a move that kills itself, or the process `kill`, just `when` ("before", "after") a step."""
        return subprocess.Popen(
            [sys.executable, "-m", "tests.moves.dying", SLUG, to, step, when, str(kill)],
            cwd=servers.ROOT,
            env={**self.variables, "ENCLAVE_LOGIN": "owner"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def moved(self, *words: str, to: str = "shard_2", fails: bool = False) -> str:
        """Run `manage.py move` to its end and return what it said."""
        process = self.move(*words, to=to)
        said, _ = process.communicate(timeout=180)
        assert bool(process.returncode) is fails, said
        return said

    def ask(self, alias: str, query: str, *values: object) -> list[tuple[Any, ...]]:
        """Run a query as the superuser, with the path of the organisation on a shard."""
        with psycopg.connect(self.hosts[alias].superuser_url(alias), autocommit=True) as connection:
            if alias != "control":
                connection.execute(f"SET search_path = {self.schema}".encode())
            cursor = connection.execute(query.encode(), values or None)
            return cursor.fetchall() if cursor.description else []

    def place(self) -> tuple[str, int]:
        """Return the shard and the epoch that the control plane says."""
        (row,) = self.ask("control", "SELECT shard_id, epoch FROM tenants_organisation WHERE slug = %s", SLUG)
        return str(row[0]), int(row[1])

    def step(self) -> str:
        """Return the step of the newest move."""
        rows = self.ask("control", "SELECT step FROM operations_move ORDER BY asked_at DESC LIMIT 1")
        return str(rows[0][0]) if rows else ""

    def figures(self) -> dict[str, Any]:
        """Return what the newest move counted."""
        rows = self.ask("control", "SELECT figures FROM operations_move ORDER BY asked_at DESC LIMIT 1")
        return dict(rows[0][0])

    def states(self, alias: str) -> list[tuple[Any, ...]]:
        """Return epoch and state of the organisation's schema on a shard."""
        return self.ask(alias, "SELECT epoch, state FROM enclave.placed WHERE schema_name = %s", self.schema)

    def leftovers(self) -> list[tuple[Any, ...]]:
        """Return what a move must not leave anywhere: slots, publications, subscriptions, rights."""
        found = []
        for alias in ("shard_1", "shard_2"):
            found += self.ask(alias, "SELECT 'slot', slot_name FROM pg_replication_slots")
            found += self.ask(alias, "SELECT 'publication', pubname FROM pg_publication")
            found += self.ask(alias, "SELECT 'subscription', subname FROM pg_subscription")
            found += self.ask(
                alias,
                "SELECT 'membership', roleid::regrole::text FROM pg_auth_members "
                "WHERE member = 'enclave_mover'::regrole AND roleid <> 'pg_create_subscription'::regrole",
            )
            found += self.ask(
                alias, "SELECT 'right', relname FROM pg_class WHERE relacl::text LIKE '%%enclave_mover%%'"
            )
        return found


@contextmanager
def yard(*, two: bool, durable: bool = False) -> Iterator[Yard]:
    """Start the servers and make one organisation on the first shard."""
    with ExitStack() as stack:
        first = stack.enter_context(_server(durable))
        hosts = {"control": first, "shard_1": first, "shard_2": first}
        variables = _variables(first)
        if two:
            second = hosts["shard_2"] = stack.enter_context(_server(durable))
            variables |= {name: url for name, url in _variables(second).items() if "SHARD_2" in name}
        made = Yard(hosts, {**os.environ, **variables, "DJANGO_SETTINGS_MODULE": "config.settings.test"})
        making = subprocess.run(
            [sys.executable, "-m", "tests.moves.making", SLUG],
            cwd=servers.ROOT,
            env=made.variables,
            capture_output=True,
            text=True,
        )
        assert making.returncode == 0, making.stderr
        made.schema = making.stdout.split()[-1]
        yield made


@contextmanager
def _server(durable: bool) -> Iterator[PostgresServer]:
    folder = servers.FOLDER / f"moves-{uuid4().hex[:8]}"
    server = PostgresServer(
        servers.prepared_folder(folder),
        free_port(),
        durable=False,
        extra={"synchronous_commit": "on" if durable else "off"},
    )
    server.start()
    try:
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


def _variables(server: PostgresServer) -> dict[str, str]:
    return bootstrap.environment(
        host="127.0.0.1", port=server.port, logins=servers.LOGINS, shards=servers.SHARDS
    )


class Writer:
    """A process that writes in every way, and the ledger of what was acknowledged."""

    def __init__(self, place: Yard, rate: int) -> None:
        self.lines: list[dict[str, Any]] = []
        self._began = threading.Event()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.moves.writing", SLUG, str(rate)],
            cwd=servers.ROOT,
            env=place.variables,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._reader = threading.Thread(target=self._read)
        self._reader.start()
        assert self._began.wait(30)

    def _read(self) -> None:
        assert self.process.stdout is not None
        with self.process.stdout as lines:
            for line in lines:
                self.lines.append(json.loads(line))
                self._began.set()

    def stop(self) -> None:
        """Let it end, and wait for the whole ledger."""
        if self.process.stdin is not None and not self.process.stdin.closed:
            self.process.stdin.close()
        self._reader.join(60)
        self.process.wait(timeout=60)

    @property
    def failures(self) -> list[str]:
        """What went wrong for those who wrote."""
        return [line["failed"] for line in self.lines if "failed" in line]

    def wanted(self) -> tuple[dict[str, int], set[str]]:
        """Return what must be there, by serial, and what must not."""
        there: dict[str, int] = {}
        gone: set[str] = set()
        for line in sorted(self.lines, key=lambda one: one.get("at", 0)):
            for serial, watts in line.get("set", {}).items():
                there[serial] = watts
            for serial in line.get("unsure", []):
                there.pop(serial, None)
            for serial in line.get("gone", []):
                there.pop(serial, None)
                gone.add(serial)
        return there, gone


@contextmanager
def writing(place: Yard, *, rate: int = 50) -> Iterator[Writer]:
    """Write `rate` times a second, in every way, for the block."""
    writer = Writer(place, rate)
    try:
        yield writer
    finally:
        writer.stop()


def until(condition: Callable[[], bool], *, seconds: float = 60) -> None:
    """Wait for something to become true."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


def verify_ledger(place: Yard, writer: Writer) -> None:
    """Hold what lies on the organisation's shard against the ledger: nothing lost, doubled or back again."""
    there, gone = writer.wanted()
    assert len(there) > 20
    alias, _ = place.place()
    rows = place.ask(alias, f"SELECT serial, watts FROM {TABLE}")
    assert len({serial for serial, _ in rows}) == len(rows)
    found = dict(rows)
    assert {serial: found.get(serial) for serial in there} == there
    assert not gone & found.keys()


@pytest.fixture
def one_server() -> Iterator[Yard]:
    """Both shards on one server."""
    with yard(two=False) as made:
        yield made


@pytest.fixture
def two_servers() -> Iterator[Yard]:
    """Each shard on a server of its own."""
    with yard(two=True, durable=True) as made:
        yield made
