"""What the room's tests share: a second organisation on the first shard, a column to come, connections."""

from collections.abc import Callable, Iterator
from copy import deepcopy
from typing import Any

import pytest
from django.db import connections

from operations.actions.provisioning import Wish, provision
from tenants import capabilities
from tenants.backends.shard.base import DatabaseWrapper
from tenants.capabilities import capability
from tenants.models import Organisation
from tests.rooms.gear.models import Speaker

Backend = Callable[..., DatabaseWrapper]


@pytest.fixture
def neighbour(organisations: dict[str, Organisation]) -> Organisation:
    """An organisation on the shard of Pulse, committed."""
    found = Organisation.objects.filter(slug="neighbour").first()
    return found or provision(Wish("neighbour", "Neighbour", "nia@neighbour.example", "Nia", shard="shard_1"))


@pytest.fixture
def watts_to_come(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A column that the code declares for a migration which no schema has had."""
    for name in ("_declared", "_columns", "_beliefs"):
        monkeypatch.setattr(capabilities, name, dict(getattr(capabilities, name)))
    before = Speaker.__dict__["watts"]
    capability("gear.watts", since=("gear", "0002_to_come"), brings=("Speaker.watts",))
    yield
    Speaker.watts = before


@pytest.fixture
def backend() -> Iterator[Backend]:
    """A function that opens the first shard through our own backend, in a way of the test's choice.

    What it opens stands for `shard_1` from then on; `use(one)` lets another one stand for it.
    """
    before = connections["shard_1"]
    opened: list[DatabaseWrapper] = []

    def open_one(*, pool: dict[str, Any] | None = None, port: int | None = None) -> DatabaseWrapper:
        settings = deepcopy(before.settings_dict)
        settings["OPTIONS"] = {"pool": pool} if pool else {}
        settings["PORT"] = port or settings["PORT"]
        opened.append(DatabaseWrapper(settings, "shard_1"))
        use(opened[-1])
        return opened[-1]

    try:
        yield open_one
    finally:
        for one in opened:
            one.close()
            one.close_pool()
        connections["shard_1"] = before


def use(one: DatabaseWrapper) -> None:
    """Let this connection stand for the first shard."""
    connections["shard_1"] = one
