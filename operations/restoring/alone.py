"""One process at a time; each lock ends with the process that has it."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psycopg

from operations.restoring import places
from operations.restoring.problems import Busy

_LOCK = 0x52455354


@contextmanager
def alone_with(alias: str, schema: str) -> Iterator[None]:
    """Hold off every other process from the restores of an organisation. Raises Busy when one is at it."""
    with psycopg.connect(places.owner_address(alias), autocommit=True) as connection:
        row = connection.execute("SELECT pg_try_advisory_lock(%s, hashtext(%s))", [_LOCK, schema]).fetchone()
        if not row or not row[0]:
            raise Busy("Another process is at it.")
        try:
            yield
        finally:
            # The server notices a closed connection a moment later; whoever comes next comes at once.
            with suppress(psycopg.Error):
                connection.execute("SELECT pg_advisory_unlock(%s, hashtext(%s))", [_LOCK, schema])


@contextmanager
def alone_in(folder: Path) -> Iterator[None]:
    """Hold off every other process from a folder, which need not be there. Raises Busy when one is in it."""
    folder.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with folder.with_name(f"{folder.name}.lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as problem:
            raise Busy("Another process recovers that server.") from problem
        yield
