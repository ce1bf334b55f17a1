"""INF-1: web server, worker, beat and sealer killed at random, again and again, under load.

Nothing is lost or doubled. The mover is in tests/moves/test_killed.py; kills of workers in the middle of
imports and of chunks are in tests/imports/test_killed.py and tests/jobs/test_workers.py.
"""

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import psutil  # type: ignore[import-untyped]  # the package ships no types
import psycopg
import pytest
from django.db import connections

from audit.exporting import lines
from audit.verifier import verify
from config.embedded.ports import free_port
from jobs.models import Job, JobState
from tenants.context import enter
from tenants.models import Organisation
from tests import servers
from tests.browser import site
from tests.faults.ledger import ACTOR, Ledger, open_ledger
from tests.faults.nursery import Born, Nursery, nursery
from tests.jobs.lasting import KINDS, ask, effects, ended
from tests.servers import FOLDER, ROOT
from tests.workers import QUEUES, SOON, lasting, wait_for

pytestmark = pytest.mark.nightly
KILLS = 100  # of each
SEED = 20
WORKER = ("worker", "-P", "prefork", "-c", "2", "-Q", QUEUES, "-I", KINDS, "-l", "INFO")
QUIET = ("--without-gossip", "--without-mingle", "--without-heartbeat")
# Where beat writes down what it has sent: kept, as in production, so that a kill may fall into the writing.
BEAT = ("beat", "--pidfile", "", "--schedule", str(FOLDER / "beat-that-is-killed"), "-l", "INFO")


@pytest.fixture(scope="module", autouse=True)
def second() -> None:
    """No second database is needed here."""


@pytest.fixture(autouse=True)
def well() -> None:
    """Nor is it left running."""


@pytest.fixture
def ledger(running_servers: None) -> Ledger:
    """Writers of one organisation."""
    return open_ledger(lasting())


class Part:
    """A process of Celery's that is started again whenever it was killed."""

    def __init__(self, place: Nursery, chance: random.Random, *words: str, says: str) -> None:
        self._place, self._chance, self._words, self._says = place, chance, words, says
        self._now = self._begin()

    def _begin(self) -> Born:
        return self._place.fork("celery", "-A", "config.celery", *self._words)

    def kill(self) -> None:
        """Kill one of its processes while it works; where that was the first of them, start anew."""
        wait_for(lambda: self._says in self._now.said() or not self._now.is_running(), seconds=60)
        assert self._now.is_running(), self._now.said()
        time.sleep(self._chance.uniform(0, 0.3))
        one = self._chance.choice(self._now.processes())
        with suppress(ProcessLookupError):
            os.kill(one, signal.SIGKILL)
        if one == self._now.pid:
            self._now.kill()
            self._now = self._begin()


@contextmanager
def victims(chance: random.Random) -> Iterator[tuple[int, list[Callable[[], None]]]]:
    """Run an installation; yield its port, and what kills one of its web processes, its worker, its beat."""
    port = free_port()
    variables = {**SOON, "DJANGO_SETTINGS_MODULE": site.SETTINGS, "ENCLAVE_PORT": str(port)}

    def kill_a_web_process() -> None:
        """Kill the process that serves; its parent starts another one."""
        time.sleep(chance.uniform(0, 0.1))
        for process in psutil.Process(server).children():
            process.kill()

    # As in production all processes of the web server come from one that has loaded everything.
    with site._web(port, variables, "--preload") as server, nursery(variables) as place:
        worker = Part(place, chance, *WORKER, *QUIET, says=" ready.")
        beat = Part(place, chance, *BEAT, says="beat: Starting")
        yield port, [kill_a_web_process, worker.kill, beat.kill]


