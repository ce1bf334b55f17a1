"""Two organisations and two releases: the one has been migrated to the later release, the other not."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import pytest

from config.embedded.ports import free_port
from config.embedded.postgres import PostgresServer
from tenants.bootstrap import environment, without_owner
from tests import servers

BEHIND, AHEAD = "org-0", "org-1"


@dataclass(frozen=True, slots=True)
class Pair:
    """An installation with an organisation whose schema is of the earlier, and one of the later release."""

    server: PostgresServer
    variables: dict[str, str]

    def run(self, code: str, *words: str, owner: bool = False) -> "subprocess.CompletedProcess[str]":
        """Run a Python program with the code of a release."""
        variables = self.variables if owner else without_owner(self.variables)
        return subprocess.run(
            [sys.executable, *words],
            cwd=servers.ROOT,
            env={**variables, "RELEASES_CODE": code, "ENCLAVE_LOGIN": "owner" if owner else "app"},
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )

    def act(self, code: str, *scenarios: tuple[str, ...]) -> list[Any]:
        """Run scenarios of tests.releases.acting with the code of a release and return what each said."""
        done = self.run(code, "-m", "tests.releases.acting", json.dumps(scenarios))
        assert done.returncode == 0, done.stdout + done.stderr
        found: list[Any] = json.loads(done.stdout.splitlines()[-1])
        return found

    def migrate(self, code: str, *words: str) -> "subprocess.CompletedProcess[str]":
        """Run migrate_fleet of a release."""
        return self.run(code, "manage.py", "migrate_fleet", *words, owner=True)


@pytest.fixture(scope="module")
def pair() -> Iterator[Pair]:
    """The installation, for all tests of a module."""
    folder = servers.FOLDER / f"releases-{uuid4().hex[:8]}"
    server = PostgresServer(servers.prepared_folder(folder), free_port(), durable=False)
    server.start()
    try:
        addresses = environment(
            host="127.0.0.1", port=server.port, logins=servers.LOGINS, shards=servers.SHARDS
        )
        variables = {**os.environ, **addresses, "DJANGO_SETTINGS_MODULE": "tests.releases.settings"}
        made = Pair(server, variables)
        done = made.run("old", "-m", "tests.fleet.making", "2", owner=False)
        assert done.returncode == 0, done.stderr
        done = made.migrate("new", "--only", AHEAD)
        assert done.returncode == 0, done.stdout + done.stderr
        yield made
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)
