"""Clocks of machines that are wrong, or are set while something runs: leases and sessions do not notice.

Each process has a wall clock of its own, by a small library that is loaded before it (clock.c) and needs a
C compiler. The database's clock is the machine's. A clock that is smeared over a day is not tried: it differs
from a right one by less than the steps here.
"""

import shutil
import struct
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from config.embedded.ports import free_port
from jobs.models import JobState
from tests.browser import site
from tests.faults.ledger import Ledger, open_ledger
from tests.jobs.lasting import KINDS, ask, effects, ended
from tests.servers import FOLDER
from tests.workers import lasting, start_worker

pytestmark = pytest.mark.nightly
HOUR, MINUTE = 3600, 60


@pytest.fixture(scope="module", autouse=True)
def second() -> None:
    """No second database is needed here."""


@pytest.fixture(autouse=True)
def well() -> None:
    """Nor is it left running."""


class Clock:
    """The wall clock of the processes that are given it."""

    def __init__(self, library: Path, name: str) -> None:
        self.file = FOLDER / f"clock-{name}"
        self.set(0)
        self.variables = {"LD_PRELOAD": str(library), "ENCLAVE_TESTS_CLOCK": str(self.file)}

    def set(self, seconds: int) -> None:
        """Let it run ahead by so many seconds, or behind."""
        with self.file.open("r+b" if self.file.exists() else "wb") as file:
            file.write(struct.pack("l", seconds))


@pytest.fixture(scope="module")
def library(running_servers: None) -> Path:
    """The library, compiled."""
    compiler = shutil.which("cc")
    assert compiler, "this test needs a C compiler called cc"
    made = FOLDER / "clock.so"
    source = Path(__file__).with_name("clock.c")
    subprocess.run([compiler, "-shared", "-fPIC", "-O1", "-o", str(made), str(source), "-ldl"], check=True)
    return made


class TestClock:
    def test_is_the_processs_own(self, library: Path) -> None:
        """The instrument itself: otherwise the tests below would show nothing."""
        clock = Clock(library, "own")
        told = (
            "import time, datetime as d; now = time.time(); "
            "print(round(now - d.datetime.now().timestamp()), int(now))"
        )
        ask_it = [sys.executable, "-c", told]
        seen = []
        for step in (0, HOUR):
            clock.set(step)
            said = subprocess.run(
                ask_it,
                env={"PATH": "/usr/bin:/bin", **clock.variables},
                capture_output=True,
                text=True,
                check=True,
            )
            difference, now = said.stdout.split()
            assert difference == "0"
            seen.append(int(now))
        assert abs(seen[1] - seen[0] - HOUR) < MINUTE


class TestLeases:
    @pytest.mark.parametrize(("ahead", "behind"), [(45, -45), (HOUR, -HOUR)], ids=["90 s apart", "2 h apart"])
    def test_are_the_databases(self, library: Path, ahead: int, behind: int) -> None:
        """Two workers with wrong clocks: nobody takes over what the other still has, or leaves it lying."""
        organisation, started = lasting(), []
        for name, step in (("ahead", ahead), ("behind", behind)):
            clock = Clock(library, f"{name}-{abs(step)}")
            clock.set(step)
            started.append(start_worker(include=KINDS, environment=clock.variables))
        try:
            for one in started:
                one.wait_until_ready()
            jobs = [ask(organisation, items=20, pause=0.3) for _ in range(2)]
            done = [ended(job, organisation, seconds=120) for job in jobs]
            assert [(job.state, job.lease_token, job.lapses) for job in done] == [
                (JobState.SUCCEEDED, 1, 0)
            ] * 2
            assert len(effects(organisation)) == 40
        finally:
            for one in started:
                one.kill()


@pytest.fixture(scope="module")
def ledger(running_servers: None) -> Ledger:
    """People who are signed in."""
    return open_ledger(lasting())


@pytest.fixture(scope="module")
def stepping(library: Path) -> Iterator[tuple[int, Clock]]:
    """A web server whose clock can be set."""
    clock, port = Clock(library, "web"), free_port()
    with site._web(port, {"DJANGO_SETTINGS_MODULE": site.SETTINGS, **clock.variables}):
        yield port, clock


class TestSessions:
    def test_do_not_end_early_when_the_clock_is_set(
        self, ledger: Ledger, stepping: tuple[int, Clock]
    ) -> None:
        port, clock = stepping
        for step in (0, 5 * MINUTE, -5 * MINUTE, HOUR, -HOUR, HOUR, 0):
            # Ahead as a whole: set back before the day on which somebody joined, they are not here yet.
            clock.set(2 * HOUR + step)
            assert ledger.read(port) == 200, step
            assert ledger.write(port) == 302, step
        assert ledger.faults() == []

    def test_end_when_they_should(self, ledger: Ledger, stepping: tuple[int, Clock]) -> None:
        """The clock is felt: far enough ahead everybody has to sign in."""
        port, clock = stepping
        clock.set(40 * 24 * HOUR)
        assert ledger.read(port) == 401
        clock.set(2 * HOUR)
