"""The probes while everything around them breaks: errors are allowed, a byte of somebody else's is not.

A real web server with its pools answers two organisations of one shard at once, while connections are
cut, Redis forgets everything and PostgreSQL is stopped in the middle.
"""

import http.client
import socket
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from random import Random

import psycopg
import pytest
from django.conf import settings
from django.db import connections

from config.embedded.ports import free_port
from jobs import bells
from operations.actions.provisioning import Wish, provision
from tenants.models import Organisation
from tests import servers
from tests.browser import site
from tests.people import signed_in
from tests.probes.filling import Filled, fill
from tests.probes.test_cross_tenant import samples

VISITORS, EACH = 6, 150
OWN_SHARE = 0.4


@dataclass(frozen=True, slots=True)
class Visitor:
    """A person of one organisation, who tries the ids of another."""

    mine: Filled
    host: str
    cookie: str
    paths: list[str]


@pytest.fixture
def two(organisations: dict[str, Organisation]) -> list[Filled]:
    """Two organisations on one shard, committed and filled."""
    made = []
    for slug in ("fault-one", "fault-two"):
        owner = f"o@{slug}.example"
        made.append(fill(provision(Wish(slug, slug, owner, "O", shard="shard_1")), owner, name=slug))
    return made


@pytest.fixture
def port() -> Iterator[int]:
    """A web server as people run it, with its pools of connections."""
    number = free_port()
    environment = {"DJANGO_SETTINGS_MODULE": site.SETTINGS, "ENCLAVE_PORT": str(number)}
    with site._web(number, environment):
        yield number


def visitor(mine: Filled, theirs: Filled, number: int) -> Visitor:
    """Return somebody with a session and a mixture of own pages and foreign ids to open."""
    random = Random(number)
    own = [f"/c/{mine.collection.key}/", f"/r/{mine.made['record_0'].pk}/", "/people/", "/trail/"]
    foreign = [address for _, address, _ in samples(mine, theirs, random, EACH)]
    paths = [random.choice(own) if random.random() < OWN_SHARE else address for address in foreign]
    client = signed_in(mine.organisation, mine.owner.email)
    host = str(mine.organisation.primary_host)  # asks the database, which will be broken
    return Visitor(mine, host, client.cookies[settings.SESSION_COOKIE_NAME].value, paths)


def get(port: int, who: Visitor, path: str) -> tuple[int, bytes]:
    """Return status and body of one page; 0 when the server did not answer."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    cookie = f"{settings.SESSION_COOKIE_NAME}={who.cookie}"
    headers = {"Host": who.host, "Cookie": cookie}
    try:
        connection.request("GET", path, headers=headers)
        answer = connection.getresponse()
        return answer.status, answer.read()
    except (OSError, http.client.HTTPException):
        return 0, b""
    finally:
        connection.close()


def break_things(finished: threading.Event) -> None:
    """Cut connections, empty Redis, and stop PostgreSQL once, until everybody has finished."""
    postgres = servers.POSTGRES
    assert postgres is not None
    rounds = 0
    while not finished.wait(1.5):
        rounds += 1
        if rounds == 4:
            postgres.stop()
            time.sleep(1)
            postgres.start()
        with psycopg.connect(postgres.superuser_url("postgres"), autocommit=True) as superuser:
            superuser.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE usename IN ('enclave_app', 'enclave_control') AND random() < 0.2"
            )
        bells.store().flushall()


@pytest.mark.nightly
class TestDuringFaults:
    def test_nobody_sees_a_byte_of_the_other(self, two: list[Filled], port: int) -> None:
        pairs = [(two[number % 2], two[(number + 1) % 2]) for number in range(VISITORS)]
        visitors = [visitor(mine, theirs, number) for number, (mine, theirs) in enumerate(pairs)]
        connections.close_all()
        finished, seen = threading.Event(), Counter[str]()
        leaks: list[str] = []

        def walk(who: Visitor, theirs: Filled) -> None:
            for path in who.paths:
                status, body = get(port, who, path)
                seen["own"] += who.mine.marker.encode() in body
                seen["broken"] += status in (0, 500, 503)
                if theirs.marker.encode() in body:
                    leaks.append(path)

        breaker = threading.Thread(target=break_things, args=(finished,))
        breaker.start()
        try:
            with ThreadPoolExecutor(VISITORS) as threads:
                list(threads.map(walk, visitors, [theirs for _, theirs in pairs]))
        finally:
            finished.set()
            breaker.join()
            connections.close_all()
        assert leaks == []
        # It was neither all error pages nor none: the faults were felt, and pages were shown.
        assert seen["own"] > 50
        assert seen["broken"] > 5
        for who in visitors[:2]:
            # Served again, be it with a refusal: a path of the map may ask for what is over.
            # A shard that did not answer a moment ago is left alone for seconds (ADR 0025).
            ends = time.monotonic() + 60
            while (status := get(port, who, who.paths[0])[0]) >= 500 and time.monotonic() < ends:
                time.sleep(0.5)
            assert 200 <= status < 500


class TestTwoNames:
    """What a web server makes of a request that names two hosts."""

    @pytest.mark.nightly
    @pytest.mark.parametrize(
        "request_head",
        [
            "GET / HTTP/1.1\r\nHost: fault-one.enclave.localhost\r\nHost: fault-two.enclave.localhost\r\n",
            "GET http://fault-two.enclave.localhost/ HTTP/1.1\r\nHost: fault-one.enclave.localhost\r\n",
        ],
        ids=["two headers", "a whole address"],
    )
    def test_is_refused(self, organisations: dict[str, Organisation], port: int, request_head: str) -> None:
        with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
            connection.sendall(f"{request_head}Connection: close\r\n\r\n".encode())
            answer = connection.recv(4096).decode(errors="replace")
        assert " 400 " in answer.splitlines()[0]
