"""Each way in which the database cannot start gives one sentence that says what to do."""

import errno
import os
import socket
from pathlib import Path

import pytest

from config.embedded.cluster import explain
from config.embedded.errors import CannotStart
from config.embedded.files import because_of, require_space
from config.embedded.place import installation
from config.embedded.postgres import PostgresServer
from config.embedded.redis import redis_program


def refusal_of(server: PostgresServer) -> str:
    """What the server says instead of starting; nothing of it may be left running."""
    with pytest.raises(CannotStart) as caught:
        server.start()
    assert not server.is_running()
    said = str(caught.value)
    assert "\n" not in said
    return said


class TestItSaysWhatToDo:
    def test_when_its_port_is_taken(self, postgres: PostgresServer) -> None:
        with socket.socket() as other:
            other.bind(("127.0.0.1", postgres.port))
            other.listen()

            assert f"Port {postgres.port}" in refusal_of(postgres)

    def test_when_another_process_runs_it(self, postgres: PostgresServer) -> None:
        postgres.start()
        second = PostgresServer(postgres.folder, postgres.port)

        assert f"in use by process {os.getpid()}" in refusal_of(second)
        assert postgres.is_running()

    def test_when_the_version_file_is_gone(self, postgres: PostgresServer) -> None:
        (postgres.folder / "cluster" / "data" / "PG_VERSION").unlink()

        assert "is damaged; bring it back from a copy" in refusal_of(postgres)

    def test_when_the_control_file_is_torn(self, postgres: PostgresServer) -> None:
        control = postgres.folder / "cluster" / "data" / "global" / "pg_control"
        control.write_bytes(b"\0" * control.stat().st_size)

        assert "does not start" in refusal_of(postgres)

    def test_when_the_data_is_of_another_version(self, postgres: PostgresServer) -> None:
        (postgres.folder / "cluster" / "data" / "PG_VERSION").write_text("16\n")

        assert "is of PostgreSQL 16, not 18" in refusal_of(postgres)

    def test_when_the_password_is_lost(self, postgres: PostgresServer) -> None:
        (postgres.folder / "superuser.password").unlink()

        assert "superuser.password is missing" in refusal_of(postgres)

    def test_when_a_file_stands_where_the_folder_should(self, folder: Path) -> None:
        (folder / "file").write_text("")

        assert "cannot be made" in refusal_of(PostgresServer(folder / "file" / "postgres", 1))


class TestTheMachine:
    def test_a_nearly_full_disk_is_named_with_what_is_needed(self, folder: Path) -> None:
        with pytest.raises(CannotStart, match="make at least 1000000000 MB free"):
            require_space(folder, least_mb=1_000_000_000)

    def test_a_disk_that_fills_up_is_told_from_other_faults(self, folder: Path) -> None:
        said = 'FATAL:  could not write file "base/1": No space left on device'

        assert "is full; make room" in explain(said, folder)

    def test_a_disk_that_is_full_for_ourselves_is_named_too(self, folder: Path) -> None:
        full = OSError(errno.ENOSPC, "No space left on device")

        assert "is full; make room" in str(because_of(full, "The database", folder))

    @pytest.mark.parametrize("find", [installation, redis_program])
    def test_a_missing_wheel_is_named(self, find: object) -> None:
        assert callable(find)
        with pytest.raises(CannotStart, match="is missing; delete"):
            find("a_wheel_that_nobody_has")
