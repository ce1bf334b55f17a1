"""The database runs whoever starts it: root, for whom PostgreSQL itself refuses, and anybody else."""

import os
import pwd
import shutil
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from config.embedded.place import ELSEWHERE
from config.embedded.ports import free_port
from config.embedded.postgres import PostgresServer


def owner_of(server: PostgresServer) -> int:
    """The user id that the server's process runs as."""
    return Path(f"/proc/{server.pid}").stat().st_uid


@pytest.mark.usefixtures("as_root")
class TestStartedByRoot:
    def test_it_runs_as_somebody_else(self, postgres: PostgresServer) -> None:
        postgres.start()

        assert owner_of(postgres) != 0

    def test_a_cluster_below_a_closed_folder_lies_elsewhere(self, folder: Path) -> None:
        home = folder / "home"
        (home / "enclave").mkdir(parents=True)
        home.chmod(0o700)
        server = PostgresServer(home / "enclave" / "var" / "postgres", free_port(), durable=False)

        with server.running():
            target = (server.folder / "cluster").resolve()
            psycopg.connect(server.superuser_url()).close()
        assert target.is_relative_to(ELSEWHERE)
        assert home.stat().st_mode & 0o777 == 0o700

        server.discard()
        assert not target.exists()

    def test_a_cluster_of_an_ordinary_user_stays_theirs(self, folder: Path) -> None:
        server = PostgresServer(folder / "postgres", free_port(), durable=False)
        nobody = pwd.getpwnam("nobody")
        (server.folder / "cluster").mkdir(parents=True)
        os.chown(server.folder / "cluster", nobody.pw_uid, nobody.pw_gid)

        with server.running():
            assert owner_of(server) == nobody.pw_uid
        server.discard()


@pytest.mark.usefixtures("as_root")
class TestStartedByAnOrdinaryUser:
    def test_it_runs_as_that_user(self, folder: Path) -> None:
        shutil.chown(folder, "nobody")
        server = PostgresServer(folder / "postgres", free_port(), durable=False)

        assert in_a_child_as("nobody", lambda: start_and_ask(server)) == 0

        assert (server.folder / "cluster" / "data").stat().st_uid == pwd.getpwnam("nobody").pw_uid
        server.discard()


def start_and_ask(server: PostgresServer) -> bool:
    """Whether the server runs as the present user and answers."""
    with server.running(), psycopg.connect(server.superuser_url()) as connection:
        return owner_of(server) == os.geteuid() and connection.execute("SELECT 1").fetchone() == (1,)


def in_a_child_as(name: str, work: Callable[[], bool]) -> int:
    """Run `work` as another user; 0 if it was true. A fork, as our Python may lie where they cannot reach."""
    child = os.fork()
    if child == 0:
        code = 2
        try:
            entry = pwd.getpwnam(name)
            os.setgroups([])
            os.setgid(entry.pw_gid)
            os.setuid(entry.pw_uid)
            code = 0 if work() else 1
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
