"""A script goes from schema to schema by itself: what becomes of the others when one of them fails."""

import psycopg
import pytest

from operations.fleet.parts import Part
from operations.fleet.running import run
from operations.fleet.work import Outcome, Target, Work
from tenants.names import TEMPLATE_SCHEMA
from tests.fleet.conftest import Fleet

MADE = "CREATE TABLE by_script (id integer)"


@pytest.fixture
def slugs(fleet: Fleet) -> list[str]:
    """Three organisations of one shard, in the order in which they come: the last two in one call."""
    return sorted(slug for slug, (alias, _) in fleet.schemas.items() if alias == "shard_1")


def outcomes(fleet: Fleet, slugs: list[str], *statements: str) -> dict[str, Outcome]:
    """Run statements as a script, on one connection."""
    address = fleet.server.superuser_url("shard_1")
    with psycopg.connect(address) as connection:
        row = connection.execute("SELECT enclave.mark_of(%s)", (fleet.schemas[slugs[0]][1],)).fetchone()
    assert row is not None
    part = Part((), as_text=True, aim="later", mark=str(row[0]), statements=statements)
    targets = [Target(number, "shard_1", fleet.schemas[slug][1]) for number, slug in enumerate(slugs)]  # type: ignore[arg-type]  # any key will do
    found = run(Work([part], "now", TEMPLATE_SCHEMA), targets, addresses={"shard_1": address}, width=1)
    return {slugs[outcome.target.id]: outcome for outcome in found}  # type: ignore[call-overload]  # as above


def has_table(fleet: Fleet, slug: str) -> bool:
    """Return whether the script was done there."""
    ((there,),) = fleet.ask(slug, "SELECT to_regclass('by_script') IS NOT NULL")
    return bool(there)


def test_one_that_fails_in_the_middle_stops_nobody(fleet: Fleet, slugs: list[str]) -> None:
    _, second, _ = slugs
    spoilt = f"SELECT 1 / (current_schema() <> '{fleet.schemas[second][1]}')::integer"
    found = outcomes(fleet, slugs, MADE, spoilt)
    assert [found[slug].version for slug in slugs] == ["later", "", "later"]
    assert "division by zero" in found[second].error
    assert [has_table(fleet, slug) for slug in slugs] == [True, False, True]


def test_the_last_of_a_call_fails(fleet: Fleet, slugs: list[str]) -> None:
    spoilt = f"SELECT 1 / (current_schema() <> '{fleet.schemas[slugs[-1]][1]}')::integer"
    found = outcomes(fleet, slugs, MADE, spoilt)
    assert [found[slug].version for slug in slugs] == ["later", "later", ""]
    assert [has_table(fleet, slug) for slug in slugs] == [True, True, False]


def test_nothing_is_believed_of_a_connection_that_was_lost(fleet: Fleet, slugs: list[str]) -> None:
    """Whatever it has committed may not be on the disk: the next run looks."""
    last = fleet.schemas[slugs[-1]][1]
    ends = f"SELECT pg_terminate_backend(pg_backend_pid()) WHERE current_schema() = '{last}'"
    found = outcomes(fleet, slugs, MADE, ends)
    assert [outcome.version for outcome in found.values()] == ["", "", ""]
    assert all("terminating connection" in outcome.error for outcome in found.values())
    assert not has_table(fleet, slugs[-1])
