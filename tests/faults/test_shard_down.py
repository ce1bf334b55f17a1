"""One server of two is gone, or silent.

Its own organisations are told so, nobody else notices, and everything works when it is back.
"""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from uuid import uuid4

import pytest
from django.conf import settings
from django.utils import timezone

from operations.actions.placing import NoRoom
from operations.actions.provisioning import Wish, provision
from operations.actions.shards import look_at_all
from operations.models import ShardHealth
from operations.sweeps import refill_ready, settle_makings
from tenants.models import Organisation
from tests.faults.conftest import Answer, Web
from tests.faults.second import SecondServer
from tests.people import visitor
from tests.servers import ROOT
from tests.workers import wait_for

THREADS = 8


def host(organisation: Organisation) -> str:
    """Return where an organisation answers."""
    return str(organisation.primary_host)


class TestPages:
    def test_its_own_are_told_and_the_others_are_served(
        self, web: Web, second: SecondServer, near: Organisation, far: Organisation
    ) -> None:
        hosts = [host(near), host(far)]
        assert [web.ask(one).status for one in hosts] == [200, 200]
        second.stop(signal.SIGQUIT)
        told = web.ask(hosts[1])
        assert told.status == 503
        assert "The data cannot be reached right now" in told.body
        assert (told.headers["retry-after"], told.headers["refresh"]) == ("5", "5")
        assert told.headers["cache-control"] == "no-store"
        with ThreadPoolExecutor(4 * THREADS) as threads:
            answers = list(threads.map(web.ask, hosts * 2 * THREADS))
        assert [one.status for one in answers] == [200, 503] * 2 * THREADS
        self.each_in_its_format(web, hosts[1])
        second.start()
        wait_for(lambda: web.ask(hosts[1]).status == 200, seconds=30)

    def each_in_its_format(self, web: Web, where: str) -> None:
        """A form is not sent again by itself, and a program gets what it can read."""
        sent = web.ask(where, method="POST")
        assert sent.status == 503
        assert "refresh" not in sent.headers
        assert "What you sent was not saved" in sent.body
        program = web.ask(where, Accept="application/json")
        assert program.headers["content-type"] == "application/problem+json"
        assert '"status": 503' in program.body
        # A piece of a page: the script shows a message, and asks again where it asks by itself.
        piece = web.ask(where, HX_Request="true")
        assert piece.status == 503
        assert "refresh" not in piece.headers

    @pytest.mark.nightly
    @pytest.mark.parametrize("busy", [False, True], ids=["at rest", "in the middle of requests"])
    def test_one_that_is_silent_catches_no_thread(
        self, web: Web, second: SecondServer, near: Organisation, far: Organisation, busy: bool
    ) -> None:
        """While it is frozen, more requests for it than there are threads come in, and the others are served.

        Without the breaker each would keep a thread until the server is woken, which the test does last.
        """
        mine, theirs = host(near), host(far)
        # Some connections that were good lie in the pool.
        with ThreadPoolExecutor(THREADS) as threads:
            list(threads.map(web.ask, [theirs] * THREADS))
        with visited(web, theirs, on=busy), second.frozen(), ThreadPoolExecutor(4 * THREADS) as threads:
            caught = [threads.submit(web.ask, theirs) for _ in range(3 * THREADS)]
            assert [web.ask(mine).status for _ in range(20)] == [200] * 20
            assert {one.result().status for one in caught} == {503}
            assert {web.ask(theirs).status for _ in range(20)} == {503}
        wait_for(lambda: web.ask(theirs).status == 200, seconds=30)

    @pytest.mark.nightly
    def test_it_may_go_and_come_ten_times(
        self, web: Web, second: SecondServer, near: Organisation, far: Organisation
    ) -> None:
        with visited(web, host(near)) as seen:
            for how in [signal.SIGQUIT, signal.SIGINT] * 5:
                second.stop(how)
                wait_for(lambda: web.ask(host(far)).status == 503, seconds=30)
                second.start()
                wait_for(lambda: web.ask(host(far)).status == 200, seconds=30)
        assert len(seen) > 10
        assert {one.status for one in seen} == {200}


@contextmanager
def visited(web: Web, where: str, *, on: bool = True) -> Iterator[list[Answer]]:
    """Let four people load pages of an organisation all the time, for a block; return what they were told."""
    finished, seen = threading.Event(), list[Answer]()

    def visit() -> None:
        while not finished.is_set():
            seen.append(web.ask(where))

    people = [threading.Thread(target=visit) for _ in range(4 if on else 0)]
    for one in people:
        one.start()
    try:
        yield seen
    finally:
        finished.set()
        for one in people:
            one.join()


class TestOperators:
    """In the process of the test itself, on its own connections."""

    def wish(self, **columns: str) -> Wish:
        """Return a wish for an organisation."""
        slug = f"while-down-{uuid4().hex[:8]}"
        return Wish(slug, "While down", f"o@{slug}.example", "O", **columns)

    def test_new_organisations_go_elsewhere(self, second: SecondServer, far: Organisation) -> None:
        second.stop()
        # Noticed while making: nobody has looked yet.
        assert {provision(self.wish()).shard_id for _ in range(3)} == {"shard_1"}
        with pytest.raises(NoRoom):
            provision(self.wish(shard="shard_2"))
        assert look_at_all(at=timezone.now()) == 1
        assert {provision(self.wish()).shard_id for _ in range(3)} == {"shard_1"}

    def test_what_is_seen_is_written_down(self, second: SecondServer, far: Organisation) -> None:
        began = timezone.now()
        assert look_at_all(at=began) == 0
        seen = ShardHealth.objects.get(shard="shard_2")
        assert seen.down_since is None
        assert seen.server == f"127.0.0.1:{second.postgres.port}"
        assert seen.version == "18.4"
        assert min(seen.size_bytes or 0, seen.connections or 0, seen.connections_most or 0) > 0
        second.stop()
        for at in (began, timezone.now()):
            assert look_at_all(at=at) == 1
            down = ShardHealth.objects.get(shard="shard_2")
            assert (down.down_since, down.answered_at) == (began, began)
            assert "refused" in down.down_why
        second.start()
        assert look_at_all(at=timezone.now()) == 0
        back = ShardHealth.objects.get(shard="shard_2")
        assert (back.down_since, back.down_why) == (None, "")

    def test_sweeps_go_on(self, second: SecondServer, far: Organisation) -> None:
        """What walks over all shards does its work on those that answer."""
        second.stop()
        settle_makings()
        refill_ready()

    def test_one_the_environment_lacks_is_not_served(
        self, monkeypatch: pytest.MonkeyPatch, far: Organisation
    ) -> None:
        monkeypatch.setattr(settings, "SHARD_ALIASES", ("shard_1",))
        assert visitor(host(far)).get("/accounts/login/").status_code == 503

    @pytest.mark.nightly
    def test_prepare_goes_on_with_those_that_answer(self, second: SecondServer, far: Organisation) -> None:
        second.stop()
        variables = {**os.environ, **second.variables, "DJANGO_SETTINGS_MODULE": "config.settings.test"}
        done = subprocess.run(
            [sys.executable, "manage.py", "prepare", "--ready", "0"],
            cwd=ROOT,
            env={**variables, "ENCLAVE_LOGIN": "owner"},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        assert "shard_2 was not prepared; run this again when it answers" in done.stderr
