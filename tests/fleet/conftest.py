"""An installation of the fleet's own: its tests change the template, which everybody else makes copies of."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from uuid import uuid4

import psycopg
import pytest

from config.embedded.ports import free_port
from config.embedded.postgres import PostgresServer
from tenants.bootstrap import environment
from tests import servers


@dataclass(frozen=True, slots=True)
class Fleet:
    """A server with organisations: `schemas` has slug -> (alias, schema)."""

    server: PostgresServer
    variables: dict[str, str]
    schemas: dict[str, tuple[str, str]]

    def command(self, *words: str, later: str = "") -> subprocess.Popen[str]:
        """Start a command of manage.py as the owner, of the release that `later` names."""
        return subprocess.Popen(
            [sys.executable, str(servers.ROOT / "manage.py"), *words],
            cwd=servers.ROOT,
            env={**self.variables, "ENCLAVE_LOGIN": "owner", "FLEET_LATER": later},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def serve(self) -> subprocess.Popen[str]:
        """Start serving as the release before; a line on its standard input ends it."""
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.fleet.serving"],
            cwd=servers.ROOT,
            env={**self.variables, "ENCLAVE_LOGIN": "app"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert process.stdout is not None
        assert process.stdout.readline() == "serving\n"
        return process

    def migrate(self, later: str, *words: str, fails: bool = False) -> str:
        """Run migrate_fleet to its end and return what it said."""
        process = self.command("migrate_fleet", *words, later=later)
        said, _ = process.communicate(timeout=120)
        assert bool(process.returncode) is fails, said
        return said

    def ask(self, slug: str, query: str) -> list[tuple[object, ...]]:
        """Run a query as the superuser, with the path of an organisation."""
        alias, schema = self.schemas[slug]
        with psycopg.connect(self.server.superuser_url(alias), autocommit=True) as connection:
            connection.execute(f"SET search_path = {schema}".encode())
            connection.execute('SET app.actor = \'{"kind": "system"}\'')
            cursor = connection.execute(query.encode())
            return cursor.fetchall() if cursor.description else []

    def digests(self, slug: str) -> dict[object, object]:
        """Return what the catalogue says of each part of an organisation's schema."""
        _, schema = self.schemas[slug]
        return dict(self.ask(slug, f"SELECT * FROM enclave.digests_of('{schema}', NULL)"))  # type: ignore[arg-type]  # pairs

    def states(self) -> dict[str, tuple[str, str]]:
        """Return version and error of each organisation, as written down."""
        with psycopg.connect(self.server.superuser_url("control"), autocommit=True) as connection:
            rows = connection.execute(
                "SELECT slug, version, error FROM operations_fleetstate AS state "
                "JOIN tenants_organisation AS organisation ON organisation.id = state.organisation_id"
            )
            return {slug: (version, error) for slug, version, error in rows}


@pytest.fixture
def fleet() -> Iterator[Fleet]:
    """Six organisations on two shards."""
    with fleet_of(6) as made:
        yield made


@contextmanager
def fleet_of(count: int) -> Iterator[Fleet]:
    """So many organisations on two shards, on a server of their own."""
    folder = servers.FOLDER / f"fleet-{uuid4().hex[:8]}"
    server = PostgresServer(servers.prepared_folder(folder), free_port(), durable=False)
    server.start()
    try:
        addresses = environment(
            host="127.0.0.1", port=server.port, logins=servers.LOGINS, shards=servers.SHARDS
        )
        variables = {**os.environ, **addresses, "DJANGO_SETTINGS_MODULE": "tests.fleet.settings"}
        made = subprocess.run(
            [sys.executable, "-m", "tests.fleet.making", str(count)],
            cwd=servers.ROOT,
            env=variables,
            check=True,
            capture_output=True,
            text=True,
        )
        rows = [line.split() for line in made.stdout.splitlines()]
        yield Fleet(server, variables, {slug: (alias, schema) for slug, alias, schema in rows})
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)
