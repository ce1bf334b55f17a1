"""A web process of the yard's, and the browser that asks it."""

import http.client
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from urllib.parse import urlencode

from config.embedded.ports import free_port
from tests.moves.conftest import Yard
from tests.releases.pools import Answer
from tests.servers import FOLDER, ROOT
from tests.workers import wait_for

# Any will do, as long as cookie and form say the same.
_TOKEN = "t" * 32


class Web:
    """Asks one web process, which remembers what it has seen, as browsers do."""

    def __init__(self, port: int) -> None:
        self.port = port

    def ask(
        self, host: str, path: str, *, cookie: str = "", fields: Mapping[str, str] | None = None
    ) -> Answer:
        """Get a page, or send a form."""
        cookies = f"csrf={_TOKEN}; {cookie}"
        headers = {"Host": host, "Sec-Fetch-Site": "same-origin", "Cookie": cookies}
        body = None
        if fields is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
            body = urlencode({**fields, "csrfmiddlewaretoken": _TOKEN}).encode()
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        connection.request("GET" if body is None else "POST", path, body=body, headers=headers)
        response = connection.getresponse()
        said = response.read().decode(errors="replace")
        connection.close()
        return Answer(response.status, said, dict(response.getheaders()))

    def answers(self) -> bool:
        """Whether it is there."""
        try:
            return self.ask("127.0.0.1", "/-/health").status == 200
        except OSError:
            return False


@contextmanager
def serving(place: Yard) -> Iterator[Web]:
    """Run one web process for the block."""
    web = Web(free_port())
    words = ["gunicorn", "--config", "python:config.gunicorn", "--bind", f"127.0.0.1:{web.port}", "-w", "1"]
    with (FOLDER / "web-of-moves.log").open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", *words, "config.wsgi:application"],
            cwd=ROOT,
            env={**place.variables, "ENCLAVE_LOGIN": "app"},
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    try:
        wait_for(web.answers, seconds=60)
        yield web
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


@contextmanager
def asking(web: Web, host: str, path: str, cookie: str) -> Iterator[list[int]]:
    """Get a page again and again while the block runs; what came back is in the list."""
    found: list[int] = []
    ended = threading.Event()

    def ask() -> None:
        while not ended.wait(0.05):
            found.append(web.ask(host, path, cookie=cookie).status)

    thread = threading.Thread(target=ask)
    thread.start()
    try:
        yield found
    finally:
        ended.set()
        thread.join()
