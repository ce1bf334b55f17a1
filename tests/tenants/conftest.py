"""What the room's tests share: a second organisation on the first shard, and connections of the backend."""

from collections.abc import Callable, Iterator
from copy import deepcopy
from typing import Any

import pytest
from django.db import connections

from operations.actions.provisioning import Wish, provision
from tenants.backends.shard.base import DatabaseWrapper
from tenants.models import Organisation

Backend = Callable[..., DatabaseWrapper]


@pytest.fixture
def neighbour(organisations: dict[str, Organisation]) -> Organisation:
    """An organisation on the shard of Pulse, committed."""
    found = Organisation.objects.filter(slug="neighbour").first()
    return found or provision(Wish("neighbour", "Neighbour", "nia@neighbour.example", "Nia", shard="shard_1"))


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
