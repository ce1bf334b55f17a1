"""PostgreSQL stopped at once under load, full of connections, and held up by somebody who fell asleep.

Stops while people of two organisations read are in tests/probes/test_during_faults.py; crashes of the
embedded server by itself in tests/embedded/test_postgres.py.
"""

import signal
import time
from collections.abc import Iterator

import psycopg
import pytest

from config.embedded.ports import free_port
from tests.browser import site
from tests.faults.ledger import Ledger, open_ledger
from tests.faults.second import SecondServer, only_meanwhile, second_server
from tests.workers import lasting, wait_for

pytestmark = pytest.mark.nightly
STOPS = 20
RECOVERED_SECONDS = 10


@pytest.fixture(scope="module")
def second(running_servers: None) -> Iterator[SecondServer]:
    """A second server that waits for its disk: what it acknowledges must outlast its end."""
    with second_server(durable=True) as server:
        with only_meanwhile():
            yield server


@pytest.fixture
def ledger(second: SecondServer) -> Ledger:
    """A ledger on the second server."""
    return open_ledger(lasting(shard="shard_2"))


@pytest.fixture(scope="module")
def port(second: SecondServer) -> Iterator[int]:
    """A web server."""
    number = free_port()
    with site._web(number, {"DJANGO_SETTINGS_MODULE": site.SETTINGS, **second.variables}):
        yield number


class TestStops:
    def test_lose_nothing_that_was_acknowledged(
        self, second: SecondServer, ledger: Ledger, port: int
    ) -> None:
        assert ledger.write(port) == 302
        with ledger.writing(port):
            for _ in range(STOPS):
                before = len(ledger.acknowledged)
                ledger.wait_for_more(than=before + 5)
                second.stop(signal.SIGQUIT)
                stopped = len(ledger.acknowledged)
                second.postgres.start()
                # How long the server reads its own log is not ours; from then on nobody waits long.
                began = time.monotonic()
                ledger.wait_for_more(than=stopped)
                assert time.monotonic() - began < RECOVERED_SECONDS
                second.wait_until_used()
        wait_for(lambda: ledger.write(port) == 302, seconds=30)
        assert ledger.faults() == []
        # The stops were felt, and nobody was shown an error of ours.
        assert ledger.said[503] + ledger.said[0] > 0
        assert ledger.said[500] == 0, ledger.said


class TestLimits:
    def test_no_connection_to_be_had_is_said(self, second: SecondServer, ledger: Ledger, port: int) -> None:
        with psycopg.connect(second.postgres.superuser_url(), autocommit=True) as superuser:
            superuser.execute("ALTER ROLE enclave_app CONNECTION LIMIT 2")
            try:
                superuser.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'enclave_app'"
                )
                with ledger.writing(port, writers=12):
                    wait_for(lambda: sum(ledger.said.values()) > 100, seconds=60)
            finally:
                superuser.execute("ALTER ROLE enclave_app CONNECTION LIMIT -1")
        assert ledger.said.keys() <= {302, 503}, ledger.said
        assert ledger.said[302] > 0
        wait_for(lambda: ledger.write(port) == 302, seconds=30)
        assert ledger.faults() == []

    def test_who_falls_asleep_in_a_transaction_is_cut(
        self, second: SecondServer, ledger: Ledger, port: int
    ) -> None:
        """Somebody locks the records and does nothing: writers wait, are told, and go on when it is cut."""
        schema = str(ledger.organisation.schema_name)
        with psycopg.connect(second.variables["SHARD_2_DATABASE_URL"]) as sleeper:
            (limit,) = sleeper.execute("SHOW idle_in_transaction_session_timeout").fetchone() or ("",)
            assert limit == "30s"
            sleeper.execute(f"SET LOCAL ROLE {schema}")
            sleeper.execute(f"LOCK TABLE {schema}.records_record IN EXCLUSIVE MODE")
            assert ledger.write(port) == 503
            assert ledger.read(port) == 200
            wait_for(lambda: ledger.write(port) == 302, seconds=90)
            with pytest.raises(psycopg.errors.IdleInTransactionSessionTimeout):
                sleeper.execute("SELECT 1")
        assert ledger.faults() == []
