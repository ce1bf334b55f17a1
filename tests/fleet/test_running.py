"""A script goes from schema to schema by itself: what becomes of the others when one of them fails."""

from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest
from django.db.migrations import Migration

from operations.fleet.parts import Part
from operations.fleet.running import run
from operations.fleet.work import Outcome, Target, Work
from tenants.names import TEMPLATE_SCHEMA
from tenants.schema import labels
from tests.fleet.conftest import Fleet

MADE = "CREATE TABLE by_script (id integer)"


@pytest.fixture
def slugs(fleet: Fleet) -> list[str]:
    """Three organisations of one shard, in the order in which they come: the last two in one call."""
    return sorted(slug for slug, (alias, _) in fleet.schemas.items() if alias == "shard_1")


def part_of(fleet: Fleet, schema: str, *statements: str) -> tuple[str, Part]:
    """Return statements as a part with one migration, and the version that a schema has to be at for it."""
    with psycopg.connect(fleet.server.superuser_url("shard_1")) as connection:

        def said(query: str, *values: object) -> str:
            row = connection.execute(query.encode(), values).fetchone()
            assert row is not None
            return str(row[0])

        now, mark = (
            said("SELECT enclave.version_of(%s, %s)", schema, labels()),
            said("SELECT enclave.mark_of(%s)", schema),
        )
        had = f"{schema}.django_migrations (app, name, applied)"
        row = f"INSERT INTO {had} VALUES ('gear', '0009_script', now())"
        connection.execute(row.encode())
        aim = said("SELECT enclave.version_of(%s, %s)", schema, labels())
        connection.rollback()
    return now, Part(
        (Migration("0009_script", "gear"),), as_text=True, aim=aim, mark=mark, statements=statements
    )


def outcomes(fleet: Fleet, slugs: list[str], *statements: str) -> dict[str, Outcome]:
    """Run statements as a script, on one connection."""
    schemas = [fleet.schemas[slug][1] for slug in slugs]
    start, part = part_of(fleet, schemas[0], *statements)
    targets = [Target(number, "shard_1", schema) for number, schema in enumerate(schemas)]  # type: ignore[arg-type]  # any key will do
    addresses = {"shard_1": fleet.server.superuser_url("shard_1")}
    found = run(Work([part], start, TEMPLATE_SCHEMA), targets, addresses=addresses, width=1)
    return {slugs[outcome.target.id]: outcome for outcome in found}  # type: ignore[call-overload]  # as above


def has_table(fleet: Fleet, slug: str) -> bool:
    """Return whether the script was done there."""
    ((there, written),) = fleet.ask(
        slug,
        "SELECT to_regclass('by_script') IS NOT NULL, "
        "EXISTS (SELECT FROM django_migrations WHERE name = '0009_script')",
    )
    assert there == written
    return bool(there)


def test_one_that_fails_in_the_middle_stops_nobody(fleet: Fleet, slugs: list[str]) -> None:
    _, second, _ = slugs
    spoilt = f"SELECT 1 / (current_schema() <> '{fleet.schemas[second][1]}')::integer"
    found = outcomes(fleet, slugs, MADE, spoilt)
    assert [bool(found[slug].version) for slug in slugs] == [True, False, True]
    assert "division by zero" in found[second].error
    assert [has_table(fleet, slug) for slug in slugs] == [True, False, True]


def test_the_last_of_a_call_fails(fleet: Fleet, slugs: list[str]) -> None:
    spoilt = f"SELECT 1 / (current_schema() <> '{fleet.schemas[slugs[-1]][1]}')::integer"
    found = outcomes(fleet, slugs, MADE, spoilt)
    assert [bool(found[slug].version) for slug in slugs] == [True, True, False]
    assert [has_table(fleet, slug) for slug in slugs] == [True, True, False]


def test_nothing_is_believed_of_a_connection_that_was_lost(fleet: Fleet, slugs: list[str]) -> None:
    """Whatever it has committed may not be on the disk: the next run looks."""
    last = fleet.schemas[slugs[-1]][1]
    ends = f"SELECT pg_terminate_backend(pg_backend_pid()) WHERE current_schema() = '{last}'"
    found = outcomes(fleet, slugs, MADE, ends)
    assert [outcome.version for outcome in found.values()] == ["", "", ""]
    assert all(outcome.error for outcome in found.values())
    assert not has_table(fleet, slugs[-1])


def test_two_processes_do_it_once(fleet: Fleet, slugs: list[str]) -> None:
    """What a killed process has sent is still at work when the next run comes to the same schema."""
    slow = "SELECT pg_sleep(0.5)"
    with ThreadPoolExecutor(2) as threads:
        both = list(threads.map(lambda _: outcomes(fleet, slugs[:1], slow, MADE), range(2)))
    first, second = (found[slugs[0]] for found in both)
    assert (first.error, second.error) == ("", "")
    assert first.version == second.version
    assert has_table(fleet, slugs[0])
