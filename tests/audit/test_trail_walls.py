# ruff: noqa: E501  # the table of attempts reads best with one a line
"""Nobody inside an organisation can write, change, silence or go around its trail."""

import os
from typing import Any

import psycopg
import pytest
from django.db import DatabaseError, connections, transaction

from audit.actions import events
from audit.codes import UnknownCode
from audit.install import install_tables
from audit.models import Event, TrailIsAppendOnly
from audit.registry import trail
from tenants import functions
from tenants.context import Actor, enter, required
from tenants.models import Organisation
from tests import servers
from tests.audit.conftest import Left
from tests.audit.probes import BULK, ROW

FORBIDDEN = {
    "direct insert": "INSERT INTO audit_event (epoch, at_us, code, type_id, payload) VALUES (1, 1, 'x.y', 0, '{}')",
    "forged place": "INSERT INTO audit_event (epoch, txid, at_us, code, type_id, payload) VALUES (1, '3', 1, 'x', 0, '')",
    "change": "UPDATE audit_event SET payload = '{}'",
    "deletion": "DELETE FROM audit_event",
    "truncation": "TRUNCATE audit_event",
    "private part changed": "UPDATE audit_private SET value = 'x'",
    "private part deleted": "DELETE FROM audit_private",
    "epoch opened": "INSERT INTO audit_epoch VALUES (2, 0, 'mine')",
    "epoch closed": "DELETE FROM audit_epoch",
    "segment deleted": "DELETE FROM audit_segment",
    "another's trail invented": "INSERT INTO audit_annexed_trail VALUES (uuidv7(), 'n', 's', now(), 'merge', true, '{}')",
    "another's entry invented": "INSERT INTO audit_annexed_event (source, epoch, txid, eid, at_us, code, type_id, payload) VALUES (uuidv7(), 1, '3', 1, 1, 'x', 0, '{}')",
    "another's entry changed": "UPDATE audit_annexed_event SET payload = '{}'",
    "another's entries deleted": "DELETE FROM audit_annexed_event",
    "another's entries truncated": "TRUNCATE audit_annexed_event",
    "another's private parts deleted": "DELETE FROM audit_annexed_private",
    "another's segments deleted": "DELETE FROM audit_annexed_segment",
    "another's keys changed": "UPDATE audit_annexed_key SET new = old",
    "sequence set back": "SELECT setval('audit_event_eid_seq', 1)",
    "sequence used up": "SELECT nextval('audit_event_eid_seq')",
    "replica mode": "SET session_replication_role = replica",
    "trigger disabled": "ALTER TABLE probe_row DISABLE TRIGGER audit_row",
    "trigger dropped": "DROP TRIGGER audit_row ON probe_row",
    "trigger added": "CREATE TRIGGER z BEFORE INSERT ON probe_row FOR EACH ROW EXECUTE FUNCTION audit_row@()",
    "function replaced": "CREATE OR REPLACE FUNCTION audit_row@() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'",
    "function dropped": "DROP FUNCTION audit_record@(text, integer, uuid, jsonb, jsonb, uuid)",
    "helper called": "SELECT audit_append@(audit_context@(true), 'auth.group.added', 1, NULL, '', NULL, NULL)",
    "table dropped": "DROP TABLE audit_event",
    "rule added": "CREATE RULE r AS ON INSERT TO audit_event DO INSTEAD NOTHING",
    "captured table truncated": "TRUNCATE probe_row",
    "captured key changed": "UPDATE probe_bulk SET id = uuidv7()",
    "row event forged": "SELECT audit_record@('auth.group.added', 1, NULL, '{}', '{}', NULL)",
    "odd actor": "SELECT set_config('app.actor', '{\"kind\": \"god\"}', true); INSERT INTO probe_row (name) VALUES ('a')",
    "actor taken away": "SELECT set_config('app.actor', '', true); INSERT INTO probe_row (name) VALUES ('a')",
    "actor taken away, bulk": "SELECT set_config('app.actor', '', true); DELETE FROM probe_bulk",
    "diverted by a temporary table": "CREATE TEMPORARY TABLE audit_event (LIKE audit_event)",
    "nobody erased": "SELECT audit_erase@(NULL, 0, 'because')",
}  # fmt: skip


@pytest.fixture
def filled(inside: Any) -> Any:
    """One row in each table of the tests."""
    inside.execute(
        "INSERT INTO probe_row (name, person) VALUES ('r', 'P'); INSERT INTO probe_bulk (kind) VALUES ('b')"
    )
    return inside


