"""Wake rows: the one thing that leaves an organisation's schema, so that no job is forgotten."""

from datetime import datetime
from functools import partial

from django.db import connections, transaction

from jobs import bells
from tenants.context import current_tenant, required
from tenants.functions import own

# Seconds that a bell has before the sweeper looks as well.
GRACE = 3


def wake_kind(queue: str) -> str:
    """Return the kind of wake rows for a queue."""
    return f"jobs.{queue}"


def wake(queue: str, *, after: float = 0, due: datetime | None = None) -> None:
    """Append a wake row for `due`, or `after` seconds from now, in the current transaction."""
    context = required()
    wakes = own("enclave_wake", context.schema)
    with connections[context.alias].cursor() as cursor:
        if due is not None:
            cursor.execute(f"SELECT {wakes}(%s, %s)", (wake_kind(queue), due))
        else:
            cursor.execute(
                f"SELECT {wakes}(%s, clock_timestamp() + make_interval(secs => %s))",
                (wake_kind(queue), after),
            )


def wake_now(queue: str) -> None:
    """Append a wake row and ring after the commit."""
    wake(queue, after=GRACE)
    ring = partial(bells.ring, current_tenant().id, queue)
    transaction.on_commit(lambda: _discard(ring()))


def _discard(_: bool) -> None:
    return None
