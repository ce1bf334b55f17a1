"""What the rules believe of PostgreSQL, asked of PostgreSQL itself: locks, rewriting, and old code's SQL."""

from collections.abc import Iterator

import psycopg
import pytest

from operations.fleet.safety.changes import Verb
from operations.fleet.safety.fields import step_between
from operations.fleet.safety.reading import read
from operations.fleet.safety.rules import Ground, Rule, broken_by
from tests import servers


@pytest.fixture
def database(running_servers: None) -> Iterator[psycopg.Connection]:
    """A table with rows that is rolled back."""
    assert servers.POSTGRES is not None
    with psycopg.connect(servers.POSTGRES.superuser_url("shard_1")) as connection:
        connection.execute("CREATE SCHEMA safety")
        connection.execute("SET LOCAL search_path = safety")
        connection.execute(
            "CREATE TABLE box (id integer PRIMARY KEY, name varchar(100) NOT NULL, watts integer)"
        )
        connection.execute("INSERT INTO box SELECT n, 'box', n FROM generate_series(1, 1000) AS n")
        connection.execute("CREATE TABLE place (id integer PRIMARY KEY)")
        yield connection
        connection.rollback()


def rewrites(database: psycopg.Connection, change: str) -> bool:
    """Return whether a change writes the table anew: then it has another file."""
    before = file_of(database)
    database.execute(change.encode())
    return file_of(database) != before


def file_of(database: psycopg.Connection) -> object:
    """Return the number of the table's file."""
    row = database.execute("SELECT relfilenode FROM pg_class WHERE oid = 'box'::regclass").fetchone()
    assert row is not None
    return row[0]


class TestRewriting:
    @pytest.mark.parametrize(
        ("change", "expected"),
        [
            ("ALTER TABLE box ADD COLUMN a integer DEFAULT 5 NOT NULL", False),
            ("ALTER TABLE box ADD COLUMN a timestamptz DEFAULT now()", False),
            ("ALTER TABLE box ADD COLUMN a timestamptz DEFAULT clock_timestamp()", True),
            ("ALTER TABLE box ADD COLUMN a uuid DEFAULT uuidv7()", True),
            ("ALTER TABLE box ADD COLUMN a float DEFAULT random()", True),
            ("ALTER TABLE box ADD COLUMN a integer GENERATED ALWAYS AS (watts * 2) STORED", True),
            ("ALTER TABLE box ADD COLUMN a integer GENERATED ALWAYS AS (watts * 2) VIRTUAL", False),
            ("ALTER TABLE box ALTER name TYPE varchar(200)", False),
            ("ALTER TABLE box ALTER name TYPE text", False),
            ("ALTER TABLE box ALTER name TYPE varchar(50)", True),
            ("ALTER TABLE box ALTER watts TYPE bigint", True),
        ],
    )
    def test_is_what_the_rules_say(self, database: psycopg.Connection, change: str, expected: bool) -> None:
        assert rewrites(database, change) is expected
        assert rule_says_rewritten(change) is expected


def rule_says_rewritten(change: str) -> bool:
    """Return what the rules say of a change of a large table, types that grow put aside."""
    (one,) = read(change)
    ground = Ground(large=frozenset({"box"}))
    if one.verb is Verb.SET_TYPE:
        old = {"name": "varchar(100)", "watts": "integer"}[one.column]
        step = step_between(old, change.rpartition(" TYPE ")[2])
        if step is not None:
            ground.widened["box", one.column] = step
    return Rule.REWRITTEN in set(broken_by(one, ground))


class TestLocks:
    """Seen by another connection: whether somebody who writes has to wait."""

    @pytest.mark.parametrize(
        ("change", "writers_wait"),
        [
            ("CREATE INDEX i ON safety_locks.box (watts)", True),
            ("ALTER TABLE safety_locks.box ADD CONSTRAINT c CHECK (watts > 0)", True),
            ("ALTER TABLE safety_locks.box VALIDATE CONSTRAINT valid", False),
            ("CREATE TABLE safety_locks.cable (box integer REFERENCES safety_locks.box)", True),
        ],
    )
    def test_are_what_the_rules_say(
        self, committed: psycopg.Connection, change: str, writers_wait: bool
    ) -> None:
        committed.execute(change.encode())
        assert servers.POSTGRES is not None
        with psycopg.connect(servers.POSTGRES.superuser_url("shard_1")) as writer:
            writer.execute("SET lock_timeout = '100ms'")
            try:
                writer.execute("UPDATE safety_locks.box SET watts = watts")
                waited = False
            except psycopg.errors.LockNotAvailable:
                waited = True
            writer.rollback()
        committed.rollback()
        assert waited is writers_wait


@pytest.fixture
def committed(running_servers: None) -> Iterator[psycopg.Connection]:
    """A table that others see; the connection is in a transaction of its own."""
    assert servers.POSTGRES is not None
    url = servers.POSTGRES.superuser_url("shard_1")
    with psycopg.connect(url, autocommit=True) as maker:
        maker.execute("CREATE SCHEMA safety_locks")
        maker.execute("CREATE TABLE safety_locks.box (id integer PRIMARY KEY, watts integer)")
        maker.execute("INSERT INTO safety_locks.box SELECT n, n FROM generate_series(1, 100) AS n")
        maker.execute("ALTER TABLE safety_locks.box ADD CONSTRAINT valid CHECK (watts > 0) NOT VALID")
        try:
            with psycopg.connect(url) as connection:
                yield connection
                connection.rollback()
        finally:
            maker.execute("DROP SCHEMA safety_locks CASCADE")


class TestOldCode:
    """SQL as the release before sends it, against the schema of this one."""

    old = "INSERT INTO box (id, name, watts) VALUES (2000, 'new', NULL)"

    @pytest.mark.parametrize(
        ("change", "works"),
        [
            ("ALTER TABLE box ADD COLUMN a integer", True),
            ("ALTER TABLE box ADD COLUMN a integer DEFAULT 0 NOT NULL", True),
            ("ALTER TABLE box ADD COLUMN a integer REFERENCES place", True),
            (
                "ALTER TABLE box ADD COLUMN a integer DEFAULT 0 NOT NULL; "
                "ALTER TABLE box ALTER a DROP DEFAULT",
                False,
            ),
            ("ALTER TABLE box ALTER watts SET NOT NULL", False),
            ("ALTER TABLE box ADD CONSTRAINT c CHECK (watts IS NOT NULL) NOT VALID", False),
            ("ALTER TABLE box RENAME watts TO power", False),
            ("ALTER TABLE box DROP COLUMN watts", False),
            ("ALTER TABLE box ALTER name TYPE text", True),
        ],
    )
    def test_works_where_the_rules_say_so(
        self, database: psycopg.Connection, change: str, works: bool
    ) -> None:
        database.execute(change.encode())
        if works:
            database.execute(self.old)
            return
        with pytest.raises((psycopg.IntegrityError, psycopg.errors.UndefinedColumn)):
            database.execute(self.old)
