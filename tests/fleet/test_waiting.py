"""One that moves is passed over by the fleet, is no failure, and has its turn when it has arrived."""

import threading
from collections.abc import Callable

import psycopg
import pytest

from tenants.staying import PLACEMENT_LOCK
from tests.fleet.conftest import Fleet

pytestmark = pytest.mark.nightly
BEGIN = """
INSERT INTO operations_move (organisation_id, source_id, target_id, schema_name, epoch, version, step, reason,
    asked_by, asked_at, note, error, position, history, figures)
SELECT id, shard_id, 'shard_1', schema_name, epoch, '', 'copying', 'test', 'test', now(), '', '', '{}', '[]',
    '{}' FROM tenants_organisation WHERE slug = 'org-1'
"""
HAD = "SELECT count(*) FROM django_migrations WHERE app = 'gear'"


def control(fleet: Fleet, query: str) -> list[tuple[object, ...]]:
    """Run a query in the control plane."""
    with psycopg.connect(fleet.server.superuser_url("control"), autocommit=True) as connection:
        cursor = connection.execute(query.encode())
        return cursor.fetchall() if cursor.description else []


def put(fleet: Fleet, slug: str, state: str) -> None:
    """Say that an organisation's schema is what a move left behind, or that it lives there."""
    _, schema = fleet.schemas[slug]
    fleet.ask(slug, f"UPDATE enclave.placed SET state = '{state}' WHERE schema_name = '{schema}'")


def waits(fleet: Fleet) -> dict[object, object]:
    """Return who is written down to wait for what."""
    return dict(
        control(
            fleet,
            "SELECT slug, waits FROM operations_fleetstate AS state JOIN tenants_organisation AS one "
            "ON one.id = state.organisation_id WHERE waits <> ''",
        )  # type: ignore[arg-type]  # pairs
    )


class TestWhoIsBeingMoved:
    def test_waits_and_has_its_turn_with_the_next_run(self, fleet: Fleet) -> None:
        control(fleet, BEGIN)
        said = fleet.migrate("column")
        assert said.count(": migrated") == 5
        assert "org-1: It is being moved to shard_1" in said
        assert "1 organisations wait; the next run looks again." in said
        assert fleet.states()["org-1"][1] == ""
        status = fleet.migrate("column", "--status")
        assert "everybody: 5 current, 1 waiting" in status
        assert "org-1: It is being moved to shard_1; the next run migrates it there." in status
        control(fleet, "UPDATE operations_move SET step = 'reverted'")
        assert fleet.migrate("column").count(": migrated") == 1
        assert waits(fleet) == {}
        assert len(set(fleet.states().values())) == 1


class TestACopy:
    @pytest.mark.parametrize("of", [min, max], ids=["the canary", "one that follows"])
    def test_is_left_alone_by_python_too(self, fleet: Fleet, of: Callable[[list[str]], str]) -> None:
        fleet.migrate("column")
        slug = of(sorted(fleet.schemas))
        put(fleet, slug, "closed")
        said = fleet.migrate("python")
        assert said.count(": migrated") == 5
        assert f"{slug}: It does not live on {fleet.schemas[slug][0]} any more." in said
        assert fleet.ask(slug, HAD) == [(2,)]
        assert list(waits(fleet)) == [slug]
        put(fleet, slug, "open")
        assert fleet.migrate("python").count(": migrated") == 1
        assert len(set(fleet.states().values())) == 1

    def test_is_not_written_by_who_came_before_it_was_one(self, fleet: Fleet) -> None:
        """The mover is behind its fence when the text arrives, and closes the schema then."""
        slug = max(fleet.schemas)
        alias, schema = fleet.schemas[slug]
        with psycopg.connect(fleet.server.superuser_url(alias), autocommit=True) as mover:
            mover.execute("SELECT pg_advisory_lock(%s, hashtext(%s))", (PLACEMENT_LOCK, schema))

            def close() -> None:
                put(fleet, slug, "closed")
                mover.execute("SELECT pg_advisory_unlock_all()")

            switched = threading.Timer(8, close)
            switched.start()
            said = fleet.migrate("column")
            switched.join()
        assert said.count(": migrated") == 5
        assert fleet.ask(slug, HAD) == [(1,)]
        assert list(waits(fleet)) == [slug]
