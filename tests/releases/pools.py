"""Two pools of web processes of two releases, and the edge in front of them, as processes."""

import http.client
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from urllib.parse import urlencode

from config.embedded.ports import free_port
from tests.servers import FOLDER, ROOT
from tests.workers import wait_for

SETTINGS = {"DJANGO_SETTINGS_MODULE": "tests.releases.web"}


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back."""

    status: int
    body: str
    headers: Mapping[str, str]

    @property
    def release(self) -> str:
        """Return the release whose process answered."""
        return self.headers.get("X-Test-Release", "")


@dataclass(frozen=True, slots=True)
class Pools:
    """Ports of the edge and of each pool."""

    edge: int
    pools: Mapping[str, int]

    def ask(
        self,
        host: str,
        path: str = "/accounts/login/",
        *,
        port: int = 0,
        method: str = "GET",
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Ask the edge, or a pool by its port."""
        connection = http.client.HTTPConnection("127.0.0.1", port or self.edge, timeout=30)
        connection.request(method, path, body=body, headers={"Host": host, **(headers or {})})
        response = connection.getresponse()
        said = response.read().decode(errors="replace")
        connection.close()
        return Answer(response.status, said, dict(response.getheaders()))

    def post(self, host: str, path: str, fields: Mapping[str, str], *, cookie: str) -> Answer:
        """Send a form as a browser does."""
        headers = {
            "Cookie": cookie,
            "Sec-Fetch-Site": "same-origin",
            "Content-Type": "application/x-www-form-urlencoded",
        }
        return self.ask(host, path, method="POST", body=urlencode(fields).encode(), headers=headers)


@contextmanager
def running() -> Iterator[Pools]:
    """Run both pools and the edge for a block."""
    ports = {"current": free_port(), "next": free_port()}
    edge = free_port()
    with ExitStack() as stack:
        for release, port in ports.items():
            bind = f"127.0.0.1:{port}"
            words = ["gunicorn", "--config", "python:config.gunicorn", "--bind", bind, "-w", "1"]
            stack.enter_context(
                _process(f"web-{release}", [*words, "config.wsgi:application"], {"ENCLAVE_RELEASE": release})
            )
        first = f"127.0.0.1:{ports['current']}"
        stack.enter_context(_process("edge", ["config.edge", "--port", str(edge), "--pool", first], {}))
        made = Pools(edge, ports)
        for port in (*ports.values(), edge):
            wait_for(lambda port=port: _answers(made, port), seconds=60)  # type: ignore[misc]  # bound at once
        yield made


@contextmanager
def _process(name: str, words: list[str], changed: Mapping[str, str]) -> Iterator[None]:
    log = FOLDER / f"{name}.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", *words],
            cwd=ROOT,
            env={**os.environ, **SETTINGS, **changed},
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    try:
        yield
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _answers(pools: Pools, port: int) -> bool:
    try:
        return pools.ask("127.0.0.1", "/-/health", port=port).status == 200
    except OSError:
        return False
