"""Files made for one test. These rooms are pure: no servers are started for them."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from records.importing import Limits, Source, open_source

Opener = Callable[..., Source]


@pytest.fixture(scope="session", autouse=True)
def running_servers() -> None:
    """Stand in for the fixture that starts PostgreSQL and Redis."""


@pytest.fixture
def work(tmp_path: Path) -> Path:
    """The folder for temporary files; a test may look at what was left there."""
    folder = tmp_path / "work"
    folder.mkdir()
    return folder


@pytest.fixture
def opened(tmp_path: Path, work: Path) -> Iterator[Opener]:
    """Open bytes as a file that somebody sent."""
    sources: list[Source] = []

    def run(data: bytes, name: str = "table.csv", limits: Limits | None = None, **rest: Any) -> Source:
        path = tmp_path / "sent"
        path.write_bytes(data)
        sources.append(open_source(path, name, limits, folder=work, **rest))
        return sources[-1]

    yield run
    for source in sources:
        source.close()
