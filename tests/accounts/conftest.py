"""Fixtures of the room: Pulse's people, entered as its owner."""

from collections.abc import Iterator

import pytest
from django.core.cache import caches

from accounts.limits import local


@pytest.fixture(autouse=True)
def fresh_counts(running_servers: None) -> Iterator[None]:
    """Start each test with nothing counted: tests guess more than people do."""
    caches["limits"].clear()
    local.forget()
    yield
    local.forget()
