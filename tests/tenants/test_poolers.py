"""One server connection shared by two organisations: through a pool, and through a transaction pooler.

Our own backend runs over both. Each test is run again with a guard taken out of it, to show that it can
see the leak: settings that outlive their transaction, and a backend that believes they still hold.
"""

from contextlib import ExitStack
from typing import Any

import psycopg
import pytest
from django.conf import settings
from django.db import connections

from accounts.identity.models import User
from tenants.backends.shard import base
from tenants.backends.shard.base import DatabaseWrapper
from tenants.context import Actor, current, enter
from tenants.models import Organisation
from tests.tenants.conftest import Backend, use
from tests.transaction_pooler import TransactionPooler

ROUNDS = 8
ACTOR = Actor.system("test")
Two = dict[str, Organisation]


@pytest.fixture
def two(organisations: Two, neighbour: Organisation) -> Two:
    """Two organisations on the first shard, committed, by the address of somebody in them."""
    return {"ada@pulse.example": organisations["pulse"], "nia@neighbour.example": neighbour}


@pytest.fixture
def unguarded(monkeypatch: pytest.MonkeyPatch) -> None:
    """The backend as a library would write it that thinks it has the connection to itself.

    Role and path are set for the session, and once for as long as the organisation stays the same.
    """
    monkeypatch.setattr(base, "_SET", base._SET.replace(", true)", ", false)"))
    # Nor does it ask the shard whether the organisation lives there.
    unasked = base._ENTER.replace("enclave.admit(%s, %s)", "concat(%s::text, %s::integer)")
    monkeypatch.setattr(base, "_ENTER", unasked.replace(", true)", ", false)"))
    careful: Any = DatabaseWrapper.apply_context

    def once(self: Any) -> Any:
        context = current()
        if context is not None and self.__dict__.get("believed") == context.schema:
            return context
        self.believed = context.schema if context is not None else ""
        return careful(self)

    monkeypatch.setattr(DatabaseWrapper, "apply_context", once)


def reads(organisation: Organisation) -> set[str]:
    """Return the addresses of an organisation's people, as a request would."""
    with enter(organisation, actor=ACTOR):
        return set(User.objects.values_list("email", flat=True))


class TestPoolOfOne:
    pool = {"min_size": 1, "max_size": 1, "timeout": 5}

    def process(self) -> int:
        """Return the server's process behind the connection."""
        raw: Any = connections["shard_1"].connection
        return int(raw.info.backend_pid)

    def test_each_borrower_sees_its_own(self, two: Two, backend: Backend) -> None:
        one, served = backend(pool=self.pool), set()
        for _ in range(ROUNDS):
            for address, organisation in two.items():
                seen = reads(organisation)
                assert address in seen
                assert not seen & (two.keys() - {address})
                served.add(self.process())
                one.close()  # as the end of each request does: back into the pool
        assert len(served) == 1

    def left_behind(self, backend: Backend, organisation: Organisation) -> str | None:
        """Return what a borrower reads who sets nothing, after one who worked for an organisation."""
        one = backend(pool=self.pool)
        reads(organisation)
        one.close()
        pool: Any = one.pool
        try:
            with pool.connection() as connection:
                return str(connection.execute("SELECT email FROM identity_user ORDER BY email").fetchone()[0])
        except psycopg.errors.UndefinedTable:
            return None

    def test_who_sets_nothing_sees_nothing(self, two: Two, backend: Backend) -> None:
        assert self.left_behind(backend, two["ada@pulse.example"]) is None

    @pytest.mark.usefixtures("unguarded")
    def test_the_leak_is_seen_when_the_guard_is_taken_out(self, two: Two, backend: Backend) -> None:
        assert self.left_behind(backend, two["ada@pulse.example"]) == "ada@pulse.example"

    def test_a_connection_retires_after_many_schemas(
        self, two: Two, backend: Backend, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(settings, "SCHEMAS_PER_CONNECTION", 1)
        one, served = backend(pool=self.pool), []
        for organisation in [*two.values(), *two.values()]:
            served.append(self.process_of(organisation))
            one.close()
        assert served[0] == served[1] != served[2] == served[3]

    @pytest.mark.parametrize("pool", [None, pool], ids=["without a pool", "with a pool"])
    def test_it_retires_in_the_middle_of_a_sweep_too(
        self, two: Two, backend: Backend, monkeypatch: pytest.MonkeyPatch, pool: dict[str, int] | None
    ) -> None:
        """What walks over all organisations keeps its connection: only transactions end."""
        monkeypatch.setattr(settings, "SCHEMAS_PER_CONNECTION", 1)
        backend(pool=pool)
        served = [self.process_of(organisation) for organisation in [*two.values(), *two.values()]]
        assert served[0] == served[1] != served[2] == served[3]

    def process_of(self, organisation: Organisation) -> int:
        """Return the server's process that answers for an organisation."""
        with enter(organisation, actor=ACTOR):
            User.objects.exists()
            return self.process()


class TestPoolOfFour:
    pool = {"min_size": 4, "max_size": 4, "timeout": 5}

    def test_an_organisation_keeps_to_its_connection(self, two: Two, backend: Backend) -> None:
        """Visited one after the other, each schema is touched by one of the connections, not by all."""
        one, served = backend(pool=self.pool), []
        pool: Any = one.pool
        pool.open()
        pool.wait()
        for _ in range(8):
            for organisation in two.values():
                with enter(organisation, actor=ACTOR):
                    User.objects.exists()
                    raw: Any = connections["shard_1"].connection
                    served.append((str(organisation.slug), raw.info.backend_pid))
                one.close()
        assert len(set(served)) == len(two)
        assert len({process for _, process in served}) == len(two)

    def test_who_finds_its_connection_taken_gets_another(self, two: Two, backend: Backend) -> None:
        one, (mine, _) = backend(pool=self.pool), two.values()
        pool: Any = one.pool
        pool.open()
        pool.wait()
        reads(mine)
        raw: Any = connections["shard_1"].connection
        first = raw.info.backend_pid
        second = DatabaseWrapper(one.settings_dict, "shard_1")
        use(second)
        reads(mine)
        raw = second.connection
        assert raw.info.backend_pid != first
        second.close()


class TestTransactionPooler:
    def interleaved(self, two: Two, backend: Backend) -> list[bool]:
        """Let two processes' connections share one of the server's; say of each read whether it was right."""
        shard, seen = settings.DATABASES["shard_1"], []
        with TransactionPooler(str(shard["HOST"]), int(shard["PORT"])) as pooler, ExitStack() as stack:
            clients = {address: backend(port=pooler.port) for address in two}
            for one in clients.values():
                stack.callback(one.close)
            for _ in range(ROUNDS):
                for address, organisation in two.items():
                    use(clients[address])
                    answer = reads(organisation)
                    seen.append(address in answer and not answer & (two.keys() - {address}))
        return seen

    def test_interleaved_transactions_see_their_own(self, two: Two, backend: Backend) -> None:
        assert set(self.interleaved(two, backend)) == {True}

    @pytest.mark.usefixtures("unguarded")
    def test_the_leak_is_seen_when_the_guard_is_taken_out(self, two: Two, backend: Backend) -> None:
        assert False in self.interleaved(two, backend)
