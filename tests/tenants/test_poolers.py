"""One server connection shared by two organisations: through a pool, and through a transaction pooler.

Each test is run again with the guard taken out (role and path set for the session, as libraries do),
to show that it can see the leak.
"""

from collections.abc import Callable
from contextlib import ExitStack

import psycopg
import pytest
from django.conf import settings
from psycopg_pool import ConnectionPool

from tenants.models import Organisation
from tests.transaction_pooler import TransactionPooler

ROUNDS = 20
Enter = Callable[[psycopg.Connection, str], None]


def locally(connection: psycopg.Connection, schema: str) -> None:
    """Set role and path as our backend does: for the transaction."""
    connection.execute(
        "SELECT set_config('role', %s, true), set_config('search_path', %s, true)", (schema, schema)
    )


def for_the_session(connection: psycopg.Connection, schema: str) -> None:
    """Set role and path as a library would that thinks it has the connection to itself."""
    connection.execute(
        "SELECT set_config('role', %s, false), set_config('search_path', %s, false)", (schema, schema)
    )


def address(connection: psycopg.Connection) -> str:
    """Return the first address of the organisation whose rows the connection answers from."""
    row = connection.execute("SELECT email FROM identity_user ORDER BY id").fetchone()
    assert row is not None
    return str(row[0])


@pytest.fixture
def two(organisations: dict[str, Organisation]) -> dict[str, str]:
    """Two organisations on the first shard, committed: schema by the address of its owner."""
    from operations.actions.provisioning import Wish, provision

    second = Organisation.objects.filter(slug="pooled").first()
    if second is None:
        second = provision(Wish("pooled", "Pooled", "pia@pooled.example", "Pia", shard="shard_1"))
    return {
        "ada@pulse.example": str(organisations["pulse"].schema_name),
        "pia@pooled.example": str(second.schema_name),
    }


def dsn(port: int | None = None) -> str:
    """Return the address of the first shard for the application's login."""
    shard = settings.DATABASES["shard_1"]
    return (
        f"host={shard['HOST']} port={port or shard['PORT']} dbname={shard['NAME']} "
        f"user={shard['USER']} password={shard['PASSWORD']}"
    )


class TestPoolOfOne:
    def test_each_borrower_sees_its_own(self, two: dict[str, str]) -> None:
        with ConnectionPool(dsn(), min_size=1, max_size=1, open=True) as pool:
            for _ in range(ROUNDS):
                for owner, schema in two.items():
                    with pool.connection() as connection:
                        locally(connection, schema)
                        assert address(connection) == owner

    def test_who_sets_nothing_sees_nothing(self, two: dict[str, str]) -> None:
        assert second_borrower_sees(two, locally) is None

    def test_the_leak_is_seen_when_the_guard_is_taken_out(self, two: dict[str, str]) -> None:
        assert second_borrower_sees(two, for_the_session) == "ada@pulse.example"


def second_borrower_sees(two: dict[str, str], enter: Enter) -> str | None:
    """Return what a borrower sees who sets nothing, after another who entered in the given way."""
    with ConnectionPool(dsn(), min_size=1, max_size=1, open=True) as pool:
        with pool.connection() as connection:
            enter(connection, two["ada@pulse.example"])
            address(connection)
        try:
            with pool.connection() as connection:
                return address(connection)
        except psycopg.errors.UndefinedTable:
            return None


class TestTransactionPooler:
    def test_interleaved_transactions_see_their_own(self, two: dict[str, str]) -> None:
        assert set(interleaved(two, locally)) == {True}

    def test_the_leak_is_seen_when_the_guard_is_taken_out(self, two: dict[str, str]) -> None:
        assert False in interleaved(two, for_the_session)


def interleaved(two: dict[str, str], enter: Enter) -> list[bool]:
    """Let two clients share one server connection; return for each read whether it was the client's own.

    Each client first enters, then reads. With settings for the session the second statement may run
    after the other client has entered: the client believes that they still hold.
    """
    shard = settings.DATABASES["shard_1"]
    seen: list[bool] = []
    with TransactionPooler(str(shard["HOST"]), int(shard["PORT"])) as pooler, ExitStack() as stack:
        clients = {owner: stack.enter_context(client(pooler.port)) for owner in two}
        for _ in range(ROUNDS):
            seen.extend(one_round(two, clients, enter))
    return seen


def client(port: int) -> psycopg.Connection:
    """Return a connection through the pooler, without prepared statements, as behind any such pooler."""
    return psycopg.connect(dsn(port), autocommit=True, prepare_threshold=None)


def one_round(two: dict[str, str], clients: dict[str, psycopg.Connection], enter: Enter) -> list[bool]:
    """Let each client enter and read once; with settings for the session, all enter before anybody reads."""
    if enter is for_the_session:
        for owner, schema in two.items():
            enter(clients[owner], schema)
        return [address(clients[owner]) == owner for owner in two]
    seen = []
    for owner, schema in two.items():
        with clients[owner].transaction():
            enter(clients[owner], schema)
            seen.append(address(clients[owner]) == owner)
    return seen
