"""The embedded PostgreSQL: side by side, after a kill, and closed to everybody else."""

import os
import signal
import stat
import subprocess
from pathlib import Path

import psycopg
import pytest

from config.embedded.cluster import archive_command
from config.embedded.ports import free_port
from config.embedded.postgres import PostgresServer
from config.embedded.processes import wait_until


def ask(server: PostgresServer, query: str) -> object:
    """The first value of the first row."""
    with psycopg.connect(server.superuser_url(), autocommit=True) as connection:
        row = connection.execute(query.encode()).fetchone()
    return None if row is None else row[0]


def tell(server: PostgresServer, statement: str) -> None:
    """Run a statement that answers nothing."""
    with psycopg.connect(server.superuser_url(), autocommit=True) as connection:
        connection.execute(statement.encode())


class TestStarting:
    def test_two_servers_run_at_once_and_share_nothing(self, folder: Path, postgres: PostgresServer) -> None:
        one = postgres
        two = PostgresServer(folder / "two", free_port(), durable=False)

        with one.running(), two.running():
            tell(one, "CREATE TABLE only_in_one (id int)")

            assert ask(one, "SELECT to_regclass('only_in_one')::text") == "only_in_one"
            assert ask(two, "SELECT to_regclass('only_in_one')::text") is None

    def test_it_is_the_version_and_the_locale_we_build_on(self, running_postgres: PostgresServer) -> None:
        assert str(ask(running_postgres, "SHOW server_version")).startswith("18.")
        assert (
            ask(running_postgres, "SELECT datlocale FROM pg_database WHERE datname = 'template1'")
            == "C.UTF-8"
        )
        assert ask(running_postgres, "SHOW wal_level") == "logical"

    def test_what_was_written_is_there_after_a_second_start(self, postgres: PostgresServer) -> None:
        postgres.start()
        tell(postgres, "CREATE TABLE kept AS SELECT 7 AS value")
        postgres.stop()

        postgres.start()

        assert ask(postgres, "SELECT value FROM kept") == 7

    def test_stopping_leaves_no_process_and_no_open_port(self, postgres: PostgresServer) -> None:
        postgres.start()
        pid = postgres.pid

        postgres.stop()

        assert not Path(f"/proc/{pid}").exists()
        with pytest.raises(psycopg.OperationalError):
            ask(postgres, "SELECT 1")


class TestAfterAKill:
    def test_a_killed_server_starts_again_with_its_data(self, postgres: PostgresServer) -> None:
        server = PostgresServer(postgres.folder, postgres.port)
        server.start()
        tell(server, "CREATE TABLE kept AS SELECT 7 AS value")
        os.kill(server.pid, signal.SIGKILL)
        assert wait_until(lambda: not server.is_running(), 5)
        server.stop()

        with server.running():
            assert ask(server, "SELECT value FROM kept") == 7

    def test_a_server_left_by_a_killed_start_is_ended_first(self, postgres: PostgresServer) -> None:
        postgres.start()
        before = postgres.pid
        # What a killed starter leaves: a running server, and a lock that the system has dropped.
        assert postgres._lock is not None
        postgres._lock.release()

        again = PostgresServer(postgres.folder, postgres.port, durable=False)
        with again.running():
            assert again.pid != before
            assert ask(again, "SELECT 1") == 1

    def test_a_pid_file_that_names_a_stranger_is_no_hindrance(self, postgres: PostgresServer) -> None:
        data = postgres.folder / "cluster" / "data"
        owner = data.stat()
        # Of the same user: PostgreSQL itself sees that another user's process cannot be a server of its own.
        stranger = subprocess.Popen(["sleep", "60"], user=owner.st_uid, group=owner.st_gid)
        (data / "postmaster.pid").write_text(f"{stranger.pid}\n{data}\n0\n1\n\n\n\nready\n")

        postgres.start()

        assert ask(postgres, "SELECT 1") == 1
        assert stranger.poll() is None
        stranger.kill()
        stranger.wait()

    def test_an_interrupted_initialisation_is_begun_anew(self, empty_postgres: PostgresServer) -> None:
        half = empty_postgres.folder / "cluster" / "data.part"
        half.mkdir(parents=True)
        (half / "PG_VERSION").write_text("18\n")

        empty_postgres.start()

        assert ask(empty_postgres, "SELECT 1") == 1


class TestClosedToOthers:
    def test_secrets_and_data_are_for_their_owner_only(self, running_postgres: PostgresServer) -> None:
        assert stat.S_IMODE((running_postgres.folder / "superuser.password").stat().st_mode) == 0o600
        assert stat.S_IMODE((running_postgres.folder / "cluster" / "data").stat().st_mode) == 0o700
        assert not list((running_postgres.folder / "cluster").glob(".password*"))

    def test_neither_port_nor_socket_opens_without_password(self, running_postgres: PostgresServer) -> None:
        socket_folder = ask(running_postgres, "SHOW unix_socket_directories")

        for host in ("127.0.0.1", str(socket_folder).strip('"')):
            with pytest.raises(psycopg.OperationalError, match="password"):
                psycopg.connect(host=host, port=running_postgres.port, user="postgres", password="guess")

    def test_it_listens_on_this_machine_only(self, running_postgres: PostgresServer) -> None:
        assert ask(running_postgres, "SHOW listen_addresses") == "127.0.0.1"


class TestArchivedLog:
    def test_a_finished_segment_is_kept(self, postgres: PostgresServer) -> None:
        server = PostgresServer(postgres.folder, postgres.port)
        with server.running():
            tell(server, "CREATE TABLE something (id int)")
            name = ask(server, "SELECT pg_walfile_name(pg_switch_wal())")
            kept = server.folder / "cluster" / "wal" / str(name)

            assert wait_until(kept.exists, 5)

    def test_a_kept_segment_is_never_replaced_by_a_different_one(self, folder: Path) -> None:
        kept = folder / "it's a 100% folder"
        kept.mkdir()
        segment = folder / "segment"
        command = archive_command(kept).replace("%p", str(segment)).replace("%f", "0001").replace("%%", "%")

        def archive(content: str) -> int:
            segment.write_text(content)
            return subprocess.run(["sh", "-c", command], check=False).returncode

        assert archive("first") == 0
        assert archive("first") == 0
        assert archive("other") != 0
        assert (kept / "0001").read_text() == "first"
