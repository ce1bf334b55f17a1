"""These rooms are pure: no servers are started for them."""

import pytest


@pytest.fixture(scope="session", autouse=True)
def running_servers() -> None:
    """Stand in for the fixture that starts PostgreSQL and Redis."""
