"""Fixtures of the tests of backfills."""

from collections.abc import Iterator

import pytest

from jobs.backfills import registry
from tests.backfills import kinds


@pytest.fixture(autouse=True)
def known_backfills() -> Iterator[None]:
    """Register the backfills of the tests, for each test alone."""
    kinds.register()
    yield
    for name in kinds.NAMES:
        registry.forget(name)
