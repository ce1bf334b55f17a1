"""Production refuses to start with what would make it unsafe."""

import os
import runpy
from typing import Any

import psycopg
import pytest
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from config import env
from config.settings.base import databases
from config.startup import excess_rights, excess_rights_of_mover, logins_are_small, refuse_or_start
from tests.production_settings import GOOD


def load(monkeypatch: pytest.MonkeyPatch, **changes: str) -> dict[str, Any]:
    """Run the settings module afresh, with an environment of our choice."""
    for name in [name for name in os.environ if name.startswith(("OWNER_", "MOVER_", "BACKUP_"))]:
        monkeypatch.delenv(name)
    for name, value in {**GOOD, **changes}.items():
        monkeypatch.setenv(name, value)
    return runpy.run_module("config.settings.prod")


class TestRelease:
    @pytest.mark.parametrize("name", ["Next", "-next", "a b", "next/", "x" * 41, "jobs,mail"])
    def test_has_a_name_that_queues_can_have(self, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
        monkeypatch.setenv("ENCLAVE_RELEASE", name)
        with pytest.raises(ImproperlyConfigured, match="ENCLAVE_RELEASE"):
            env.name("ENCLAVE_RELEASE", default="current")

    @pytest.mark.parametrize(("name", "read"), [("2027.1", "2027.1"), ("", "current")])
    def test_is_read(self, monkeypatch: pytest.MonkeyPatch, name: str, read: str) -> None:
        monkeypatch.setenv("ENCLAVE_RELEASE", name)
        assert env.name("ENCLAVE_RELEASE", default="current") == read


class TestSettings:
    def test_load_when_everything_is_there(self, monkeypatch: pytest.MonkeyPatch) -> None:
        loaded = load(monkeypatch)
        assert loaded["SESSION_COOKIE_NAME"] == "__Host-sid"
        assert loaded["CSRF_COOKIE_NAME"] == "__Host-csrf"
        assert loaded["SESSION_COOKIE_SECURE"] is loaded["CSRF_COOKIE_SECURE"] is True
        assert loaded["DEBUG"] is False
        assert "SESSION_COOKIE_DOMAIN" not in loaded

    @pytest.mark.parametrize(
        ("changes", "named"),
        [
            ({"DJANGO_SECRET_KEY": ""}, "DJANGO_SECRET_KEY"),
            ({"DJANGO_SECRET_KEY": "only-for-the-tests-" + "x" * 40}, "DJANGO_SECRET_KEY"),
            ({"DJANGO_SECRET_KEY": "short"}, "DJANGO_SECRET_KEY"),
            ({"ENCLAVE_KEYS": ""}, "ENCLAVE_KEYS"),
            ({"ENCLAVE_KEYS": "k1:short"}, "ENCLAVE_KEYS"),
            ({"ENCLAVE_TLS": ""}, "ENCLAVE_TLS"),
            ({"ENCLAVE_TLS": "no"}, "ENCLAVE_TLS"),
            ({"ENCLAVE_TLS": "direct"}, "ENCLAVE_TLS_CERTIFICATE"),
            ({"ENCLAVE_TLS": "direct", "ENCLAVE_TLS_CERTIFICATE": __file__}, "ENCLAVE_TLS_KEY"),
            ({"ENCLAVE_BASE_DOMAIN": ""}, "ENCLAVE_BASE_DOMAIN"),
            ({"ENCLAVE_OPERATORS_HOST": "operators.localhost"}, "ENCLAVE_OPERATORS_HOST"),
            ({"ENCLAVE_CONTENT_DOMAIN": "content.localhost"}, "ENCLAVE_CONTENT_DOMAIN"),
            ({"ENCLAVE_FROM_EMAIL": "Enclave <no-reply@enclave.localhost>"}, "ENCLAVE_FROM_EMAIL"),
            ({"ENCLAVE_DEBUG": "1"}, "ENCLAVE_DEBUG"),
            ({"OWNER_CONTROL_DATABASE_URL": "postgresql://o:o@localhost/control"}, "OWNER_CONTROL"),
        ],
    )
    def test_refuse(self, changes: dict[str, str], named: str, monkeypatch: pytest.MonkeyPatch) -> None:
        with pytest.raises(ImproperlyConfigured, match=named):
            load(monkeypatch, **changes)

    def test_tls_may_end_here(self, monkeypatch: pytest.MonkeyPatch) -> None:
        files = {"ENCLAVE_TLS_CERTIFICATE": __file__, "ENCLAVE_TLS_KEY": __file__}
        loaded = load(monkeypatch, ENCLAVE_TLS="direct", **files)
        assert "SECURE_PROXY_SSL_HEADER" not in loaded
        assert loaded["TRUSTED_PROXIES"] == 0
        server = runpy.run_module("config.gunicorn")
        assert server["certfile"] == server["keyfile"] == __file__

    def test_a_url_says_how_the_driver_connects(self, monkeypatch: pytest.MonkeyPatch) -> None:
        url = "postgresql://enclave_app:p%2Fq@db.example/shard_1?sslmode=verify-full&application_name=web"
        monkeypatch.setenv("SHARD_1_DATABASE_URL", url)
        loaded = databases(pool={"max_size": 3})["shard_1"]
        assert loaded["OPTIONS"] == settings.DATABASE_PATIENCE | {
            "sslmode": "verify-full",
            "application_name": "web",
            "pool": {"max_size": 3},
        }
        assert (loaded["USER"], loaded["PASSWORD"], loaded["PORT"]) == ("enclave_app", "p/q", "5432")

    def test_the_owners_process_may_know_the_owner(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("config.settings.base.DATABASE_LOGIN", "owner")
        owner = "postgresql://o:o@localhost/control"
        assert load(monkeypatch, OWNER_CONTROL_DATABASE_URL=owner)["DEBUG"] is False


class TestLogins:
    def test_of_the_app_have_no_right_too_many(self, db: None) -> None:
        assert logins_are_small(None, databases=["default", "control", *settings.SHARD_ALIASES]) == []
        refuse_or_start()

    def test_of_the_owner_would_be_refused(self, db: None) -> None:
        with psycopg.connect(os.environ["OWNER_SHARD_1_DATABASE_URL"]) as connection:
            found = excess_rights(connection.cursor())
            assert excess_rights(connection.cursor(), owner=True) == []
        assert "createrole" in found
        assert "tables, schemas or databases of its own" in found
        assert "membership of enclave_owner" in found

    def test_of_the_mover_may_replicate_and_nothing_else(self, db: None) -> None:
        with psycopg.connect(os.environ["MOVER_SHARD_1_DATABASE_URL"]) as connection:
            assert excess_rights_of_mover(connection.cursor()) == []
            assert "replication" in excess_rights(connection.cursor())
        with psycopg.connect(os.environ["OWNER_SHARD_1_DATABASE_URL"]) as connection:
            assert "createrole" in excess_rights_of_mover(connection.cursor())

    def test_of_the_mover_is_not_for_the_app(self, monkeypatch: pytest.MonkeyPatch) -> None:
        with pytest.raises(
            ImproperlyConfigured, match="MOVER_SHARD_1_DATABASE_URL is set in a process of the app"
        ):
            load(monkeypatch, MOVER_SHARD_1_DATABASE_URL="postgresql://m:m@localhost/shard_1")
