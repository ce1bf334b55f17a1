"""Production refuses to start with what would make it unsafe."""

import os
import subprocess
import sys

import psycopg
import pytest
from django.conf import settings

from config.startup import excess_rights, logins_are_small, refuse_or_start
from tests.servers import ROOT

GOOD = {
    "DJANGO_SECRET_KEY": "cV9pXk2mQ7sLw4eRt8yUi1oPa5dFg3hJz6xNb0vKc-qWeRtYuIoP",
    "ENCLAVE_KEYS": "k1:5f2b8c1d9e4a7f60b3c2d1e0f9a8b7c6",
    "ENCLAVE_TLS": "proxy",
    "ENCLAVE_LOGIN": "app",
}
WANTED = "import config.settings.prod as s; print(s.SESSION_COOKIE_NAME, s.CSRF_COOKIE_NAME, s.DEBUG)"


def load(**changes: str) -> subprocess.CompletedProcess[str]:
    """Load the settings in a process of their own, with an environment of our choice."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("OWNER_")}
    chosen = {name: value for name, value in {**inherited, **GOOD, **changes}.items() if value}
    return subprocess.run(
        [sys.executable, "-c", WANTED], cwd=ROOT, env=chosen, capture_output=True, text=True, timeout=30
    )


class TestSettings:
    def test_load_when_everything_is_there(self) -> None:
        assert load().stdout.split() == ["__Host-sid", "__Host-csrf", "False"]

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
    def test_refuse(self, changes: dict[str, str], named: str) -> None:
        result = load(**changes)
        assert result.returncode != 0
        assert "ImproperlyConfigured" in result.stderr
        assert named in result.stderr.splitlines()[-1]

    def test_the_owners_process_may_know_the_owner(self) -> None:
        owner = {name: os.environ[name] for name in os.environ if name.startswith("OWNER_")}
        assert load(ENCLAVE_LOGIN="owner", **owner).returncode == 0


class TestLogins:
    def test_of_the_app_have_no_right_too_many(self, db: None) -> None:
        assert logins_are_small(None, databases=["default", "control", *settings.SHARD_ALIASES]) == []
        refuse_or_start()

    def test_of_the_owner_would_be_refused(self, db: None) -> None:
        with psycopg.connect(os.environ["OWNER_SHARD_1_DATABASE_URL"]) as connection:
            found = excess_rights(connection.cursor())
        assert "createrole" in found
        assert "membership of enclave_owner" in found
