"""A whole installation for a browser: web server, workers, beat and mail, as processes of their own."""

import http.client
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

from aiosmtpd.controller import Controller

from config.embedded.ports import free_port
from tests.catcher import Caught, text_of
from tests.servers import FOLDER, ROOT
from tests.workers import QUEUES, Started, start_worker, wait_for

SETTINGS = "tests.browser.settings"
# On a machine that does other things too.
PATIENCE_SECONDS = 20.0
_LINK = re.compile(r"http://\S+")


@dataclass(frozen=True, slots=True)
class Site:
    """An installation that runs: where it answers, and what it has mailed."""

    port: int
    caught: Caught

    def at(self, host: str, path: str = "/") -> str:
        """Return an address on one of its hosts."""
        return f"http://{host}:{self.port}{path}"

    def organisation(self, slug: str, path: str = "/") -> str:
        """Return an address on the site of an organisation."""
        return self.at(f"{slug}.enclave.localhost", path)

    def link_sent_to(self, email: str) -> str:
        """Return the link in the last mail to an address, which may still be under way."""
        wait_for(lambda: bool(self._links(email)), seconds=PATIENCE_SECONDS)
        return self._links(email)[-1]

    def _links(self, email: str) -> list[str]:
        mails = [text_of(message) for message in list(self.caught) if email in str(message["To"])]
        return [found[0] for text in mails if (found := _LINK.search(text))]


@contextmanager
def running() -> Iterator[Site]:
    """Run an installation for a block, on the servers of the session; everything is ready inside."""
    caught = Caught()
    post: Any = Controller(caught, hostname="127.0.0.1", port=free_port())
    post.start()
    port = free_port()
    environment = {
        "DJANGO_SETTINGS_MODULE": SETTINGS,
        "ENCLAVE_PORT": str(port),
        "EMAIL_HOST": "127.0.0.1",
        "EMAIL_PORT": str(post.port),
    }
    with ExitStack() as stack:
        stack.callback(post.stop)
        started = _start_celery(environment)
        for process in started:
            stack.callback(process.kill)
        stack.enter_context(_web(port, environment))
        for process in started:
            process.wait_until_ready()
        yield Site(port, caught)


def _start_celery(environment: Mapping[str, str]) -> list[Started]:
    """Start a worker for jobs and mail with beat inside, and the one that works as the owner of schemas."""
    words = ["worker", "-B", "-P", "solo", "-Q", QUEUES, "-l", "INFO", "-n", "browser@tests"]
    words += ["--without-gossip", "--without-mingle", "--without-heartbeat"]
    app = Started(words, says=" ready.", environment=environment)
    owner = start_worker(queues="owner", environment={**environment, "ENCLAVE_LOGIN": "owner"})
    return [app, owner]


@contextmanager
def _web(port: int, environment: Mapping[str, str], *options: str) -> Iterator[int]:
    """Run a web server for a block, with further options of gunicorn; yield its process's id."""
    log = FOLDER / "web.log"
    words = [
        "-b",
        f"127.0.0.1:{port}",
        "-k",
        "gthread",
        "-w",
        "1",
        "--threads",
        "8",
        "--graceful-timeout",
        "1",
        *options,
    ]
    with log.open("wb") as output:
        server = subprocess.Popen(
            [sys.executable, "-m", "gunicorn", *words, "--no-control-socket", "config.wsgi:application"],
            cwd=ROOT,
            env={**os.environ, **environment},
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    try:
        wait_for(lambda: _answers(port) or server.poll() is not None, seconds=PATIENCE_SECONDS)
        assert server.poll() is None, log.read_text()
        yield server.pid
    finally:
        # With its worker, and at once: nobody is served any more, and nothing is kept.
        os.killpg(server.pid, signal.SIGKILL)
        server.wait()


def _answers(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/-/health")
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()
