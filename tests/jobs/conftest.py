"""Fixtures of the room's tests."""

from collections.abc import Iterator

import pytest

from jobs import registry
from tests.jobs import kinds


@pytest.fixture(autouse=True)
def known_kinds() -> Iterator[None]:
    """Register the kinds of the tests, for each test alone."""
    kinds.register()
    yield
    for name in kinds.NAMES:
        registry.forget(name)
