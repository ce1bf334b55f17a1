"""Two pools of two releases behind the edge: an upgrade is a change of one field, and back."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command

from config.embedded.ports import free_port
from jobs import registry
from tenants.models import Organisation, Release, ReleaseState
from tests import workers
from tests.jobs import kinds
from tests.jobs.lasting import KINDS, ask, effects, ended, now, wait_for_state
from tests.people import signed_in
from tests.releases import nginx
from tests.releases import pools as running_pools
from tests.releases.pools import Pools
from tests.workers import QUEUES, wait_for

pytestmark = pytest.mark.nightly
NEXT = {"ENCLAVE_RELEASE": "next"}
NEXT_QUEUES = ",".join(f"next.{name}" for name in QUEUES.split(","))


@pytest.fixture(autouse=True)
def known_kinds() -> Iterator[None]:
    """Register the kinds of the tests of jobs."""
    kinds.register()
    yield
    for name in kinds.NAMES:
        registry.forget(name)


@pytest.fixture(scope="module")
def pools(running_servers: None) -> Iterator[Pools]:
    """The pools, with both releases open."""
    with running_pools.running() as made:
        for name, port in made.pools.items():
            address = f"127.0.0.1:{port}"
            Release.objects.update_or_create(name=name, defaults={"pool": address, "state": "open"})
        yield made
        Organisation.objects.filter(release="next").update(release="current")
        Release.objects.filter(name="next").delete()
        Release.objects.update(pool="", state=ReleaseState.OPEN)


@pytest.fixture(scope="module", params=["config.edge", "nginx"])
def edge(pools: Pools, request: pytest.FixtureRequest) -> Iterator[Pools]:
    """The pools behind our own edge, and behind nginx as docs/releases.md has it."""
    if request.param == "config.edge":
        yield pools
        return
    with nginx.running(first=pools.pools["current"], second=pools.pools["next"]) as port:
        yield replace(pools, edge=port)


@pytest.fixture
def organisation(pools: Pools) -> Organisation:
    """An organisation of the test's own."""
    return workers.lasting(shard="shard_2")


def place(organisation: Organisation, release: str) -> None:
    """Upgrade, or go back."""
    call_command("release", str(organisation.slug), to=release, reason="A test of pools", verbosity=0)


@contextmanager
def placed_on_a_release_at(pool: str, organisation: Organisation) -> Iterator[None]:
    """Place an organisation for a block on a release whose pool is said to be there."""
    Release.objects.create(name="elsewhere", pool=pool, state=ReleaseState.OPEN)
    try:
        place(organisation, "elsewhere")
        yield
    finally:
        place(organisation, "current")
        Release.objects.filter(name="elsewhere").delete()


def nobody_at() -> str:
    """Return an address at which nothing answers."""
    return f"127.0.0.1:{free_port()}"


def signed_in_cookie(organisation: Organisation) -> dict[str, str]:
    """Return the header of the owner's browser."""
    browser = signed_in(organisation, f"owner@{organisation.slug}.example")
    name = settings.SESSION_COOKIE_NAME
    return {"Cookie": f"{name}={browser.cookies[name].value}", "User-Agent": "Tests"}


