"""The shard itself says who may enter, and at which epoch; who believes an older place looks again."""

import time
from dataclasses import replace

import psycopg
import pytest
from django.db import connections, transaction
from django.test import Client

from accounts.identity.models import User
from tenants import context as contexts
from tenants import hosts
from tenants.context import Actor, enter
from tenants.models import Organisation
from tenants.moved import Moved
from tests import servers
from tests.conftest import ClientAs

ACTOR = Actor.system("test")


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits for a switch that is not under way."""
    monkeypatch.setattr(contexts, "SWITCH_SECONDS", 0.0)


def place(organisation: Organisation, alias: str, **columns: object) -> None:
    """Change the row of a schema on a shard, as the owner of the tables would, in the test's transaction."""
    raw = connections[alias].connection
    raw.execute("SELECT set_config('role', 'none', true)")
    assert servers.POSTGRES is not None
    sets = ", ".join(f"{name} = '{value}'" for name, value in columns.items())

    with psycopg.connect(servers.POSTGRES.superuser_url(alias), autocommit=True) as connection:
        connection.execute(
            f"UPDATE enclave.placed SET {sets} WHERE schema_name = '{organisation.schema_name}'".encode()
        )


@pytest.fixture
def put_back(organisations: dict[str, Organisation]) -> object:
    """Pulse's row as it was, at the end."""
    yield
    place(organisations["pulse"], "shard_1", state="open", epoch=1)


def count() -> int:
    """Ask something of the organisation entered."""
    return User.objects.count()


@pytest.mark.usefixtures("put_back", "impatient")
class TestPlacement:
    @pytest.mark.parametrize("columns", [{"state": "closed"}, {"state": "coming"}, {"epoch": 2}])
    def test_refuses_who_believes_another(self, pulse: Organisation, columns: dict[str, object]) -> None:
        place(pulse, "shard_1", **columns)
        with pytest.raises(Moved), enter(pulse, actor=ACTOR):
            count()

    def test_refuses_a_schema_that_it_does_not_know(self, pulse: Organisation) -> None:
        strange = replace(pulse.placement(), schema="t_" + "x" * 20)
        with pytest.raises(Moved), enter(strange, actor=ACTOR):
            count()

    def test_whoever_has_an_old_epoch_looks_again(self, pulse: Organisation) -> None:
        old = pulse.placement()
        place(pulse, "shard_1", epoch=2)
        Organisation.objects.filter(pk=pulse.pk).update(epoch=2)
        with enter(old, actor=ACTOR) as entered:
            assert count() == 3
            assert entered.organisation is not None
            assert entered.organisation.epoch == 2
            with enter(old, actor=ACTOR):  # nested: what is open decides
                assert count() == 3

    def test_a_request_with_an_old_epoch_is_answered(self, pulse: Organisation, client_as: ClientAs) -> None:
        client: Client = client_as("ada@pulse.example", pulse)
        assert client.get("/").status_code == 200
        remembered = dict(hosts._remembered)
        place(pulse, "shard_1", epoch=2)
        Organisation.objects.filter(pk=pulse.pk).update(epoch=2)
        # As if it had been looked up just now, however long the above took.
        hosts._remembered.update({host: (time.monotonic(), known) for host, (_, known) in remembered.items()})
        found = hosts.find(pulse.primary_host)
        assert found is not None
        assert found.tenant is not None
        assert found.tenant.epoch == 1
        assert client.get("/").status_code == 200

    def test_a_savepoint_that_is_rolled_back_does_not_let_out(self, pulse: Organisation) -> None:
        """The lock goes with the savepoint it was taken in, so it is taken again."""
        with enter(pulse, actor=ACTOR):
            with pytest.raises(ZeroDivisionError), transaction.atomic(using="shard_1"):
                count()
                raise ZeroDivisionError
            assert count() == 3
            assert held()


def held() -> bool:
    """Whether this transaction shares the lock of the placement."""
    with connections["shard_1"].cursor() as cursor:
        cursor.execute(
            "SELECT count(*) > 0 FROM pg_locks WHERE locktype = 'advisory' AND classid = 1162756940 "
            "AND pid = pg_backend_pid() AND mode = 'ShareLock'"
        )
        return bool(cursor.fetchone()[0])


def test_the_application_may_not_touch_the_placement(pulse: Organisation) -> None:
    from django.db import ProgrammingError

    with enter(pulse, actor=ACTOR), connections["shard_1"].cursor() as cursor:
        for query in (
            "UPDATE enclave.placed SET state = 'closed'",
            "SELECT enclave.leave('t_aaaaaaaaaaaaaaaaaaaa')",
        ):
            with pytest.raises(ProgrammingError), transaction.atomic(using="shard_1"):
                cursor.execute(query)
