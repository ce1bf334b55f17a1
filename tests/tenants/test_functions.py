"""Functions in the database are an organisation's own, by their names: see tenants.functions."""

import os
from collections.abc import Iterator

import psycopg
import pytest

from audit import install as audit_hook
from records import install as records_hook
from tenants import capabilities, functions, schema, standstill
from tenants.functions import Function, NameTooLong
from tenants.models import Organisation
from tenants.names import new_schema_name

HOOKS = (
    schema.make_wake_function,
    audit_hook.install,
    standstill.install,
    capabilities.make_function,
    records_hook.install,
)
MADE = (
    "SELECT 'f', oid::bigint, xmin::text FROM pg_proc WHERE pronamespace = current_schema()::regnamespace "
    "UNION ALL SELECT 't', tg.oid::bigint, tg.xmin::text "
    "FROM pg_trigger AS tg JOIN pg_class AS class ON class.oid = tgrelid "
    "WHERE relnamespace = current_schema()::regnamespace ORDER BY 1, 2"
)
# As they were called before their names were their own.
FORMER = """
CREATE FUNCTION enclave_wake(kind text, due timestamptz) RETURNS void LANGUAGE sql AS '';
CREATE FUNCTION enclave_had(wanted text[]) RETURNS SETOF text LANGUAGE sql AS 'SELECT 1::text';
CREATE FUNCTION enclave_standstill() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
CREATE FUNCTION audit_row() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
CREATE FUNCTION records_digest(kept jsonb) RETURNS uuid LANGUAGE sql AS 'SELECT NULL::uuid';
CREATE OR REPLACE TRIGGER enclave_standstill BEFORE INSERT ON jobs_job
    FOR EACH STATEMENT EXECUTE FUNCTION enclave_standstill();
CREATE OR REPLACE TRIGGER audit_row AFTER INSERT ON jobs_job FOR EACH ROW EXECUTE FUNCTION audit_row();
"""


@pytest.fixture
def owner(pulse: Organisation) -> Iterator[psycopg.Connection]:
    """Connect as the owner to an organisation's schema; nothing that is done stays."""
    with psycopg.connect(os.environ["OWNER_SHARD_1_DATABASE_URL"], autocommit=True) as connection:
        connection.execute("SELECT set_config('search_path', %s, false)", (pulse.schema_name,))
        with connection.transaction(force_rollback=True):
            yield connection


def install(owner: psycopg.Connection) -> None:
    """Run the hooks that make functions and triggers."""
    with owner.cursor() as cursor:
        for hook in HOOKS:
            hook(cursor)


class TestInTheDatabase:
    def test_no_name_lies_in_two_schemas(self, organisations: dict[str, Organisation]) -> None:
        """Or a connection keeps those of all organisations for each one that it calls."""
        for alias in ("SHARD_1", "SHARD_2"):
            with psycopg.connect(os.environ[f"OWNER_{alias}_DATABASE_URL"]) as connection:
                shared = connection.execute(
                    "SELECT proname, count(*) FROM pg_proc "
                    "WHERE pronamespace::regnamespace::text LIKE 't\\_%' GROUP BY proname HAVING count(*) > 1"
                ).fetchall()
                assert shared == []

    def test_each_has_the_schemas_name(self, owner: psycopg.Connection, pulse: Organisation) -> None:
        names = owner.execute(
            "SELECT proname FROM pg_proc WHERE pronamespace = current_schema()::regnamespace"
        ).fetchall()
        assert len(names) > 15
        former = {name for (name,) in names if not name.endswith(f"_{pulse.schema_name}")}
        assert {name for name in former if not name.startswith("probe_")} == set()  # the trail's tests'

    def test_are_left_alone_the_second_time(self, owner: psycopg.Connection) -> None:
        install(owner)
        before = owner.execute(MADE).fetchall()
        install(owner)
        assert owner.execute(MADE).fetchall() == before

    def test_take_the_place_of_former_ones(self, owner: psycopg.Connection) -> None:
        install(owner)
        asked = "SELECT * FROM enclave.digests_of(current_schema()::text, NULL) ORDER BY 1"
        before = owner.execute(asked).fetchall()
        owner.execute(FORMER)
        assert owner.execute(asked).fetchall() != before
        install(owner)
        assert owner.execute(asked).fetchall() == before

    def test_are_named_anew_with_the_schema(self, owner: psycopg.Connection, pulse: Organisation) -> None:
        """As an exchange with a restored schema does it: digests and what triggers call stay."""
        old, new = str(pulse.schema_name), new_schema_name()
        digests = "SELECT * FROM enclave.digests_of(%s, NULL) ORDER BY 1"
        before = owner.execute(digests, (old,)).fetchall()
        owner.execute("SELECT enclave.rename_schema(%s, %s)", (old, new))
        assert owner.execute(digests, (new,)).fetchall() == before
        assert owner.execute(
            "SELECT count(*) FROM pg_proc WHERE strpos(pg_get_functiondef(oid), %s) > 0 AND prokind = 'f'",
            (old,),
        ).fetchone() == (0,)
        owner.execute("SELECT set_config('search_path', %s, true)", (new,))
        owner.execute("""SET LOCAL app.actor = '{"kind": "system", "label": "Test"}'""")
        entries = "SELECT count(*) FROM audit_event"
        (so_far,) = owner.execute(entries).fetchone() or (0,)
        owner.execute("INSERT INTO auth_group (name) VALUES ('after the new name')")
        assert owner.execute(entries).fetchone() == (so_far + 1,)


class TestStatements:
    def test_have_names_and_operators(self) -> None:
        name = new_schema_name()
        text = "SELECT audit_key@(x) FROM y WHERE z @> '{}' AND a@>b"
        assert functions.written(text, name) == (
            f"SELECT audit_key_{name}(x) FROM y WHERE z @> '{{}}' AND a@>b"
        )

    def test_refuse_a_name_that_would_be_cut_off(self) -> None:
        with pytest.raises(NameTooLong):
            functions.own("a" * 41, new_schema_name())

    def test_are_known_again_by_a_digest(self) -> None:
        one = Function(
            "f", "CREATE OR REPLACE FUNCTION f@() RETURNS int LANGUAGE sql AS $body$\nSELECT 1\n$body$"
        )
        two = Function("f", one.statement.replace("1", "2"))
        assert one.mark != two.mark
        assert one.mark in one.written(new_schema_name())
