"""Two migrations of two large tables are two transactions: nobody waits for the one because of the other."""

import psycopg
import pytest

from tests.fleet.conftest import Fleet
from tests.workers import wait_for

pytestmark = pytest.mark.nightly
HAD = "SELECT count(*) FROM django_migrations WHERE app = 'gear'"


def test_a_table_in_use_keeps_no_other_one_locked(fleet: Fleet) -> None:
    slug = max(fleet.schemas)
    alias, schema = fleet.schemas[slug]
    with psycopg.connect(fleet.server.superuser_url(alias)) as holder:
        # A long report of jobs; meanwhile others want to look at their speakers.
        holder.execute(f"LOCK TABLE {schema}.jobs_job IN ACCESS SHARE MODE".encode())
        process = fleet.command("migrate_fleet", later="tables")
        wait_for(lambda: fleet.ask(slug, HAD) == [(2,)], seconds=15)
    said, _ = process.communicate(timeout=60)
    assert process.returncode == 0, said
    assert said.count(": migrated") == 6
    assert [fleet.ask(one, HAD) for one in fleet.schemas] == [[(3,)]] * 6
    assert len(set(fleet.states().values())) == 1
