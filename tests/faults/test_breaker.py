"""The breaker by itself, on real connections: what opens it, what does not, and what closes it."""

import signal
from typing import Any

import psycopg
import pytest
from django.db import connections

from config import startup
from tenants import breaker
from tenants.breaker import Breaker, Entry, ShardDown, Silent
from tests.faults.second import SecondServer
from tests.workers import wait_for


@pytest.fixture
def parameters(second: SecondServer) -> dict[str, Any]:
    """How the second server is reached."""
    return dict(connections["shard_2"].get_connection_params())


@pytest.fixture
def one() -> Breaker:
    """A breaker of the test's own."""
    return Breaker("shard_2")


def held(one: Breaker, parameters: dict[str, Any]) -> tuple[Entry, psycopg.Connection]:
    """Return a connection that somebody has had for long."""
    entry = one.begin(parameters)
    connection = psycopg.connect(**parameters)
    entry.has(connection)
    entry.since -= 2 * breaker.HELD_SECONDS
    return entry, connection


def is_up(one: Breaker, parameters: dict[str, Any]) -> bool:
    """Return whether somebody may have a connection."""
    try:
        one.end(one.begin(parameters))
    except ShardDown:
        return False
    return True


class TestOpens:
    def test_for_a_server_that_refuses_and_closes_when_it_is_back(
        self, one: Breaker, second: SecondServer, parameters: dict[str, Any]
    ) -> None:
        _, connection = held(one, parameters)
        second.stop(signal.SIGQUIT)
        wait_for(lambda: not is_up(one, parameters), seconds=30)
        second.start()
        wait_for(lambda: is_up(one, parameters), seconds=30)
        connection.close()

    def test_and_cuts_what_waits_for_a_silent_one(
        self, one: Breaker, second: SecondServer, parameters: dict[str, Any]
    ) -> None:
        _, connection = held(one, parameters)
        with second.frozen(), pytest.raises(psycopg.OperationalError):
            connection.execute("SELECT 1")
        assert one.is_open
        wait_for(lambda: is_up(one, parameters), seconds=30)

    def test_not_for_a_long_statement_or_a_full_server(
        self, one: Breaker, second: SecondServer, parameters: dict[str, Any]
    ) -> None:
        _, connection = held(one, parameters)
        with psycopg.connect(second.postgres.superuser_url(), autocommit=True) as superuser:
            superuser.execute("ALTER ROLE enclave_app CONNECTION LIMIT 1")
            try:
                with pytest.raises(psycopg.OperationalError, match="too many connections"):
                    psycopg.connect(**parameters)
                connection.execute("SELECT pg_sleep(2)")
            finally:
                superuser.execute("ALTER ROLE enclave_app CONNECTION LIMIT -1")
        assert not one.is_open
        connection.close()

    def test_not_for_connections_whose_thread_went_away(
        self, one: Breaker, parameters: dict[str, Any]
    ) -> None:
        entry, connection = held(one, parameters)
        assert not entry.is_over
        connection.close()
        assert entry.is_over


class TestAsking:
    def test_a_silent_server_is_told_from_one_that_refuses(
        self, second: SecondServer, parameters: dict[str, Any]
    ) -> None:
        assert breaker.ask(parameters, b"SELECT 7") == [(7,)]
        with second.frozen(), pytest.raises(Silent):
            breaker.ask(parameters)
        with pytest.raises(Silent):
            breaker.ask(parameters, b"SELECT pg_sleep(60)", seconds=0.5)
        second.stop()
        with pytest.raises(psycopg.OperationalError, match="refused"):
            breaker.ask(parameters)


class TestAtStart:
    """A shard that was down when the process began has not had its login looked at."""

    def test_it_is_looked_at_before_it_is_used(
        self, one: Breaker, second: SecondServer, parameters: dict[str, Any], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setitem(breaker._breakers, "shard_2", one)
        with psycopg.connect(second.postgres.superuser_url(), autocommit=True) as superuser:
            superuser.execute("ALTER ROLE enclave_app CREATEDB")
        second.stop()
        assert startup.logins_are_small(None, databases=["control", "shard_1", "shard_2"]) == []
        assert not is_up(one, parameters)
        # Not the helper: it waits until the shard may be used.
        second.postgres.start()
        with psycopg.connect(second.postgres.superuser_url(), autocommit=True) as superuser:
            wait_for(lambda: "createdb" in (one.why or ""), seconds=30)
            assert not is_up(one, parameters)
            superuser.execute("ALTER ROLE enclave_app NOCREATEDB")
        wait_for(lambda: is_up(one, parameters), seconds=30)
