"""What the tests of faults share: a second server, an organisation on each, a web server with its pools."""

import http.client
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import pytest
from django.db import connections

from config.embedded.ports import free_port
from jobs import registry
from tenants.models import Organisation
from tests.browser import site
from tests.faults.second import SecondServer, only_meanwhile, second_server
from tests.jobs import kinds
from tests.workers import lasting


@dataclass(frozen=True, slots=True)
class Answer:
    """What a web server answered; status 0 for nothing."""

    status: int
    headers: Mapping[str, str]
    body: str


class Web:
    """A web server as people run it."""

    def __init__(self, port: int) -> None:
        self.port = port

    def ask(
        self, host: str, path: str = "/accounts/login/", *, method: str = "GET", **headers: str
    ) -> Answer:
        """Return the answer of a page; far longer than anybody should wait."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            sent = {"Host": host, "Sec-Fetch-Site": "same-origin"}
            sent |= {name.replace("_", "-"): value for name, value in headers.items()}
            connection.request(method, path, headers=sent)
            answer = connection.getresponse()
            found = {name.lower(): value for name, value in answer.getheaders()}
            return Answer(answer.status, found, answer.read().decode())
        except (OSError, http.client.HTTPException):
            return Answer(0, {}, "")
        finally:
            connection.close()


@pytest.fixture(scope="module")
def second(running_servers: None) -> Iterator[SecondServer]:
    """The second server, on which the second shard lies as long as the module runs."""
    with second_server() as server:
        with only_meanwhile():
            yield server


@pytest.fixture(scope="module")
def near(second: SecondServer) -> Organisation:
    """An organisation on the server that stays."""
    return lasting(shard="shard_1")


@pytest.fixture(scope="module")
def far(second: SecondServer) -> Organisation:
    """An organisation on the second server."""
    return lasting(shard="shard_2")


@pytest.fixture(scope="module")
def web(near: Organisation, far: Organisation, second: SecondServer) -> Iterator[Web]:
    """A web server of one process and eight threads."""
    port = free_port()
    environment = {"DJANGO_SETTINGS_MODULE": site.SETTINGS, "ENCLAVE_PORT": str(port), **second.variables}
    with site._web(port, environment):
        yield Web(port)


@pytest.fixture(autouse=True)
def known_kinds() -> Iterator[None]:
    """Register the kinds of jobs of the tests, for each test alone."""
    kinds.register()
    yield
    for name in kinds.NAMES:
        registry.forget(name)


@pytest.fixture(autouse=True)
def well(second: SecondServer) -> Iterator[None]:
    """Leave the second server running, whatever a test did to it."""
    yield
    connections.close_all()
    if not second.postgres.is_running():
        second.start()
