"""Web server, worker and beat killed at random, again and again, under load: nothing is lost or doubled.

Kills of workers in the middle of imports and of chunks are in tests/imports/test_killed.py and
tests/jobs/test_workers.py. Sealers and movers are no processes of their own yet.
"""

import os
import random
import signal
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from functools import partial

import psutil  # type: ignore[import-untyped]  # the package ships no types
import pytest

from config.embedded.ports import free_port
from jobs.models import Job, JobState
from tenants.context import enter
from tests.browser import site
from tests.faults.ledger import ACTOR, Ledger, open_ledger
from tests.jobs.lasting import KINDS, ask, effects, ended
from tests.workers import Started, beat, lasting, worker

pytestmark = pytest.mark.nightly
KILLS = 60
SEED = 20


@pytest.fixture(scope="module", autouse=True)
def second() -> None:
    """No second database is needed here."""


@pytest.fixture(autouse=True)
def well() -> None:
    """Nor is it left running."""


class Part:
    """A process of the product that is started again whenever it was killed."""

    def __init__(self, start: Callable[[], AbstractContextManager[Started]]) -> None:
        self._start = start
        self._stack = ExitStack()
        self.again()

    def again(self) -> None:
        """Kill it, and start another one."""
        self._stack.close()
        self._stack.enter_context(self._start())

    def end(self) -> None:
        """End it for good."""
        self._stack.close()


@pytest.fixture
def ledger(running_servers: None) -> Ledger:
    """Writers of one organisation."""
    return open_ledger(lasting())


@contextmanager
def parts(port: int) -> Iterator[tuple[Part, Part]]:
    """Run worker and beat, each of which may be killed."""
    variables = {"DJANGO_SETTINGS_MODULE": site.SETTINGS, "ENCLAVE_PORT": str(port)}
    started = (
        Part(lambda: worker(include=KINDS, environment=variables)),
        Part(lambda: beat(environment=variables)),
    )
    try:
        yield started
    finally:
        for one in started:
            one.end()


def kill_a_web_process(port: int) -> None:
    """Kill the process that serves; its parent starts another one."""
    for process in psutil.process_iter(["cmdline"]):
        words, parent = process.info["cmdline"] or (), process.parent()
        if f"127.0.0.1:{port}" in words and parent is not None and f"127.0.0.1:{port}" in parent.cmdline():
            with suppress(ProcessLookupError):
                os.kill(process.pid, signal.SIGKILL)
            return


class TestKills:
    def test_at_random_lose_and_double_nothing(self, ledger: Ledger) -> None:
        port, chance, asked = free_port(), random.Random(SEED), list[Job]()
        organisation = ledger.organisation
        variables = {"DJANGO_SETTINGS_MODULE": site.SETTINGS, "ENCLAVE_PORT": str(port)}
        with site._web(port, variables), parts(port) as (working, beating), ledger.writing(port, writers=2):
            for _ in range(KILLS):
                asked.append(ask(organisation, items=4, pause=0.05))
                before = len(ledger.acknowledged)
                victims: list[Callable[[], None]] = [
                    working.again,
                    beating.again,
                    partial(kill_a_web_process, port),
                ]
                chance.choice(victims)()
                ledger.wait_for_more(than=before + 2)
                assert ledger.lost() == []
            done = [ended(job, organisation, seconds=300) for job in asked]
        assert {job.state for job in done} == {JobState.SUCCEEDED}
        assert len(effects(organisation)) == 4 * KILLS
        with enter(organisation, actor=ACTOR):
            assert not Job.objects.filter(state=JobState.RUNNING).exists()
        assert ledger.faults() == []
        assert ledger.said[0] > 0
