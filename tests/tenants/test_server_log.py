"""Third-party code on two planes and two shards: the server's own log says where statements went.

A person of an organisation on the second shard signs in, sets up a second step and is given a grant
through django-guardian's tables; an operator signs in to the console and looks at organisations. The
log of the server must show nothing of the first on the first shard or in the control plane's people,
and nothing of the second on any shard.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pyotp
import pytest
from django.conf import settings
from django.test import Client
from django.utils import timezone

from accounts.identity.models import User
from operations.actions.provisioning import Wish, provision
from permissions.actions import grants
from records.actions import collections
from records.values import FieldSpec, FieldType
from tenants.context import Actor, control_plane, enter
from tenants.models import Organisation
from tests import servers
from tests.conftest import PASSWORD
from tests.people import visitor

LINE = re.compile(
    r"^\S+ \S+ UTC \[\d+\] (?P<login>\w*)@(?P<database>\w*) LOG:  "
    r"(?:statement|execute [^:]*): (?P<text>.*)"
)
TOTP = "/accounts/2fa/totp/activate/"


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement in the server's log."""

    login: str
    database: str
    text: str


class Log:
    """What the server has logged since the last look."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._at = path.stat().st_size

    def since_last(self) -> list[Statement]:
        """Return the statements logged since the last call, but for those that only end transactions."""
        with self._path.open("rb") as file:
            file.seek(self._at)
            lines = file.read().decode(errors="replace").splitlines()
            self._at = file.tell()
        found = (LINE.match(line) for line in lines)
        return [Statement(m["login"], m["database"], m["text"]) for m in found if m]


@pytest.fixture
def log(logged: Organisation) -> Iterator[Log]:
    """The server's log, with every statement in it while the test runs.

    The organisation is made first: whichever test comes first would find its making in the log.
    """
    server = servers.POSTGRES
    assert server is not None
    with psycopg.connect(server.superuser_url("postgres"), autocommit=True) as connection:
        connection.execute("ALTER SYSTEM SET log_statement = 'all'")
        connection.execute("SELECT pg_reload_conf(), pg_sleep(0.3)")
        yield Log(server.folder / "log")
        connection.execute("ALTER SYSTEM RESET log_statement")
        connection.execute("SELECT pg_reload_conf()")


@pytest.fixture
def logged(organisations: dict[str, Organisation]) -> Organisation:
    """An organisation on the second shard, committed."""
    found = Organisation.objects.filter(slug="logged").first()
    return found or provision(
        Wish("logged", "Logged", "lou@logged.example", "Lou", PASSWORD, shard="shard_2")
    )


def sign_in(client: Client, email: str) -> None:
    """Sign in with a password and set up a second step."""
    client.post("/accounts/login/", {"login": email, "password": PASSWORD})
    secret = str(client.get(TOTP).context["form"].secret)
    assert client.post(TOTP, {"code": pyotp.TOTP(secret).now()}).status_code == 302


def share_something(organisation: Organisation) -> None:
    """Make a collection and grant it to a second person, through guardian's tables."""
    with enter(organisation, actor=Actor.system("test")):
        now, owner = timezone.now(), User.objects.get(email="lou@logged.example")
        name = FieldSpec("f_name", "Name", FieldType.TEXT)
        made = collections.create(name=f"Log {now:%f}", fields=(name,), by=owner, at=now)
        grants.grant(obj=made, to=owner, names=["records.view"], by=owner, at=now)


class TestWhereStatementsGo:
    def test_a_person_of_the_second_shard_stays_there(self, log: Log, logged: Organisation) -> None:
        sign_in(visitor(logged.primary_host), "lou@logged.example")
        share_something(logged)
        seen = log.since_last()
        assert any("guardian" in one.text or "usergrant" in one.text.lower() for one in seen)
        assert [one for one in seen if one.database == "shard_1"] == []
        control = [one.text for one in seen if one.database == "control"]
        assert [text for text in control if '"identity_' in text or '"mfa_' in text] == []

    def test_every_tenant_statement_comes_after_role_and_path(self, log: Log, logged: Organisation) -> None:
        visitor(logged.primary_host).get("/accounts/login/")
        share_something(logged)
        texts = [one.text for one in log.since_last() if one.database == "shard_2"]
        entered = False
        for text in texts:
            if text.startswith(("BEGIN", "COMMIT", "ROLLBACK")):
                entered = False if not text.startswith("ROLLBACK TO") else entered
            elif "set_config('role'" in text:
                entered = True
            elif '"' in text and "SAVEPOINT" not in text:
                assert entered, text

    def test_an_operator_reaches_no_shard(self, log: Log, logged: Organisation) -> None:
        with control_plane():
            User.objects.filter(email="log@enclave.example").delete()
            User.objects.create_superuser("log@enclave.example", "Log", PASSWORD)
        client = visitor(settings.OPERATORS_HOST)
        sign_in(client, "log@enclave.example")
        assert client.get("/console/tenants/organisation/").status_code == 200
        assert client.get(f"/console/tenants/organisation/{logged.pk}/change/").status_code == 200
        seen = log.since_last()
        assert any('"tenants_organisation"' in one.text for one in seen)
        assert [one for one in seen if one.database.startswith("shard")] == []
