"""The probes for minutes while processes are killed and servers stopped: not a byte of somebody else's.

As many as the machine answers in that time; the count is printed. Two cores that others use too answered
2,500 a minute, so 50,000 take twenty minutes: ENCLAVE_PROBE_MINUTES says how long it goes on.
"""

import http.client
import os
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from itertools import cycle
from random import Random
from urllib.parse import urlencode

import psutil  # type: ignore[import-untyped]  # the package ships no types
import psycopg
import pytest
from django.conf import settings
from django.db import connections

from config.embedded.ports import free_port
from operations.actions.provisioning import Wish, provision
from tests import servers
from tests.browser import site
from tests.people import signed_in
from tests.probes.filling import Filled, fill
from tests.probes.test_cross_tenant import Probe, samples
from tests.workers import wait_for

pytestmark = pytest.mark.nightly
MINUTES = float(os.environ.get("ENCLAVE_PROBE_MINUTES", "2.5"))
VISITORS, DRAWN = 8, 1500
PAUSE_SECONDS = 2.0  # between two faults
OWN_SHARE = 0.2
TOKEN = "c" * 32


@dataclass(slots=True)
class Visitor:
    """A person of one organisation who tries the ids of another, on a connection that is kept."""

    mine: Filled
    theirs: Filled
    host: str
    cookie: str
    probes: list[Probe]
    seen: Counter[str] = field(default_factory=Counter)
    leaks: list[str] = field(default_factory=list)

    def walk(self, port: int, *, until: float) -> None:
        """Try one after the other, and own pages in between, until the time is over."""
        random = Random(self.host)
        own = [
            f"/c/{self.mine.collection.key}/",
            f"/r/{self.mine.made['record_0'].pk}/",
            "/people/",
            "/trail/",
        ]
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        for _, address, sent in cycle(self.probes):
            if time.monotonic() > until:
                break
            self._try(connection, "GET", f"{address}?{urlencode(sent)}" if sent else address)
            if not sent:
                self._try(connection, "POST", address)
            if random.random() < OWN_SHARE:
                self._try(connection, "GET", random.choice(own), what="own")
        connection.close()

    def _try(
        self, connection: http.client.HTTPConnection, method: str, address: str, *, what: str = "probes"
    ) -> None:
        headers = {
            "Host": self.host,
            "Origin": f"http://{self.host}",
            "Sec-Fetch-Site": "same-origin",
            "Cookie": f"{settings.SESSION_COOKIE_NAME}={self.cookie}; {settings.CSRF_COOKIE_NAME}={TOKEN}",
        }
        body = None
        if method == "POST":
            body = urlencode({"csrfmiddlewaretoken": TOKEN})
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        try:
            connection.request(method, address, body=body, headers=headers)
            answer = connection.getresponse()
            told, status = str(answer.headers).encode() + answer.read(), answer.status
        except (OSError, http.client.HTTPException):
            connection.close()  # it opens again by itself
            self.seen["cut off"] += 1
            return
        self.seen["errors" if status >= 500 else what] += 1
        self.seen["own pages shown"] += self.mine.marker.encode() in told
        if self.theirs.marker.encode() in told:
            self.leaks.append(f"{method} {address}")


@pytest.fixture
def visitors(running_servers: None) -> list[Visitor]:
    """Visitors of two organisations on one shard, each of whom tries the ids of the other."""
    made = []
    for slug in ("minutes-one", "minutes-two"):
        owner = f"o@{slug}.example"
        made.append(fill(provision(Wish(slug, slug, owner, "O", shard="shard_1")), owner, name=slug))
    found = []
    for number in range(VISITORS):
        mine, theirs = made[number % 2], made[(number + 1) % 2]
        cookie = signed_in(mine.organisation, mine.owner.email).cookies[settings.SESSION_COOKIE_NAME].value
        probes = list(samples(mine, theirs, Random(number), DRAWN))
        found.append(Visitor(mine, theirs, str(mine.organisation.primary_host), cookie, probes))
    return found


@contextmanager
def breaking(server: int) -> Iterator[Counter[str]]:
    """Let one fault follow the other for a block; count them."""
    finished, done = threading.Event(), Counter[str]()
    faults: list[Callable[[], None]] = [stop_postgres, kill_a_web_process_of(server), stop_redis, cut]

    def go_on() -> None:
        for fault in cycle(faults):
            if finished.wait(PAUSE_SECONDS):
                return
            fault()
            done[fault.__name__] += 1

    breaker = threading.Thread(target=go_on)
    breaker.start()
    try:
        yield done
    finally:
        finished.set()
        breaker.join()


def stop_postgres() -> None:
    """Stop PostgreSQL at once, under everybody's hands, and start it again."""
    postgres = servers.POSTGRES
    assert postgres is not None
    process = psutil.Process(postgres.pid)
    process.send_signal(signal.SIGQUIT)
    with suppress(psutil.NoSuchProcess):
        process.wait(timeout=30)
    postgres.stop()
    postgres.start()


def stop_redis() -> None:
    """Stop Redis, which forgets everything, for a second."""
    redis = servers.REDIS
    assert redis is not None
    redis.stop()
    time.sleep(1)
    redis.start()


def cut() -> None:
    """Cut some connections, in the middle of whatever they do."""
    assert servers.POSTGRES is not None
    with psycopg.connect(servers.POSTGRES.superuser_url("postgres"), autocommit=True) as superuser:
        superuser.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE usename IN ('enclave_app', 'enclave_control') AND random() < 0.5"
        )


def kill_a_web_process_of(server: int) -> Callable[[], None]:
    """Return what kills one of the processes that serve; their parent starts another one."""
    random = Random(5)

    def kill_a_web_process() -> None:
        children = psutil.Process(server).children()
        if children:
            os.kill(random.choice(children).pid, signal.SIGKILL)

    return kill_a_web_process


class TestForMinutes:
    def test_nobody_sees_a_byte_of_the_other(
        self, visitors: list[Visitor], capsys: pytest.CaptureFixture[str]
    ) -> None:
        connections.close_all()
        port = free_port()
        variables = {"DJANGO_SETTINGS_MODULE": site.SETTINGS, "ENCLAVE_PORT": str(port)}
        with site._web(port, variables, "--preload", "-w", "2") as server:
            with breaking(server) as faults, ThreadPoolExecutor(VISITORS) as threads:
                until = time.monotonic() + 60 * MINUTES
                walks = [threads.submit(one.walk, port, until=until) for one in visitors]
            for walk in walks:
                walk.result()
            wait_for(lambda: site._answers(port), seconds=60)
        seen = sum((one.seen for one in visitors), Counter[str]())
        with capsys.disabled():
            print(f"\n{seen['probes']} probes answered in {MINUTES} minutes: {dict(seen)}, {dict(faults)}")  # noqa: T201
        assert [leak for one in visitors for leak in one.leaks] == []
        assert seen["probes"] > 2000
        assert seen["own pages shown"] > 200
        # The faults were felt, all of them.
        assert min(seen["errors"], seen["cut off"]) > 0
        assert min(faults.values()) > 3
        assert len(faults) == 4
