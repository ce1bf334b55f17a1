"""The router on two servers: the second one's log says what reached it, and the first one's what did not."""

import psycopg
import pytest

from accounts.identity.models import User
from records.models import Collection
from tenants.context import NoTenant, WrongTenant, control_plane, enter, on_shard
from tenants.models import Organisation, Shard
from tests import servers
from tests.faults.ledger import ACTOR, open_ledger
from tests.faults.second import SecondServer
from tests.people import visitor
from tests.tenants.test_server_log import Log


@pytest.fixture
def logs(second: SecondServer, far: Organisation) -> dict[str, Log]:
    """The logs of both servers, with every statement in them."""
    found = {}
    for name, server in (("first", servers.POSTGRES), ("second", second.postgres)):
        assert server is not None
        with psycopg.connect(server.superuser_url("postgres"), autocommit=True) as connection:
            connection.execute("ALTER SYSTEM SET log_statement = 'all'")
            connection.execute("SELECT pg_reload_conf(), pg_sleep(0.3)")
        found[name] = Log(server.folder / "log")
    return found


class TestRouter:
    def test_sends_an_organisation_to_its_server_alone(self, logs: dict[str, Log], far: Organisation) -> None:
        ledger = open_ledger(far)
        visitor(ledger.host).get("/accounts/login/")
        there = {one.database for one in logs["second"].since_last()}
        here = logs["first"].since_last()
        assert there == {"shard_2"}
        assert {one.database for one in here} <= {"control", "postgres"}
        # The control plane was asked where it lives, and nothing of what it has.
        assert not [one for one in here if "records_" in one.text or "identity_session" in one.text]

    def test_sends_the_control_plane_to_the_first_alone(self, logs: dict[str, Log]) -> None:
        with control_plane():
            assert Shard.objects.exists()
            User.objects.exists()
        assert logs["second"].since_last() == []
        assert logs["first"].since_last() != []

    def test_refuses_everything_else(
        self, logs: dict[str, Log], near: Organisation, far: Organisation
    ) -> None:
        with pytest.raises(NoTenant):
            Collection.objects.exists()
        with control_plane(), pytest.raises(NoTenant):
            Collection.objects.exists()
        with on_shard("shard_2"), pytest.raises(NoTenant):
            Collection.objects.exists()
        for asked in (Collection.objects.using("shard_2"), User.objects.using("shard_2")):
            with enter(near, actor=ACTOR), pytest.raises(WrongTenant):
                asked.exists()
        with enter(far, actor=ACTOR), pytest.raises(WrongTenant), enter(near, actor=ACTOR):
            pass
        assert not [one for one in logs["second"].since_last() if "records_" in one.text]
