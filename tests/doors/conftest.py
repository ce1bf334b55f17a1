"""The commands in bin/ bring their own servers; those that all other tests share stay off."""

import pytest


@pytest.fixture(scope="session", autouse=True)
def running_servers() -> None:
    """Start nothing."""
