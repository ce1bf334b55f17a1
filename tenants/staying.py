"""An organisation stays where it is while its owner works on it.

Transactions of the application are admitted one by one (`enclave.admit`). What the owner does, migrations
and seals, nobody admits: it holds the same lock for as long as it takes, and asks the shard itself.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connections

# The class of the advisory lock of a schema; `enclave.admit` shares it, a move that switches has it alone.
PLACEMENT_LOCK = 1162756940
WAIT_SECONDS = 1.0
_POLL_SECONDS = 0.02
_TAKE = "SELECT pg_try_advisory_lock_shared(%s, hashtext(%s))"
_LEAVE = "SELECT pg_advisory_unlock_shared(%s, hashtext(%s))"
_IS_COPY = "SELECT EXISTS (SELECT FROM enclave.placed WHERE schema_name = %s AND state <> 'open')"


class LivesElsewhere(RuntimeError):
    """The schema is the copy that a move makes or left behind, or the organisation moves at this instant."""


@contextmanager
def staying(alias: str, schema: str) -> Iterator[None]:
    """Keep an organisation on its shard for the block. Needs `as_owner`, outside of any transaction.

    Raises LivesElsewhere. A schema that was never issued, such as the template, does not move.
    """
    key = (PLACEMENT_LOCK, schema)
    until = time.monotonic() + WAIT_SECONDS
    while not _asked(alias, _TAKE, key):
        if time.monotonic() > until:
            raise LivesElsewhere("It is being moved at this moment.")
        time.sleep(_POLL_SECONDS)
    try:
        if _asked(alias, _IS_COPY, (schema,)):
            raise LivesElsewhere(f"It does not live on {alias} any more.")
        yield
    finally:
        connection = connections[alias]
        # The lock ends with its connection.
        if connection.connection is not None and not connection.connection.closed:
            _asked(alias, _LEAVE, key)


def _asked(alias: str, query: str, values: tuple[int | str, ...]) -> bool:
    with connections[alias].cursor() as cursor:
        cursor.execute(query, values)
        row = cursor.fetchone()
        return bool(row and row[0])