def job_faults(organisation: Organisation) -> list[str]:
    """Return what is not as it should be between what jobs say they have done and what is there."""
    alias = str(organisation.shard_id)
    with enter(organisation, actor=ACTOR), connections[alias].cursor() as cursor:
        # One statement: all of it is of one moment.
        cursor.execute(
            "SELECT (SELECT coalesce(sum(done), 0) FROM jobs_job WHERE kind = 'tests.items'), "
            "(SELECT count(*) FROM jobs_outgoingmail WHERE \"to\" = 'nobody@enclave.example'), "
            "(SELECT count(*) FROM jobs_job WHERE state IN ('failed', 'cancelled'))"
        )
        said, there, failed = cursor.fetchone()
    found = [] if said == there else [f"{said} items are said to be done, and {there} are"]
    return found + [f"{failed} jobs failed"] * bool(failed)


class TestKills:
    def test_at_random_lose_and_double_nothing(self, ledger: Ledger) -> None:
        """A hundred of each, in random order; what must always hold is looked at after each of them."""
        chance, asked, organisation = random.Random(SEED), list[Job](), ledger.organisation
        with victims(chance) as (port, kills), ledger.writing(port, writers=2):
            order = kills * KILLS
            chance.shuffle(order)
            for number, kill in enumerate(order):
                if number % 3 == 0:
                    asked.append(ask(organisation, items=4, pause=0.05))
                before = len(ledger.acknowledged)
                kill()
                ledger.wait_for_more(than=before + 2)
                assert ledger.faults() + job_faults(organisation) == []
            done = [ended(job, organisation, seconds=120) for job in asked]
        assert {job.state for job in done} == {JobState.SUCCEEDED}
        assert len(effects(organisation)) == 4 * len(asked)
        with enter(organisation, actor=ACTOR):
            assert not Job.objects.filter(state=JobState.RUNNING).exists()
        assert ledger.faults() == []
        # They were felt: requests were cut off, and workers vanished in the middle of jobs.
        assert ledger.said[0] > 0
        assert sum(job.lease_token > 1 for job in done) > 5


def sealing_faults(organisation: Organisation) -> tuple[list[str], int, int]:
    """Return what the verifier finds wrong with a trail, how much of it is sealed, and in how many parts."""
    assert servers.POSTGRES is not None
    address = servers.POSTGRES.superuser_url(str(organisation.shard_id))
    with psycopg.connect(address, autocommit=True) as connection, connection.transaction():
        connection.execute(f"SET LOCAL search_path = {organisation.schema_name}".encode())
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        with connection.cursor() as cursor:
            report = verify(lines(cursor))
    return [str(fault) for fault in report.faults], report.sealed, report.segments


class TestSealer:
    def test_killed_at_random_leaves_one_chain(self, ledger: Ledger) -> None:
        """A hundred times, while people write: each entry is sealed once, and no part of the chain lacks."""
        chance, port, organisation = random.Random(SEED), free_port(), ledger.organisation
        variables = {**SOON, "DJANGO_SETTINGS_MODULE": site.SETTINGS, "ENCLAVE_PORT": str(port)}
        killed = 0
        with (
            site._web(port, variables, "--preload"),
            nursery({**variables, "ENCLAVE_LOGIN": "owner"}) as place,
            ledger.writing(port, writers=2),
        ):
            for number in range(KILLS):
                sealer = place.fork("manage.py", "seal", str(organisation.slug))
                time.sleep(chance.uniform(0.1, 0.6))  # to begin takes half of it
                killed += sealer.kill()
                if number % 10 == 9:
                    assert sealing_faults(organisation)[0] == []
                ledger.wait_for_more(than=len(ledger.acknowledged))
        last = subprocess.run(
            [sys.executable, str(ROOT / "manage.py"), "seal", str(organisation.slug)],
            env={**os.environ, "ENCLAVE_LOGIN": "owner"},
            check=True,
        )
        faults, sealed, segments = sealing_faults(organisation)
        assert (last.returncode, faults) == (0, [])
        assert sealed > KILLS
        assert segments > 10  # many came to their end before they were killed
        assert killed > KILLS / 4  # and many did not
