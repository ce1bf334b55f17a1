"""The fleet moves to a later release: all of it, and one that cannot stops nobody."""

import signal
import subprocess
import sys
import threading
import time
from contextlib import ExitStack

import psycopg
import pytest

from tests import servers
from tests.fleet.conftest import Fleet
from tests.workers import wait_for


def columns(fleet: Fleet, slug: str) -> set[object]:
    """Return the columns of an organisation's speakers."""
    query = (
        "SELECT attname FROM pg_attribute WHERE attrelid = 'gear_speaker'::regclass "
        "AND attnum > 0 AND NOT attisdropped"
    )
    return {name for (name,) in fleet.ask(slug, query)}


class TestMigrating:
    def test_brings_all_to_what_the_canary_became_but_those_that_differ(self, fleet: Fleet) -> None:
        before = fleet.digests("org-5")
        fleet.ask("org-3", "ALTER TABLE gear_speaker ADD COLUMN colour text")
        fleet.ask("org-4", "ALTER TABLE gear_speaker ALTER COLUMN notes SET DEFAULT 'odd'")
        # What an app that is gone has left makes it no other version.
        gone = "INSERT INTO django_migrations (app, name, applied) VALUES ('gone', '0001_initial', now())"
        fleet.ask("org-1", gone)
        said = fleet.migrate("column", fails=True)
        assert "2 organisations were not migrated" in said
        states = fleet.states()
        assert "already exists" in states["org-3"][1]
        assert "differs from the canary in: gear_speaker columns" in states["org-4"][1]
        ours = fleet.digests("org-0")
        assert ours != before
        for slug in ("org-1", "org-2", "org-5"):
            assert fleet.digests(slug) == ours
            assert states[slug] == states["org-0"]
        # What failed was rolled back whole.
        assert index_of(fleet, "org-1")
        assert not index_of(fleet, "org-4")

        fleet.ask("org-3", "ALTER TABLE gear_speaker DROP COLUMN colour")
        fleet.ask("org-4", "ALTER TABLE gear_speaker ALTER COLUMN notes DROP DEFAULT")
        assert fleet.migrate("column").count("migrated") == 2
        assert fleet.digests("org-3") == fleet.digests("org-4") == ours
        assert len(set(fleet.states().values())) == 1
        assert "red" in captured(fleet, "org-4", "UPDATE gear_speaker SET colour = 'red'")


def index_of(fleet: Fleet, slug: str) -> list[tuple[object, ...]]:
    """Return the new index of an organisation, if it is there."""
    return fleet.ask(
        slug,
        "SELECT relname FROM pg_class WHERE relname = 'speaker_by_watts' "
        "AND relnamespace = current_schema()::regnamespace",
    )


def captured(fleet: Fleet, slug: str, change: str) -> str:
    """Make a change in the tenant's own role and return what the trail kept of it."""
    _, schema = fleet.schemas[slug]
    fleet.ask(
        slug,
        f'BEGIN; SET LOCAL ROLE {schema}; SET LOCAL app.actor = \'{{"kind": "system"}}\'; {change}; COMMIT',
    )
    return str(
        fleet.ask(
            slug,
            "SELECT payload, value FROM audit_event LEFT JOIN audit_private ON ref = private_ref "
            "WHERE code = 'gear.speaker.changed'",
        )
    )


