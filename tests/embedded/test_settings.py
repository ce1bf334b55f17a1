"""What is chosen before anything starts: ports, secrets, variables, and whether work was done before."""

import os
import socket
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from config.embedded import environment
from config.embedded.errors import CannotStart
from config.embedded.files import FolderLock, secret_in
from config.embedded.ports import remembered_ports
from config.embedded.recall import ROOT, recall, remember
from config.embedded.stamps import Stamps, code_stamp, static_stamp
from config.own_server import MissingSetting, logins_named, shards_named


class TestPorts:
    def test_a_folder_keeps_its_ports(self, tmp_path: Path) -> None:
        first = remembered_ports(tmp_path / "ports", ("postgres", "redis"))

        assert remembered_ports(tmp_path / "ports", ("postgres", "redis")) == first
        assert len(set(first.values())) == 2

    def test_a_port_that_was_taken_meanwhile_is_changed(self, tmp_path: Path) -> None:
        first = remembered_ports(tmp_path / "ports", ("postgres",))
        with socket.socket() as other:
            other.bind(("127.0.0.1", first["postgres"]))
            other.listen()

            assert remembered_ports(tmp_path / "ports", ("postgres",)) != first


class TestFiles:
    def test_a_secret_is_made_once_and_for_its_owner_only(self, tmp_path: Path) -> None:
        secret = secret_in(tmp_path / "secret")

        assert len(secret) >= 40
        assert secret_in(tmp_path / "secret") == secret
        assert stat.S_IMODE((tmp_path / "secret").stat().st_mode) == 0o600

    def test_a_folder_has_one_holder_at_a_time(self, tmp_path: Path) -> None:
        with FolderLock(tmp_path), pytest.raises(CannotStart, match="in use by process"):
            FolderLock(tmp_path).acquire()
        with FolderLock(tmp_path):
            pass


class TestVariables:
    def test_the_owner_is_known_to_owner_processes_only(self) -> None:
        both = {"CONTROL_DATABASE_URL": "a", "OWNER_CONTROL_DATABASE_URL": "b"}

        assert environment.for_app(both) == {"CONTROL_DATABASE_URL": "a", "ENCLAVE_LOGIN": "app"}
        assert environment.for_owner(both) == {**both, "ENCLAVE_LOGIN": "owner"}

    def test_half_a_server_of_ones_own_is_refused(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("CONTROL_DATABASE_URL", "postgresql://x:y@db:5432/control")
        monkeypatch.delenv("SHARD_1_DATABASE_URL", raising=False)

        with pytest.raises(CannotStart, match="SHARD_1_DATABASE_URL is not"):
            environment.own_database()

    def test_an_own_servers_logins_are_those_of_the_urls(self) -> None:
        urls = {
            "CONTROL_DATABASE_URL": "postgresql://enclave_control:c%2F1@db/control",
            "SHARD_1_DATABASE_URL": "postgresql://enclave_app:a@db/shard_1",
            "SHARD_10_DATABASE_URL": "postgresql://enclave_app:a@db/shard_10",
            "SHARD_2_DATABASE_URL": "postgresql://enclave_app:a@db/shard_2",
            "OWNER_CONTROL_DATABASE_URL": "postgresql://enclave_owner:o@db/control",
        }

        assert shards_named(urls) == ("shard_1", "shard_2", "shard_10")
        assert logins_named(urls).control == "c/1"
        with pytest.raises(MissingSetting, match="OWNER_CONTROL_DATABASE_URL is not set"):
            logins_named({**urls, "OWNER_CONTROL_DATABASE_URL": ""})


class TestRecalling:
    def test_what_bin_up_chose_is_known_later(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("LANGUAGE", "en")
        (tmp_path / "run").mkdir()
        remember(tmp_path, {"LANGUAGE": "en", "REDIS_URL": "redis://ours", "ENCLAVE_PORT": "9000"})
        variables = {"ENCLAVE_DATA": str(tmp_path), "ENCLAVE_PORT": "1"}

        recall(variables, "provision")

        assert variables == {
            "ENCLAVE_DATA": str(tmp_path),
            "ENCLAVE_PORT": "1",
            "REDIS_URL": "redis://ours",
        }
        assert stat.S_IMODE((tmp_path / "run" / "variables.json").stat().st_mode) == 0o600
        recall(variables, "migrate_fleet")
        assert variables["ENCLAVE_LOGIN"] == "owner"

    def test_without_it_manage_says_what_to_do(self, tmp_path: Path) -> None:
        clean = {"PATH": os.environ["PATH"], "ENCLAVE_DATA": str(tmp_path)}
        said = subprocess.run(
            [sys.executable, ROOT / "manage.py", "provision"],
            env=clean,
            capture_output=True,
            text=True,
            check=False,
        )

        assert said.returncode == 1
        assert said.stderr == "Start bin/up once; then manage.py knows the databases that it has made.\n"


class TestStamps:
    @pytest.fixture
    def house(self, tmp_path: Path) -> Path:
        """A small tree of code."""
        (tmp_path / "records" / "migrations").mkdir(parents=True)
        (tmp_path / "records" / "migrations" / "0001_initial.py").write_text("one")
        (tmp_path / "static").mkdir()
        (tmp_path / "static" / "site.css").write_text("a{}")
        (tmp_path / "tests").mkdir()
        (tmp_path / "requirements.lock").write_text("")
        return tmp_path

    def test_a_changed_migration_is_noticed_and_a_changed_test_is_not(self, house: Path) -> None:
        before = code_stamp(house)
        (house / "tests" / "test_it.py").write_text("new")
        assert code_stamp(house) == before

        (house / "records" / "migrations" / "0001_initial.py").write_text("two")
        assert code_stamp(house) != before

    def test_a_changed_style_sheet_is_noticed(self, house: Path) -> None:
        before = static_stamp(house)
        (house / "static" / "site.css").write_text("b{}")

        assert static_stamp(house) != before

    def test_what_was_done_holds_for_that_state_until_forgotten(self, tmp_path: Path) -> None:
        stamps = Stamps(tmp_path / "stamps")
        assert not stamps.holds("prepare", "a")
        stamps.set("prepare", "a")
        assert stamps.holds("prepare", "a")
        assert not stamps.holds("prepare", "b")
        stamps.forget("prepare")
        assert not stamps.holds("prepare", "a")
