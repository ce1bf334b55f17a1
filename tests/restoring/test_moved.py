"""INF-6 across a move: what an organisation was is read from the back-ups of where it lived then."""

import pytest

from tests.restoring.conftest import Installation, now
from tests.restoring.test_restoring import TOUCHED

SLUG = "org-0"


@pytest.mark.nightly
def test_to_a_moment_before_it_moved(backed_up: Installation) -> None:
    home, schema = backed_up.schemas[SLUG]
    away = next(alias for alias, _ in backed_up.schemas.values() if alias != home)
    then, at = backed_up.digests(SLUG), now()
    backed_up.manage("move", SLUG, "--to", away)
    backed_up.schemas[SLUG] = (away, schema)
    backed_up.ask(SLUG, "UPDATE gear_speaker SET name = 'spoilt'")
    after, settled = backed_up.digests(SLUG), now()

    planned = backed_up.manage("restore", SLUG, "--at", at.isoformat(), "--dry-run")
    assert f"of {home}, where it lived then," in planned
    assert "Done" in backed_up.restore(SLUG, "--at", at.isoformat())
    assert untouched(backed_up.digests(SLUG)) == untouched(then)

    # Since it moved it lives here, and this server's own back-up has it as it was then.
    assert f"of {home}" not in backed_up.manage("restore", SLUG, "--at", settled.isoformat(), "--dry-run")
    assert "Done" in backed_up.restore(SLUG, "--at", settled.isoformat())
    assert untouched(backed_up.digests(SLUG)) == untouched(after)


@pytest.mark.nightly
def test_to_a_shard_that_is_gone(backed_up: Installation) -> None:
    home, _ = backed_up.schemas[SLUG]
    away = next(alias for alias, _ in backed_up.schemas.values() if alias != home)
    at = now()
    backed_up.manage("move", SLUG, "--to", away)
    backed_up.control(
        'INSERT INTO tenants_shard SELECT (jsonb_populate_record(shard, \'{"alias": "shard_9"}\')).* '
        f"FROM tenants_shard AS shard WHERE alias = '{home}'"
    )
    backed_up.control("UPDATE operations_move SET source_id = 'shard_9'")

    said = backed_up.manage("restore", SLUG, "--at", at.isoformat(), "--dry-run", fails=True)

    assert "It lived on shard_9 then, which this installation does not have any more." in said


def untouched(digests: dict[str, object]) -> dict[str, object]:
    """Return the digests of the tables that restoring itself does not write to."""
    return {table: digest for table, digest in digests.items() if table not in TOUCHED}