class TestTheTenantsRole:
    @pytest.mark.parametrize("name", FORBIDDEN)
    def test_is_refused(self, filled: Any, left: Left, name: str) -> None:
        with pytest.raises(DatabaseError), transaction.atomic():
            filled.execute(functions.written(FORBIDDEN[name], required().schema))

        assert left.events() == []

    def test_cannot_divert_it_by_a_path(self, filled: Any, left: Left) -> None:
        schema = required().schema
        filled.execute("SELECT set_config('search_path', 'pg_catalog', true)")
        filled.execute(f"INSERT INTO {schema}.probe_row (name) VALUES ('a')")

        filled.execute("SELECT set_config('search_path', %s, true)", (schema,))
        assert left.codes() == {"probe.row.added": 1}

    def test_may_read_it(self, filled: Any) -> None:
        before = Event.objects.filter(code="probe.row.added").count()
        filled.execute("INSERT INTO probe_row (name) VALUES ('one more')")
        assert Event.objects.filter(code="probe.row.added").count() == before + 1

    def test_is_told_early_by_the_orm(self, filled: Any) -> None:
        event = Event.objects.filter(code="probe.row.added").latest("eid")
        for write in (event.delete, event.save, Event.objects.all().delete, Event.objects.create):
            with pytest.raises(TrailIsAppendOnly):
                write()


class TestTheOwner:
    def test_cannot_divert_it_by_a_temporary_table(self, owner: psycopg.Connection, probes: None) -> None:
        # Nobody may make one here; and if somebody might, it would be looked for last, not first.
        paths = owner.execute(
            "SELECT DISTINCT proconfig[1] FROM pg_proc WHERE prosecdef AND starts_with(proname, 'audit_')"
        ).fetchall()

        schemas = {path.removeprefix("search_path=") for (path,) in paths}
        assert schemas
        assert all(schema.endswith(", pg_temp") and schema.startswith("t_") for schema in schemas)

    def test_is_not_silent_in_replica_mode(self, owner: psycopg.Connection, probes: None) -> None:
        schema = owner.execute("SELECT current_schema()").fetchone()
        assert servers.POSTGRES is not None
        assert schema is not None
        with psycopg.connect(servers.POSTGRES.superuser_url("shard_1")) as highest:
            highest.execute(f"SET search_path = {schema[0]}")
            highest.execute("SET session_replication_role = replica")
            highest.execute("""SET app.actor = '{"kind": "system", "label": "Test"}'""")
            before = _count(highest)
            highest.execute("INSERT INTO probe_row (name) VALUES ('a')")
            highest.execute("INSERT INTO probe_bulk (name) VALUES ('b'), ('c')")
            assert _count(highest) == before + 3
            highest.rollback()

    def test_is_named_when_a_migration_writes(self, owner: psycopg.Connection, probes: None) -> None:
        with owner.transaction(force_rollback=True):
            owner.execute("INSERT INTO probe_row (name) VALUES ('migrated')")
            row = owner.execute(
                "SELECT payload FROM audit_event ORDER BY txid DESC, eid DESC LIMIT 1"
            ).fetchone()

        assert row is not None
        assert '"label": "Migration"' in row[0]

    def test_changes_the_digest_by_switching_a_trigger_off(
        self, owner: psycopg.Connection, probes: None
    ) -> None:
        with owner.transaction(force_rollback=True):
            before = _trigger_digest(owner)
            owner.execute("ALTER TABLE probe_row DISABLE TRIGGER audit_row")
            assert _trigger_digest(owner) != before

    def test_finds_nothing_to_do_the_second_time(self, owner: psycopg.Connection, probes: None) -> None:
        triggers = "SELECT oid FROM pg_trigger WHERE starts_with(tgname, 'audit_') ORDER BY oid"
        before = owner.execute(triggers).fetchall()
        with owner.cursor() as cursor:
            install_tables(cursor, [*trail.captured(), BULK, ROW])

        assert owner.execute(triggers).fetchall() == before

    def test_mends_a_trigger_that_is_off(self, owner: psycopg.Connection, probes: None) -> None:
        with owner.transaction(force_rollback=True):
            before = _trigger_digest(owner)
            owner.execute("ALTER TABLE probe_row DISABLE TRIGGER audit_row")
            with owner.cursor() as cursor:
                install_tables(cursor, [*trail.captured(), BULK, ROW])
            assert _trigger_digest(owner) == before


@pytest.mark.parametrize("alias", ["shard_1", "shard_2"])
def test_every_table_of_a_schema_is_watched(organisations: dict[str, Organisation], alias: str) -> None:
    slug = {"shard_1": "pulse", "shard_2": "tide"}[alias]
    bulk = {"audit_insert", "audit_update", "audit_delete", "audit_key", "audit_truncate"}
    expected = {one.table: bulk if one.bulk else {"audit_row", "audit_truncate"} for one in trail.captured()}
    expected |= {model._meta.db_table: set() for model in trail.excluded()}
    with psycopg.connect(os.environ[f"OWNER_{alias.upper()}_DATABASE_URL"]) as owner:
        rows = owner.execute(
            "SELECT relname, array(SELECT tgname::text FROM pg_trigger WHERE tgrelid = class.oid "
            "AND tgenabled = 'A' AND starts_with(tgname, 'audit_')) FROM pg_class AS class "
            "WHERE relnamespace = %s::regnamespace AND relkind IN ('r', 'p')",
            (organisations[slug].schema_name,),
        ).fetchall()
    found = {table: set(triggers) for table, triggers in rows if not table.startswith("probe_")}

    # The list of migrations is Django's own, written by the owner only; the library's table is a view.
    assert found.pop("django_migrations") == set()
    assert expected.pop("auditlog_logentry") == set()
    assert found == expected