class TestTheEdge:
    def test_routes_each_organisation_to_its_own_release_and_back(
        self, edge: Pools, organisation: Organisation
    ) -> None:
        other = workers.lasting()
        host, cookie = organisation.primary_host, signed_in_cookie(organisation)
        assert edge.ask(host).release == "current"
        for release in ("next", "current"):
            place(organisation, release)
            wait_for(lambda release=release: edge.ask(host).release == release, seconds=1)  # type: ignore[misc]  # bound at once
            # Whoever was signed in still is, and is told nothing of pools.
            home = edge.ask(host, "/", headers=cookie)
            assert (home.status, home.release) == (200, release)
            assert "X-Enclave-Pool" not in home.headers
            assert edge.ask(other.primary_host).release == "current"

    def test_sends_a_form_once_and_whole(self, edge: Pools, organisation: Organisation) -> None:
        place(organisation, "next")
        time.sleep(1)
        host = organisation.primary_host
        # Nothing was learned of this host yet, so the first pool turns it away with its whole body.
        large = b"a=" + b"x" * 4_000_000
        headers = {
            "Sec-Fetch-Site": "same-origin",
            "Content-Type": "application/x-www-form-urlencoded",
        }
        answer = edge.ask(host, method="POST", body=large, headers=headers)
        assert (answer.status, answer.release) == (403, "next")  # no token: CSRF looked at it

    def test_lets_requests_under_way_finish(self, edge: Pools, organisation: Organisation) -> None:
        host = organisation.primary_host
        with ThreadPoolExecutor(1) as people:
            slow = people.submit(edge.ask, host, headers={"X-Test-Slow": "2.5"})
            time.sleep(0.5)
            place(organisation, "next")
            wait_for(lambda: edge.ask(host).release == "next", seconds=1)
            assert not slow.done()
            answer = slow.result()
        assert (answer.status, answer.release) == (200, "current")

    def test_no_request_fails_while_it_moves_to_and_fro(
        self, edge: Pools, organisation: Organisation
    ) -> None:
        host, statuses = organisation.primary_host, []
        end = time.monotonic() + 6

        def visit(_: int) -> None:
            while time.monotonic() < end:
                statuses.append(edge.ask(host).status)

        with ThreadPoolExecutor(3) as people:
            visits = people.map(visit, range(3))
            while time.monotonic() < end:
                for release in ("next", "current"):
                    place(organisation, release)
                    time.sleep(0.3)
            list(visits)
        assert len(statuses) > 30
        assert set(statuses) == {200}

    def test_an_unknown_or_withdrawn_release_is_a_plain_page_and_nobody_elses(
        self, edge: Pools, organisation: Organisation
    ) -> None:
        host = organisation.primary_host
        with pytest.raises(CommandError, match="Release unknown is not open"):
            place(organisation, "unknown")
        Release.objects.update_or_create(name="gone", defaults={"state": "withdrawn", "pool": "127.0.0.1:1"})
        for release in ("unknown", "gone"):
            Organisation.objects.filter(pk=organisation.pk).update(release=release)
            wait_for(lambda: edge.ask(host).status == 503, seconds=1.5)
            for port in (0, *edge.pools.values()):
                answer = edge.ask(host, port=port)
                assert answer.status == 503
                assert "This organisation is being upgraded" in answer.body
        Release.objects.filter(name="gone").delete()

    def test_a_pool_serves_nobody_elses_organisation(self, edge: Pools, organisation: Organisation) -> None:
        answer = edge.ask(organisation.primary_host, port=edge.pools["next"])
        assert answer.status == 421
        assert answer.headers["X-Enclave-Pool"] == f"127.0.0.1:{edge.pools['current']}"
        assert edge.ask("nobody.enclave.localhost").status == 404

    def test_two_readings_of_one_request_are_refused(self, edge: Pools, organisation: Organisation) -> None:
        both = {"Content-Length": "3", "Transfer-Encoding": "chunked"}
        answer = edge.ask(organisation.primary_host, method="POST", body=b"0\r\n\r\n", headers=both)
        assert (answer.status, answer.release) == (400, "")

    def test_a_pool_that_is_down_takes_nobody_else_along(
        self, edge: Pools, organisation: Organisation
    ) -> None:
        host = organisation.primary_host
        with placed_on_a_release_at(nobody_at(), organisation):
            wait_for(lambda: edge.ask(host).status != 200, seconds=1.5)
            answer = edge.ask(host, method="POST", body=b"a=b")
            assert answer.status in (502, 503)
            assert "Try again in a moment." in answer.body
            assert answer.headers["Retry-After"]
            assert edge.ask(workers.lasting().primary_host).release == "current"
        wait_for(lambda: edge.ask(host).release == "current", seconds=1)

    def test_pools_that_each_say_the_others_are_a_plain_page(
        self, edge: Pools, organisation: Organisation
    ) -> None:
        with placed_on_a_release_at(f"127.0.0.1:{edge.pools['current']}", organisation):
            wait_for(lambda: edge.ask(organisation.primary_host).status != 200, seconds=1.5)
            answer = edge.ask(organisation.primary_host)
            assert (answer.status, answer.release) == (503, "")
            assert "X-Enclave-Pool" not in answer.headers


class TestNginx:
    def test_asks_the_other_pool_where_the_first_is_down(
        self, pools: Pools, organisation: Organisation
    ) -> None:
        other = workers.lasting()
        place(organisation, "next")
        time.sleep(1)
        gone, current = nobody_at(), Release.objects.filter(name="current")
        current.update(pool=gone)
        try:
            with nginx.running(first=int(gone.split(":")[1]), second=pools.pools["next"]) as port:
                for _ in range(3):
                    assert pools.ask(organisation.primary_host, port=port).release == "next"
                    answer = pools.ask(other.primary_host, port=port)
                    assert (answer.status, answer.release) == (503, "")
                    assert "Try again in a moment." in answer.body
        finally:
            current.update(pool=f"127.0.0.1:{pools.pools['current']}")


class TestJobs:
    def test_those_queued_before_run_after_on_the_other_pool(
        self, pools: Pools, organisation: Organisation
    ) -> None:
        job = ask(organisation, items=400, each=1, pause=0.02)
        queued = ask(organisation, items=3)
        with (
            workers.beat(),
            workers.worker(include=KINDS) as first,
            workers.worker(include=KINDS, queues=NEXT_QUEUES, environment=NEXT) as second,
        ):
            wait_for_state(job, organisation, lambda row: row.done > 3)
            place(organisation, "next")
            assert ended(job, organisation, seconds=60).state == "succeeded"
            assert ended(queued, organisation, seconds=60).state == "succeeded"
            assert "is on release next" in first.said()
            assert now(job, organisation).attempts == 0
            after = ask(organisation, items=1)
            assert ended(after, organisation).state == "succeeded"
            assert second.is_running()
        assert effects(organisation).count("item 399") == 1
        assert len(effects(organisation)) == 404

    def test_a_pool_without_workers_keeps_them_queued(self, pools: Pools, organisation: Organisation) -> None:
        place(organisation, "next")
        job = ask(organisation, items=1)
        with workers.beat(), workers.worker(include=KINDS) as first:
            other = workers.lasting()
            assert ended(ask(other, items=1), other).state == "succeeded"
            wait_for(lambda: first.said().count("jobs.tasks.work") > 1, seconds=20)
            assert now(job, organisation).state == "queued"
        with (
            workers.worker(include=KINDS, queues=NEXT_QUEUES, environment=NEXT),
            workers.beat(environment=NEXT),
        ):
            assert ended(job, organisation).state == "succeeded"
