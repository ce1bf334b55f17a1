"""Databases and a Redis that do not answer are named before anything is built on them."""

from pathlib import Path

import pytest

from config.embedded.answers import require_databases, require_redis
from config.embedded.errors import CannotStart
from config.embedded.ports import free_port
from config.embedded.postgres import PostgresServer
from config.embedded.processes import Child
from config.embedded.redis import RedisServer
from config.embedded.servers import Servers
from config.embedded.steps import because_it_said
from tenants.bootstrap import Logins


class TestDatabases:
    def test_that_answer_are_passed(self, running_postgres: PostgresServer) -> None:
        require_databases({"CONTROL_DATABASE_URL": running_postgres.superuser_url()}, remedy="")

    def test_that_nobody_serves_are_named(self) -> None:
        url = f"postgresql://enclave_app:secret@127.0.0.1:{free_port()}/shard_1"

        with pytest.raises(
            CannotStart, match=r"of SHARD_1_DATABASE_URL does not answer .*; ask Ada\."
        ) as caught:
            require_databases({"SHARD_1_DATABASE_URL": url, "HOME": "/"}, remedy="ask Ada")
        assert "secret" not in str(caught.value)
        assert "\n" not in str(caught.value)

    def test_that_refuse_the_login_are_named(self, running_postgres: PostgresServer) -> None:
        url = f"postgresql://enclave_owner:x@127.0.0.1:{running_postgres.port}/control"

        with pytest.raises(CannotStart, match="OWNER_SHARD_10_DATABASE_URL does not answer"):
            require_databases({"OWNER_SHARD_10_DATABASE_URL": url}, remedy="")


class TestRedis:
    def test_that_answers_is_passed(self, redis: RedisServer) -> None:
        with redis.running():
            require_redis(redis.url)

    @pytest.mark.parametrize("url", ["redis://127.0.0.1:1/0", "a word"])
    def test_that_does_not_is_named(self, url: str) -> None:
        with pytest.raises(CannotStart, match="The Redis of REDIS_URL does not answer"):
            require_redis(url)


class TestLogins:
    @pytest.mark.parametrize("kept", ["", '{"control": "a"', '{"control": "a"}', "[]"])
    def test_that_cannot_be_read_are_made_again(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kept: str
    ) -> None:
        monkeypatch.delenv("CONTROL_DATABASE_URL", raising=False)
        (tmp_path / "run").mkdir()
        servers = Servers(tmp_path, {"postgres": 1, "redis": 2})
        assert not servers.knows_logins()

        file = tmp_path / "run" / "logins.json"
        file.write_text(kept)
        assert not servers.knows_logins()

        file.unlink()
        made = Logins.load_or_make(file)
        assert servers.knows_logins()
        assert Logins.load_or_make(file) == made
        assert file.stat().st_mode & 0o777 == 0o600
        assert list(file.parent.iterdir()) == [file, *file.parent.glob("redis.password")]


class TestWhatAProcessSaid:
    @pytest.mark.parametrize(
        ("said", "sentence"),
        [
            (
                "Traceback\nModuleNotFoundError: No module named 'csp'",
                "It failed (ModuleNotFoundError: No module named 'csp'); "
                "the packages are not whole: delete .venv and run bin/up again.",
            ),
            ("DiskFull: No space left on device\nHINT:  Check free disk space.", "is full; make room"),
            ("no such thing", "It failed (no such thing); what it wrote is in "),
            ("", "It failed (it gave no reason)"),
        ],
    )
    def test_becomes_one_sentence(self, tmp_path: Path, said: str, sentence: str) -> None:
        child = Child(log=tmp_path / "log", record=tmp_path / "record")
        child.log.write_text(said)

        assert sentence in str(because_it_said("It failed", child))