class TestAnEffectWithoutItsEvent:
    """The trail is full, or locked: what cannot be recorded does not happen."""

    @pytest.mark.parametrize("table", ["probe_row", "probe_bulk"])
    def test_does_not_happen_when_it_cannot_be_written(
        self, owner: psycopg.Connection, probes: None, organisations: dict[str, Organisation], table: str
    ) -> None:
        with owner.transaction(force_rollback=True):
            owner.execute("ALTER TABLE audit_event ADD CONSTRAINT is_full CHECK (false) NOT VALID")
            _become_tenant(owner, organisations["pulse"])
            with pytest.raises(psycopg.errors.CheckViolation), owner.transaction():
                owner.execute(f"INSERT INTO {table} (name) VALUES ('unseen')")
            rows = owner.execute(f"SELECT count(*) FROM {table} WHERE name = 'unseen'").fetchone()

        assert rows == (0,)

    def test_does_not_happen_while_it_is_locked(
        self, owner: psycopg.Connection, probes: None, organisations: dict[str, Organisation]
    ) -> None:
        with (
            owner.transaction(),
            psycopg.connect(os.environ["SHARD_1_DATABASE_URL"]) as tenant,
        ):
            owner.execute("LOCK TABLE audit_event IN SHARE ROW EXCLUSIVE MODE")
            _become_tenant(tenant, organisations["pulse"])
            tenant.execute("SET LOCAL lock_timeout = '50ms'")
            with pytest.raises(psycopg.errors.LockNotAvailable), tenant.transaction():
                tenant.execute("DELETE FROM records_record; INSERT INTO probe_row (name) VALUES ('unseen')")
            rows = tenant.execute("SELECT count(*) FROM probe_row WHERE name = 'unseen'").fetchone()

        assert rows == (0,)


def _become_tenant(connection: psycopg.Connection, organisation: Organisation) -> None:
    connection.execute(
        "SELECT set_config('role', %s, true), set_config('search_path', %s, true), "
        """set_config('app.actor', '{"kind": "system", "label": "Test"}', true)""",
        (organisation.schema_name, organisation.schema_name),
    )


def _count(connection: psycopg.Connection) -> int:
    row = connection.execute("SELECT count(*) FROM audit_event").fetchone()
    assert row is not None
    return int(row[0])


class TestAnotherOrganisation:
    def test_cannot_read_it(self, pulse: Organisation, tide: Organisation) -> None:
        with psycopg.connect(os.environ["SHARD_1_DATABASE_URL"]) as connection:
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(f"SELECT * FROM {pulse.placement().schema}.audit_event")

    def test_has_its_own(
        self, inside: Any, pulse: Organisation, organisations: dict[str, Organisation]
    ) -> None:
        events.record("access.denied", details={"what": "the marker of Pulse"})
        inside.execute("SELECT count(*) FROM audit_event WHERE payload LIKE '%%marker of Pulse%%'", ())
        assert inside.fetchone()[0] == 1


class TestIntent:
    def test_stands_with_who_and_what(self, inside: Any, left: Left) -> None:
        events.record("access.denied", details={"what": "the door"}, personal={"address": "cy@x.example"})

        (event,) = left.events()
        assert event["details"] == {"what": "the door"}
        assert event["personal"] == ["address"]
        assert event["private"] == {"details": {"address": "cy@x.example"}}
        assert event["request"] == "r-1"

    def test_is_refused_when_nobody_declared_it(self, inside: Any) -> None:
        with pytest.raises(UnknownCode):
            events.record("door.kicked")

    def test_goes_with_its_transaction(self, inside: Any, left: Left) -> None:
        with pytest.raises(RuntimeError), transaction.atomic():
            events.record("access.denied", details={"what": "x"})
            raise RuntimeError

        assert left.events() == []

    def test_does_not_name_a_person(self, pulse: Organisation) -> None:
        with enter(pulse, actor=Actor(kind="person", label="Grace Hopper")) as context:
            events.record("access.denied", details={"what": "x\x00y"})
            with connections[context.alias].cursor() as cursor:
                cursor.execute("SELECT string_agg(payload, ' ') FROM audit_event")
                assert "Grace" not in cursor.fetchone()[0]


def _trigger_digest(owner: psycopg.Connection) -> object:
    row = owner.execute("SELECT current_schema()").fetchone()
    assert row is not None
    return owner.execute(functions.written("SELECT audit_trigger_digest@()", row[0]).encode()).fetchone()
