"""An installation of its own whose server archives its log: restoring needs copies of a whole server."""

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self
from uuid import uuid4

import psycopg
import pytest

from config.embedded.cluster import archive_command
from config.embedded.place import find_place
from config.embedded.ports import free_port
from config.embedded.postgres import PostgresServer
from operations.restoring import bundle
from tenants.bootstrap import environment
from tests import servers

ONE, TWO = "one@operators.example", "two@operators.example"


@dataclass(frozen=True, slots=True)
class Installation:
    """A server with organisations: `schemas` has slug -> (alias, schema)."""

    server: PostgresServer
    variables: dict[str, str]
    schemas: dict[str, tuple[str, str]]

    def start(self, *words: str, typed: str = "", **more: str) -> subprocess.Popen[str]:
        """Start a command of manage.py as the owner, to which an address is typed."""
        process = subprocess.Popen(
            [sys.executable, str(servers.ROOT / "manage.py"), *words],
            cwd=servers.ROOT,
            env={**self.variables, "ENCLAVE_LOGIN": "owner", **more},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        assert process.stdin is not None
        process.stdin.write(f"{typed}\n")
        process.stdin.flush()
        return process

    def manage(self, *words: str, typed: str = "", fails: bool = False) -> str:
        """Run a command to its end and return what it said."""
        process = self.start(*words, typed=typed)
        said, _ = process.communicate(timeout=300)
        assert bool(process.returncode) is fails, said
        return said

    def told(self, module: str, *words: str, login: str) -> "Told":
        """Start one of this folder's modules, which answers each line with a line."""
        return Told(
            subprocess.Popen(
                [sys.executable, "-m", f"tests.restoring.{module}", *words],
                cwd=servers.ROOT,
                env={**self.variables, "ENCLAVE_LOGIN": login},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
        )

    def ask(self, slug: str, query: str) -> list[tuple[object, ...]]:
        """Run a query as the superuser, with the path of an organisation."""
        alias, schema = self.schemas[slug]
        with psycopg.connect(self.server.superuser_url(alias), autocommit=True) as connection:
            connection.execute(f"SET search_path = {schema}".encode())
            connection.execute('SET app.actor = \'{"kind": "system"}\'')
            cursor = connection.execute(query.encode())
            return cursor.fetchall() if cursor.description else []

    def control(self, query: str) -> list[tuple[object, ...]]:
        """Run a query on the control plane as the superuser."""
        with psycopg.connect(self.server.superuser_url("control"), autocommit=True) as connection:
            cursor = connection.execute(query.encode())
            return cursor.fetchall() if cursor.description else []

    def digests(self, slug: str) -> dict[str, object]:
        """Return the digest of every table of an organisation."""
        alias, schema = self.schemas[slug]
        with bundle.pinned(self.server.superuser_url(alias)) as connection:
            return {name: about["digest"] for name, about in bundle.digests(connection, schema).items()}

    def restore(self, *words: str) -> str:
        """Ask for a restore as one operator and approve it as another."""
        self.manage("restore", *words, "--reason", "a lost table", "--by", ONE)
        return self.manage("restore", words[0], "--approve", "--by", TWO, typed=words[0])


@dataclass(frozen=True, slots=True)
class Told:
    """A process that answers each line with one JSON value."""

    process: subprocess.Popen[str]

    def hear(self) -> Any:
        """Return what it says next."""
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, "it has ended"
        return json.loads(line)

    def tell(self, *lines: object) -> Any:
        """Tell it, and return what it answers."""
        assert self.process.stdin is not None
        self.process.stdin.write("".join(f"{line}\n" for line in lines))
        self.process.stdin.flush()
        return self.hear()

    def command(self, *words: str, typed: str = "") -> str:
        """Have a command run, and return what it said."""
        answer = self.tell(json.dumps(words), *([typed] if typed else []))
        assert not answer["failed"], answer
        return str(answer["said"])

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.communicate(timeout=60)


def now() -> datetime:
    """Return a moment after everything so far and before everything to come."""
    time.sleep(0.05)
    moment = datetime.now(UTC)
    time.sleep(0.05)
    return moment


@contextmanager
def installed(count: int) -> Iterator[Installation]:
    """Run an installation with so many organisations."""
    folder = servers.FOLDER / f"restoring-{uuid4().hex[:8]}"
    servers.prepared_folder(folder)
    place = find_place(folder)
    wal = place.cluster / "wal"
    wal.mkdir(mode=0o700, exist_ok=True)
    place.give(wal)
    archiving = {"archive_mode": "on", "archive_command": archive_command(wal)}
    server = PostgresServer(folder, free_port(), durable=False, extra=archiving)
    server.start()
    try:
        addresses = environment(
            host="127.0.0.1", port=server.port, logins=servers.LOGINS, shards=servers.SHARDS
        )
        variables = {
            **os.environ,
            **addresses,
            "DJANGO_SETTINGS_MODULE": "config.settings.test",
            "ENCLAVE_BACKUPS": str(folder / "backups"),
            "SHARD_1_WAL_ARCHIVE": str(wal),
            "SHARD_2_WAL_ARCHIVE": str(wal),
        }
        rows = _made(count, variables) if count else []
        yield Installation(server, variables, {slug: (alias, schema) for slug, alias, schema in rows})
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


def _made(count: int, variables: dict[str, str]) -> list[list[str]]:
    made = subprocess.run(
        [sys.executable, "-m", "tests.restoring.making", str(count)],
        cwd=servers.ROOT,
        env=variables,
        capture_output=True,
        text=True,
    )
    assert made.returncode == 0, made.stderr
    return [line.split() for line in made.stdout.splitlines()]


@pytest.fixture
def installation() -> Iterator[Installation]:
    """Four organisations on two shards of one server."""
    with installed(4) as made:
        yield made


@pytest.fixture
def backed_up(installation: Installation) -> Installation:
    """The same, with a base back-up."""
    installation.manage("backup")
    return installation


def folder_of(installation: Installation) -> Path:
    """Return the folder of the installation's back-ups."""
    return Path(installation.variables["ENCLAVE_BACKUPS"])
