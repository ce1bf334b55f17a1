"""An installation in which organisations are joined, and taken apart."""

from collections.abc import Iterator

import pytest

from tests.leaving.conftest import House, housed


@pytest.fixture(scope="module")
def house() -> Iterator[House]:
    """Three organisations on two shards, and two operators."""
    with housed("tests.joining.acting") as made:
        yield made
