"""Real workers and a real beat for tests, as processes that can be killed, frozen and stopped.

They see committed data only: a test makes an organisation of its own with `lasting`.
"""

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

from operations.actions.provisioning import Wish, provision
from tenants.models import Organisation
from tests.servers import FOLDER, ROOT

QUEUES = ",".join([*(f"jobs.{number}" for number in range(8)), "mail"])
# Everything happens as in production, only sooner.
SOON = {
    "ENCLAVE_JOB_LEASE_SECONDS": "2",
    "ENCLAVE_JOB_WAKE_SECONDS": "1",
    "ENCLAVE_JOB_SWEEP_SECONDS": "1",
    # The tests have run the system checks by the time a worker starts.
    "CELERY_SKIP_CHECKS": "1",
}
_START_SECONDS = 60.0


class Started:
    """A process of Celery's in a group of its own, so that it can be killed with its children."""

    def __init__(self, words: list[str], *, says: str, environment: Mapping[str, str]) -> None:
        FOLDER.mkdir(parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(prefix="celery-", suffix=".log", dir=FOLDER)
        self.log = Path(name)
        self._says = says
        self.process = subprocess.Popen(
            [sys.executable, "-m", "celery", "-A", "config.celery", *words],
            cwd=ROOT,
            env={**os.environ, "DJANGO_SETTINGS_MODULE": "config.settings.test", **SOON, **environment},
            stdout=descriptor,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        os.close(descriptor)

    def wait_until_ready(self) -> None:
        """Return when it has said that it is ready."""
        wait_for(lambda: self._says in self.said() or not self.is_running(), seconds=_START_SECONDS)
        assert self.is_running(), self.said()

    def said(self) -> str:
        """Return its log."""
        return self.log.read_text(errors="replace")

    def is_running(self) -> bool:
        """Return whether its main process lives."""
        return self.process.poll() is None

    def send(self, number: signal.Signals) -> None:
        """Send a signal to it and all of its children."""
        if self.is_running():
            os.killpg(self.process.pid, number)

    def kill(self) -> None:
        """End it at once, with all of its children."""
        self.send(signal.SIGKILL)
        self.process.wait()

    def stop(self, seconds: float = 20) -> None:
        """Ask it to stop, as a deployment does, and wait; kill it after `seconds`."""
        if self.is_running():
            self.process.terminate()
        try:
            self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.kill()


def start_worker(
    *,
    pool: str = "solo",
    concurrency: int = 1,
    queues: str = QUEUES,
    include: str = "",
    environment: Mapping[str, str] | None = None,
) -> Started:
    """Start a worker without waiting for it. `include` is a module that registers kinds of the tests."""
    words = ["worker", "-P", pool, "-c", str(concurrency), "-Q", queues, "-l", "INFO"]
    words += ["-n", f"{uuid4().hex[:8]}@tests", "--without-gossip", "--without-mingle", "--without-heartbeat"]
    if include:
        words += ["-I", include]
    return Started(words, says=" ready.", environment=environment or {})


@contextmanager
def worker(
    *,
    pool: str = "solo",
    concurrency: int = 1,
    queues: str = QUEUES,
    include: str = "",
    environment: Mapping[str, str] | None = None,
) -> Iterator[Started]:
    """Run a worker for a block, and kill it at the end."""
    started = start_worker(
        pool=pool, concurrency=concurrency, queues=queues, include=include, environment=environment
    )
    try:
        started.wait_until_ready()
        yield started
    finally:
        started.kill()


@contextmanager
def beat(*, environment: Mapping[str, str] | None = None) -> Iterator[Started]:
    """Run beat for a block, and kill it at the end."""
    started = Started(
        ["beat", "--pidfile", "", "-l", "INFO"], says="beat: Starting", environment=environment or {}
    )
    try:
        started.wait_until_ready()
        yield started
    finally:
        started.kill()


def lasting(*, shard: str = "shard_1") -> Organisation:
    """Make an organisation whose data is committed, for a test with processes of its own."""
    slug = f"lasting-{uuid4().hex[:10]}"
    return provision(Wish(slug, "Lasting", f"owner@{slug}.example", "Olga Last", shard=shard))


def wait_for(done: Callable[[], bool], *, seconds: float, every: float = 0.05) -> None:
    """Return when `done()` is true; fail after `seconds`."""
    end = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < end, f"not within {seconds} s"
        time.sleep(every)
