"""The switch: behind the fence the last changes arrive and are compared, and the placement changes.

The order is what makes it safe. The source is closed for good before the target can be entered, and the
target's epoch is known to nobody before the control plane says it. So of old and new never both are open.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from django.db import transaction
from psycopg import sql
from psycopg.pq import TransactionStatus

from jobs.actions.waking import wake_kind
from operations.models import Move, MoveStep
from operations.moves import checks, copying, later, links, making
from operations.moves.comparing import arrived
from operations.moves.fencing import Fence, fenced
from operations.moves.links import Link
from operations.moves.problems import CannotMove, NotTheSame, NotYet
from operations.moves.tables import tables_of
from operations.moves.telling import CLOSED, MOVED, act, tell
from tenants import hosts
from tenants.models import Organisation
from tenants.schema import labels

# Behind the fence no statement may take longer; then writers are let in again and it is tried later.
STATEMENT_TIMEOUT = "2s"
# For how long a table of the copy may be worked on before it is tried later.
UNDISTURBED_MS = 10_000
_SEQUENCES = """
SELECT class.relname FROM pg_class AS class
WHERE class.relnamespace = to_regnamespace(%s) AND class.relkind = 'S' ORDER BY class.relname
"""


def switch(move: Move) -> None:
    """Let the organisation live on the target. Raises NotYet (nothing happened), NotTheSame or CannotMove."""
    with (
        links.owner(move.source_id) as source,
        links.owner(move.target_id) as target,
        links.mover(move.target_id) as subscriber,
    ):
        if later.count_later(source, move) > later.MOST_LATER // 2:
            raise NotYet("Too much has changed since both sides were compared")
        with _undisturbed(target, move):
            for connection in (source, target):
                connection.execute("SELECT set_config('statement_timeout', %s, false)", (STATEMENT_TIMEOUT,))
            with fenced(source, move.schema_name) as fence:
                _behind_the_fence(move, source, target, subscriber, fence)
    move.count(pause_ms=round(fence.pause_ms, 1))
    hosts.forget()


@contextmanager
def _undisturbed(target: Link, move: Move) -> Iterator[None]:
    """Begin a transaction on the target in whose way no vacuum stands; `_finish_copy` commits it.

    Its triggers cannot be made while a table is vacuumed, as a table that was just filled soon is. The server
    stops a vacuum for us, but only after a second, which is to pass before anybody waits at the fence.
    Raises NotYet.
    """
    tables = sql.SQL(", ").join(table.quoted for table in tables_of(target, move.schema_name))
    target.execute("BEGIN")
    try:
        target.execute("SELECT set_config('lock_timeout', %s, true)", (f"{UNDISTURBED_MS}ms",))
        try:
            # What replication does goes on: it needs another kind of lock.
            target.execute(sql.SQL("LOCK TABLE {} IN SHARE UPDATE EXCLUSIVE MODE").format(tables))
        except psycopg.errors.LockNotAvailable as problem:
            raise NotYet("A table of the copy is being worked on") from problem
        yield
    finally:
        if not target.closed and target.info.transaction_status != TransactionStatus.IDLE:
            target.execute("ROLLBACK")


def _behind_the_fence(move: Move, source: Link, target: Link, subscriber: Link, fence: Fence) -> None:
    if checks.is_indexing(source, move.schema_name):
        raise NotYet("An index is being made")
    if copying.indexes_of(source, move.schema_name) != copying.indexes_of(target, move.schema_name):
        raise NotYet("An index was made meanwhile")
    mark = tell(source, move, CLOSED, source=move.source_id, target=move.target_id)
    arrived(target, move, mark)
    marks = {"arrived_ms": fence.so_far()}
    rows = later.verify(move, source, target)
    marks["verified_ms"] = fence.so_far()
    move.reach(MoveStep.SWITCHING)
    copying.disable(subscriber, move)
    marks["unfollowed_ms"] = fence.so_far()
    _finish_copy(move, source, target)
    marks["finished_ms"] = fence.so_far()
    close_and_open(move, source, target)
    move.count(rows_verified=rows, **{name: round(value, 1) for name, value in marks.items()})


def _finish_copy(move: Move, source: Link, target: Link) -> None:
    """Do on the copy what replication does not: sequences, triggers, wake rows, the trail's next epoch.

    In the transaction that `_undisturbed` began, which ends here.
    """
    target.execute("SELECT set_config('statement_timeout', '0', true)")
    making.withdraw(target, move.schema_name)
    _set_sequences(move, source, target)
    target.execute("SELECT enclave.trail_triggers(%s, 'ENABLE ALWAYS')", (move.schema_name,))
    _carry_wakes(move, source, target)
    _release_jobs(move, target)
    # The transaction ids of another server say nothing about the order after these.
    epochs = links.name(move.schema_name, "audit_epoch")
    target.execute(
        sql.SQL(
            "INSERT INTO {} (epoch, opened_us, reason) SELECT max(epoch) + 1, "
            "(extract(epoch FROM clock_timestamp()) * 1000000)::bigint, 'move' FROM {}"
        ).format(epochs, epochs)
    )
    _same_catalogue(move, source, target)
    tell(target, move, MOVED, source=move.source_id, target=move.target_id)
    target.execute("COMMIT")


def _set_sequences(move: Move, source: Link, target: Link) -> None:
    calls = [
        sql.SQL("setval({}::regclass, {}, {})").format(
            sql.Literal(f"{move.schema_name}.{name}"), sql.Literal(last), sql.Literal(is_called)
        )
        for name, (last, is_called) in _sequences(source, move.schema_name).items()
    ]
    target.execute(sql.SQL("SELECT ") + sql.SQL(", ").join(calls))
    refuse_sequences_behind(move.schema_name, source, target)


def _sequences(link: Link, schema: str) -> dict[str, tuple[int, bool]]:
    names = [name for (name,) in link.execute(_SEQUENCES, (schema,)).fetchall()]
    query = sql.SQL(" UNION ALL ").join(
        sql.SQL("SELECT {}::text, last_value, is_called FROM {}").format(
            sql.Literal(name), links.name(schema, name)
        )
        for name in names
    )
    return {name: (int(last), bool(called)) for name, last, called in link.execute(query).fetchall()}


def refuse_sequences_behind(schema: str, source: Link, target: Link) -> None:
    """Raise NotTheSame for a sequence of the copy that would give out a number again."""
    theirs = _sequences(target, schema)
    for name, last in _sequences(source, schema).items():
        if theirs.get(name, (0, False)) < last:
            raise NotTheSame(f"The sequence {name} of the copy is behind that of the original.")


def _carry_wakes(move: Move, source: Link, target: Link) -> None:
    rows = source.execute(
        "SELECT organisation, kind, due FROM enclave.wake WHERE organisation = %s", (move.schema_name,)
    ).fetchall()
    with target.cursor() as cursor:
        cursor.executemany("INSERT INTO enclave.wake (organisation, kind, due) VALUES (%s, %s, %s)", rows)


def _release_jobs(move: Move, target: Link) -> None:
    """Let other workers have the jobs that run, at once, and refuse what those before still want to write.

    Nobody is inside any more, so nothing of a job is half done but what was not committed. Mail keeps its
    lease: it may be out already, and whoever sent it writes that down where the organisation lives by then.
    """
    released = target.execute(
        sql.SQL(
            "UPDATE {} SET state = 'queued', leased_until = NULL, lease_token = lease_token + 1 "
            "WHERE state = 'running' AND queue <> 'mail' RETURNING queue"
        ).format(links.name(move.schema_name, "jobs_job"))
    ).fetchall()
    with target.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO enclave.wake (organisation, kind) VALUES (%s, %s)",
            [(move.schema_name, wake_kind(queue)) for queue in sorted({queue for (queue,) in released})],
        )
    move.count(jobs_released=len(released))


def _same_catalogue(move: Move, source: Link, target: Link) -> None:
    """Raise CannotMove where tables, triggers, functions or rights are not the same."""
    query = "SELECT name, digest FROM enclave.digests_of(%s, NULL)"
    ours, theirs = (dict(link.execute(query, (move.schema_name,)).fetchall()) for link in (source, target))
    differing = sorted(name for name in ours.keys() | theirs.keys() if ours.get(name) != theirs.get(name))
    if differing:
        raise CannotMove(f"The schemas are not the same: {', '.join(differing[:5])}.")
    version = "SELECT enclave.version_of(%s, %s)"
    for link in (source, target):
        row = link.execute(version, (move.schema_name, labels())).fetchone()
        if not row or row[0] != move.version:
            raise CannotMove("The schema was migrated meanwhile.")


_PLACE = "UPDATE enclave.placed SET state = %s, since = now() WHERE schema_name = %s"


def close_and_open(move: Move, source: Link, target: Link) -> None:
    """Close the source for good, open the target, and say so in the control plane. May be repeated."""
    source.execute(_PLACE, ("closed", move.schema_name))
    target.execute(_PLACE, ("open", move.schema_name))
    with transaction.atomic(using="control"):
        Organisation.objects.filter(pk=move.organisation_id, epoch=move.epoch).update(
            shard_id=move.target_id, epoch=move.epoch + 1
        )
        act(move, f"lives on {move.target_id} now")
        move.reach(MoveStep.SWITCHED)
    hosts.forget()


def settle(move: Move) -> bool:
    """Go on with a switch that broke off; return whether the organisation lives on the target.

    Once the source is closed it goes forward only. Before that writers were let in again, and what was done
    to the copy cannot be made to follow any more.
    """
    with links.owner(move.source_id) as source, links.owner(move.target_id) as target:
        with fenced(source, move.schema_name):
            row: Any = source.execute(
                "SELECT state FROM enclave.placed WHERE schema_name = %s", (move.schema_name,)
            ).fetchone()
            if row is None or row[0] != "closed":
                return False
            close_and_open(move, source, target)
    return True


def tidy(move: Move) -> None:
    """Remove what the move needed: subscription, slot, publication, rights, wake rows of the old place."""
    copying.stop(move)
    with links.owner(move.source_id) as source:
        source.execute("DELETE FROM enclave.wake WHERE organisation = %s", (move.schema_name,))
