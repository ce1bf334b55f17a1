"""Five hundred organisations migrate while they are served, with tables in use, a failing one, and kills."""

import json
import random
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest

from tests.fleet.conftest import Fleet, fleet_of

pytestmark = pytest.mark.nightly
MANY = 500
HELD_S = 4.0


@contextmanager
def held(fleet: Fleet, slugs: list[str]) -> Iterator[None]:
    """Keep a table of each in use for some seconds, one after the other, as long reports do."""

    def hold(slug: str, after: float) -> None:
        time.sleep(after)
        alias, schema = fleet.schemas[slug]
        with psycopg.connect(fleet.server.superuser_url(alias)) as connection:
            connection.execute(f"LOCK TABLE {schema}.gear_speaker IN ACCESS SHARE MODE".encode())
            time.sleep(HELD_S)

    threads = [threading.Thread(target=hold, args=(slug, number * 0.1)) for number, slug in enumerate(slugs)]
    for thread in threads:
        thread.start()
    yield
    for thread in threads:
        thread.join()


def ended(serving: subprocess.Popen[str]) -> dict[str, object]:
    """End the serving and return what it saw."""
    said, _ = serving.communicate("end\n", timeout=60)
    found: dict[str, object] = json.loads(said)
    return found


def test_none_is_skipped_and_nobody_is_refused() -> None:
    draw = random.Random(15)
    with fleet_of(MANY) as fleet:
        slugs = sorted(fleet.schemas)
        draw.shuffle(slugs)
        odd, in_use = slugs[0], slugs[1 : 1 + MANY // 20]
        fleet.ask(odd, "ALTER TABLE gear_speaker ADD COLUMN colour text")
        serving = fleet.serve()
        with held(fleet, in_use):
            for _ in range(20):
                process = fleet.command("migrate_fleet", later="column")
                time.sleep(draw.uniform(1.0, 3.0))
                process.send_signal(signal.SIGKILL)
                process.communicate()
            said = fleet.migrate("column", fails=True)
        seen = ended(serving)
        assert "1 organisations were not migrated" in said
        assert seen["failed"] == []
        states = fleet.states()
        assert len(states) == MANY
        assert [slug for slug, (_, error) in states.items() if error] == [odd]
        assert len({version for slug, (version, _) in states.items() if slug != odd}) == 1
        for slug in slugs:
            had = "SELECT count(*) FROM django_migrations WHERE app = 'gear' AND name LIKE '0002%'"
            index = "SELECT to_regclass('speaker_by_watts') IS NOT NULL"
            whole = slug != odd
            assert (fleet.ask(slug, had), fleet.ask(slug, index)) == ([(int(whole),)], [(whole,)])
