"""Production refuses to start with what would make it unsafe."""

import os
import runpy
from typing import Any

import psycopg
import pytest
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from config.startup import excess_rights, logins_are_small, refuse_or_start

GOOD = {
    "DJANGO_SECRET_KEY": "cV9pXk2mQ7sLw4eRt8yUi1oPa5dFg3hJz6xNb0vKc-qWeRtYuIoP",
    "ENCLAVE_KEYS": "k1:5f2b8c1d9e4a7f60b3c2d1e0f9a8b7c6",
    "ENCLAVE_TLS": "proxy",
    "ENCLAVE_LOGIN": "app",
}


def load(monkeypatch: pytest.MonkeyPatch, **changes: str) -> dict[str, Any]:
    """Run the settings module afresh, with an environment of our choice."""
    for name in [name for name in os.environ if name.startswith("OWNER_")]:
        monkeypatch.delenv(name)
    for name, value in {**GOOD, **changes}.items():
        monkeypatch.setenv(name, value)
    return runpy.run_module("config.settings.prod")


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
            ({"ENCLAVE_DEBUG": "1"}, "ENCLAVE_DEBUG"),
            ({"OWNER_CONTROL_DATABASE_URL": "postgresql://o:o@localhost/control"}, "OWNER_CONTROL"),
        ],
    )
    def test_refuse(self, changes: dict[str, str], named: str, monkeypatch: pytest.MonkeyPatch) -> None:
        with pytest.raises(ImproperlyConfigured, match=named):
            load(monkeypatch, **changes)

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
        assert "createrole" in found
        assert "membership of enclave_owner" in found
