"""Redis forgets everything, starts anew, falls silent for a minute, or is full: nobody is signed out.

A broker that is flushed and stopped under a running job is in tests/jobs/test_workers.py.
"""

import os
import signal
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass

import pytest
from redis import Redis
from redis.exceptions import OutOfMemoryError

from config.embedded.ports import free_port
from config.embedded.redis import RedisServer
from jobs.models import Job, JobState
from tenants.models import Organisation
from tests.browser import site
from tests.faults.ledger import Ledger, get, open_ledger, post
from tests.jobs.lasting import KINDS, ask, ended
from tests.servers import FOLDER
from tests.workers import beat, lasting, worker

pytestmark = pytest.mark.nightly
SILENT_SECONDS = 60
SMALL = "1mb"  # less than it has already


@pytest.fixture(scope="module", autouse=True)
def second() -> None:
    """No second database is needed here."""


@pytest.fixture(autouse=True)
def well() -> None:
    """Nor is it left running."""


@dataclass(frozen=True, slots=True)
class Installation:
    """A web server, a worker and beat on a Redis of their own."""

    redis: RedisServer
    port: int
    ledger: Ledger

    @property
    def organisation(self) -> Organisation:
        """The organisation that is worked for."""
        return self.ledger.organisation

    def client(self) -> "Redis":
        """Return a client of its Redis."""
        return Redis.from_url(self.redis.url)

    def works(self) -> None:
        """Fail unless people read and write, without being asked to sign in again."""
        assert self.ledger.read(self.port) == 200
        assert self.ledger.write(self.port) == 302
        assert get(self.port, self.ledger.host, "", "/accounts/login/") == 200


@pytest.fixture(scope="module")
def running(running_servers: None) -> Iterator[Installation]:
    """The installation, with one organisation in it."""
    redis, port = RedisServer(FOLDER / "redis-of-faults", free_port(), "another"), free_port()
    variables = {
        "REDIS_URL": redis.url,
        "DJANGO_SETTINGS_MODULE": site.SETTINGS,
        "ENCLAVE_PORT": str(port),
    }
    with ExitStack() as stack:
        stack.enter_context(redis.running())
        stack.enter_context(worker(include=KINDS, environment=variables))
        stack.enter_context(beat(environment=variables))
        stack.enter_context(site._web(port, variables))
        yield Installation(redis, port, open_ledger(lasting()))


def does_jobs(running: Installation) -> None:
    """Fail unless a job that is asked for now is done. Its bell rings elsewhere: the sweeper finds it."""
    job = ended(ask(running.organisation, items=2), running.organisation, seconds=120)
    assert job.state == JobState.SUCCEEDED


def fill(client: "Redis") -> None:
    """Leave no memory for anything more."""
    client.config_set("maxmemory", SMALL)
    with pytest.raises(OutOfMemoryError):
        for number in range(10_000):
            client.set(f"ballast {number}", "x" * 1_000)


def slows_guessing_down(running: Installation) -> None:
    """Fail unless somebody who tries passwords is told to wait, though nothing can be counted in Redis."""
    wrong = {"login": "nobody@enclave.example", "password": "not the password"}
    told = [post(running.port, running.ledger.host, "", "/accounts/login/", wrong) for _ in range(40)]
    assert 429 in told
    assert not {status for status in told if status >= 500}


class TestRedis:
    def test_forgets_everything(self, running: Installation) -> None:
        running.works()
        for _ in range(20):
            running.client().flushall()
            running.works()
        does_jobs(running)

    def test_is_started_anew(self, running: Installation) -> None:
        job = ask(running.organisation, items=30, pause=0.05)
        running.redis.stop()
        running.works()
        slows_guessing_down(running)
        running.redis.start()
        running.works()
        assert ended(job, running.organisation, seconds=120).state == JobState.SUCCEEDED
        does_jobs(running)

    def test_falls_silent(self, running: Installation) -> None:
        os.kill(running.redis.pid, signal.SIGSTOP)
        try:
            until = time.monotonic() + SILENT_SECONDS
            asked = ask(running.organisation, items=2)
            while time.monotonic() < until:
                running.works()
                time.sleep(1)
        finally:
            os.kill(running.redis.pid, signal.SIGCONT)
        assert ended(asked, running.organisation, seconds=120).state == JobState.SUCCEEDED
        does_jobs(running)

    def test_is_full(self, running: Installation) -> None:
        client = running.client()
        try:
            fill(client)
            for _ in range(5):
                running.works()
            wrong = {"login": "nobody@enclave.example", "password": "not the password"}
            # A try that cannot be counted there is refused all the same.
            assert post(running.port, running.ledger.host, "", "/accounts/login/", wrong) < 500
        finally:
            client.config_set("maxmemory", "512mb")
            client.flushall()
        running.works()
        does_jobs(running)
        assert running.ledger.faults() == []

    def test_is_full_now_and_then(self, running: Installation) -> None:
        """Messages are on their way when nothing can be written: the worker waits, and goes on."""
        client, asked = running.client(), list[Job]()
        try:
            fill(client)
            for _ in range(8):
                client.config_set("maxmemory", "512mb")
                asked.append(ask(running.organisation, items=2))
                time.sleep(0.7)
                client.config_set("maxmemory", SMALL)
                time.sleep(1.3)
        finally:
            client.config_set("maxmemory", "512mb")
            client.flushall()
        done = [ended(job, running.organisation, seconds=60) for job in asked]
        assert {job.state for job in done} == {JobState.SUCCEEDED}
        does_jobs(running)