@pytest.mark.nightly
class TestReleases:
    def test_whoever_is_made_meanwhile_is_made_like_this(self, fleet: Fleet) -> None:
        assert fleet.migrate("column").count("migrated") == 6
        assert fleet.migrate("column") == ""
        assert "0 organisations are behind" in fleet.migrate("column", "--status")
        assert "6 organisations are behind" in fleet.migrate("python", "--status")

    def test_python_runs_for_each_and_text_goes_on_after_it(self, fleet: Fleet) -> None:
        fleet.migrate("python")
        for number in range(6):
            found = fleet.ask(f"org-{number}", "SELECT colour FROM gear_speaker")
            assert found == [(f"the colour of tower {number}"[:20],)]
            assert fleet.ask(f"org-{number}", "SELECT count(*) FROM gear_cable") == [(0,)]
            # A change of data is a change of the trail, whoever made it.
            changed = "SELECT payload FROM audit_event WHERE code = 'gear.speaker.changed'"
            assert "Migration" in str(fleet.ask(f"org-{number}", changed))
        assert fleet.digests("org-5") == fleet.digests("org-0")

    def test_two_versions_are_taken_each_from_where_it_is(self, fleet: Fleet) -> None:
        fleet.migrate("column", "--only", "org-2")
        fleet.migrate("python")
        assert fleet.digests("org-2") == fleet.digests("org-0")
        assert len(set(fleet.states().values())) == 1

    def test_what_is_written_down_is_not_believed_against_the_schema(self, fleet: Fleet) -> None:
        fleet.migrate("column")
        with psycopg.connect(fleet.server.superuser_url("control"), autocommit=True) as connection:
            connection.execute("UPDATE operations_fleetstate SET version = 'from another time'")
        fleet.migrate("python")
        assert len(set(fleet.states().values())) == 1
        assert fleet.ask("org-1", "SELECT count(*) FROM gear_cable") == [(0,)]

    def test_the_canary_waits_for_its_tables_too(self, fleet: Fleet) -> None:
        with ExitStack() as held:
            for alias, schema in fleet.schemas.values():  # whoever of them is the canary
                holder = held.enter_context(psycopg.connect(fleet.server.superuser_url(alias)))
                holder.execute(f"LOCK TABLE {schema}.gear_speaker IN ACCESS SHARE MODE".encode())
                timer = threading.Timer(6, holder.rollback)
                timer.start()
                held.callback(timer.join)
            assert fleet.migrate("column").count("migrated") == 6

    def test_a_table_in_use_is_waited_for_and_keeps_nobody(self, fleet: Fleet) -> None:
        alias, schema = fleet.schemas["org-2"]
        with psycopg.connect(fleet.server.superuser_url(alias)) as holder:
            holder.execute(f"LOCK TABLE {schema}.gear_speaker IN ACCESS SHARE MODE".encode())
            process = fleet.command("migrate_fleet", later="column")
            others = [slug for slug in fleet.schemas if slug != "org-2"]
            wait_for(lambda: all("colour" in columns(fleet, slug) for slug in others), seconds=20)
            assert "colour" not in columns(fleet, "org-2")
            holder.rollback()
        said, _ = process.communicate(timeout=60)
        assert process.returncode == 0, said
        assert said.splitlines()[-1].startswith("org-2: migrated")
        assert "colour" in columns(fleet, "org-2")

    def test_a_fault_of_the_migration_stops_before_the_fleet_has_it(self, fleet: Fleet) -> None:
        for slug in fleet.schemas:
            fleet.ask(slug, "UPDATE gear_speaker SET watts = 5")
        said = fleet.migrate("broken", fails=True)
        assert "Stopped: 3 failed one after the other" in said
        assert sum(bool(error) for _, error in fleet.states().values()) == 3

    def test_the_application_may_not_ask(self, fleet: Fleet) -> None:
        asked = (
            "SELECT enclave.version_of('public', '{}')",
            "SELECT enclave.rows_of('public')",
            "SELECT enclave.begin_script('public', '', '{}', '', '', 1, '{}', '{}')",
            "CALL enclave.run_scripts('SELECT 1', 'a', '{b}')",
        )
        with psycopg.connect(fleet.variables["SHARD_1_DATABASE_URL"], autocommit=True) as connection:
            for query in asked:
                with pytest.raises(psycopg.errors.InsufficientPrivilege):
                    connection.execute(query)


class TestDied:
    # What follows is a transaction of its own on the canary, and everywhere after Python.
    @pytest.mark.parametrize(("where", "later"), [("canary", "python"), ("others", "ending")])
    def test_what_follows_the_migrations_is_done_by_whoever_comes_next(
        self, fleet: Fleet, where: str, later: str
    ) -> None:
        died = subprocess.run(
            [sys.executable, "-m", "tests.fleet.dying", where],
            cwd=servers.ROOT,
            env={**fleet.variables, "ENCLAVE_LOGIN": "owner", "FLEET_LATER": later},
            capture_output=True,
            text=True,
        )
        assert died.returncode == 9, died.stderr
        had = "SELECT 1 FROM django_migrations WHERE app = 'gear' AND name LIKE '0004%'"
        assert any(fleet.ask(slug, had) for slug in fleet.schemas)  # it had come so far
        fleet.migrate(later)
        triggers = "SELECT 1 FROM pg_trigger WHERE tgrelid = 'gear_cable'::regclass AND NOT tgisinternal"
        for slug in fleet.schemas:
            assert fleet.ask(slug, triggers), slug
            assert fleet.digests(slug) == fleet.digests("org-0")


@pytest.mark.nightly
class TestKilled:
    def test_again_and_again_none_is_skipped_and_none_half_done(self, fleet: Fleet) -> None:
        for number in range(20):
            process = fleet.command("migrate_fleet", later="python")
            time.sleep(1.0 + number * 0.15)
            process.send_signal(signal.SIGKILL)
            process.communicate()
        fleet.migrate("python")
        for slug in fleet.schemas:
            assert fleet.digests(slug) == fleet.digests("org-0")
            assert fleet.ask(slug, "SELECT count(*) FROM django_migrations WHERE app = 'gear'") == [(4,)]
            assert len(fleet.ask(slug, "SELECT 1 FROM audit_event WHERE code = 'gear.speaker.changed'")) == 1
