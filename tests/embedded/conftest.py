"""These tests start servers of their own; the ones that all other tests share stay off."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from config.embedded.ports import free_port
from config.embedded.postgres import PostgresServer
from config.embedded.redis import RedisServer


@pytest.fixture(scope="session", autouse=True)
def running_servers() -> None:
    """Start nothing."""


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that the database's own user can reach, which pytest's `tmp_path` is not."""
    made = Path(tempfile.mkdtemp(prefix="enclave-embedded-"))
    made.chmod(0o711)
    yield made
    shutil.rmtree(made, ignore_errors=True)


@pytest.fixture(scope="session")
def initialised() -> Iterator[Path]:
    """The folder of a server that ran once and stopped; copying it is quicker than making another."""
    made = Path(tempfile.mkdtemp(prefix="enclave-embedded-"))
    made.chmod(0o711)
    server = PostgresServer(made / "postgres", free_port(), durable=False)
    with server.running():
        pass
    yield server.folder
    server.discard()
    shutil.rmtree(made)


@pytest.fixture
def postgres(folder: Path, initialised: Path) -> Iterator[PostgresServer]:
    """A server that ran before and is stopped."""
    subprocess.run(["cp", "-a", initialised, folder / "postgres"], check=True)
    server = PostgresServer(folder / "postgres", free_port(), durable=False)
    yield server
    server.discard()


@pytest.fixture(scope="session")
def running_postgres(initialised: Path) -> Iterator[PostgresServer]:
    """One running server for the tests that only look."""
    copy = initialised.parent / "running"
    subprocess.run(["cp", "-a", initialised, copy], check=True)
    server = PostgresServer(copy, free_port(), durable=False)
    with server.running():
        yield server
    server.discard()


@pytest.fixture
def empty_postgres(folder: Path) -> Iterator[PostgresServer]:
    """A server whose folder does not exist yet."""
    server = PostgresServer(folder / "postgres", free_port(), durable=False)
    yield server
    server.discard()


@pytest.fixture
def redis(folder: Path) -> Iterator[RedisServer]:
    """A server that was not started yet."""
    server = RedisServer(folder / "redis", free_port(), "a-password-of-tests")
    yield server
    server.discard()


@pytest.fixture
def as_root() -> None:
    """Skip for an ordinary user."""
    if os.geteuid() != 0:
        pytest.skip("only root can run as somebody else")
