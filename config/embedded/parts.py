"""The processes that make up the running product: web server, workers, beat and the catcher for mail."""

import sys
from collections.abc import Mapping
from pathlib import Path

from config.embedded import environment as variables
from config.embedded.ports import LOOPBACK
from config.embedded.service import Service

JOB_QUEUES = 8
APP_QUEUES = ",".join([*(f"jobs.{number}" for number in range(JOB_QUEUES)), "mail"])


class Parts:
    """Builds each part with the command and the variables it gets."""

    def __init__(self, *, root: Path, data: Path, environment: Mapping[str, str]) -> None:
        self.root = root
        self.data = data
        self.environment = environment

    def web(self, port: int) -> Service:
        """The web server, on this machine only."""
        words = ["gunicorn", "--config", "python:config.gunicorn", "--bind", f"{LOOPBACK}:{port}"]
        return self._service("web server", [*words, "config.wsgi:application"], owner=False)

    def mail(self, port: int) -> Service:
        """The catcher for mail."""
        words = ["config.embedded.mail", "--port", str(port), "--folder", str(self.data / "mail")]
        return self._service("mail catcher", words, owner=False)

    def workers(self) -> list[Service]:
        """The worker, the owner's worker where the owner's login is known, and beat."""
        found = [self._worker("worker", APP_QUEUES, concurrency=2, owner=False)]
        if variables.knows_owner(self.environment):
            found.append(self._worker("owner's worker", "owner", concurrency=1, owner=True))
        schedule = str(self.data / "run" / "beat-schedule")
        words = ["celery", "-A", "config.celery", "beat", "--schedule", schedule, "--pidfile", ""]
        return [*found, self._service("beat", words, owner=False)]

    def _worker(self, name: str, queues: str, *, concurrency: int, owner: bool) -> Service:
        node = "owner" if owner else "app"
        # Workers of one machine have nothing to gossip about, and it costs a second at the start.
        quiet = ["--without-gossip", "--without-mingle", "--without-heartbeat"]
        port = self.environment["ENCLAVE_PORT"]
        words = ["-A", "config.celery", "worker", "-n", f"{node}-{port}@%h", "-Q", queues]
        return self._service(name, ["celery", *words, "-c", str(concurrency), *quiet], owner=owner)

    def _service(self, name: str, words: list[str], *, owner: bool) -> Service:
        chosen = variables.for_owner(self.environment) if owner else variables.for_app(self.environment)
        return Service(
            name, [sys.executable, "-m", *words], environment=chosen, folder=self.data, root=self.root
        )
