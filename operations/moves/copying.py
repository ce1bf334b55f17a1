"""Copying by PostgreSQL's own logical replication: publication, slot and subscription."""

import time
from collections.abc import Callable

from psycopg import sql

from operations.models import Move
from operations.moves import links
from operations.moves.links import Link
from operations.moves.problems import CannotMove
from operations.moves.tables import tables_of

POLL_SECONDS = 0.2
Look = Callable[[], None]


def start(move: Move) -> None:
    """Publish the listed tables and subscribe to them. What an earlier attempt made of it is made anew."""
    stop(move)
    with links.owner(move.source_id) as source:
        tables = tables_of(source, move.schema_name)
        listed = sql.SQL(", ").join(table.quoted for table in tables)
        link = links.name(move.link_name)
        source.execute("SET lock_timeout = '3s'")
        source.execute(sql.SQL("CREATE PUBLICATION {} FOR TABLE {}").format(link, listed))
        # Through the role, not table by table: rights on the trail's tables are part of what its seals say.
        source.execute(
            sql.SQL("GRANT {} TO enclave_mover WITH INHERIT TRUE, SET FALSE, ADMIN FALSE").format(
                links.name(move.schema_name)
            )
        )
    # Made separately: a subscription that makes its own would wait for itself where both are one server.
    with links.mover(move.source_id) as source:
        source.execute("SELECT pg_create_logical_replication_slot(%s, 'pgoutput')", (move.link_name,))
    _subscribe(move)
    move.count(tables=len(tables))


def _subscribe(move: Move) -> None:
    with links.mover(move.target_id) as target:
        target.execute(
            sql.SQL(
                "CREATE SUBSCRIPTION {link} CONNECTION {address} PUBLICATION {link} WITH ("
                "create_slot = false, enabled = false, slot_name = {slot}, binary = true, streaming = off, "
                "disable_on_error = true, run_as_owner = true, origin = any)"
            ).format(
                link=links.name(move.link_name),
                address=sql.Literal(links.conninfo(move.source_id)),
                slot=sql.Literal(move.link_name),
            )
        )
        target.execute(sql.SQL("ALTER SUBSCRIPTION {} ENABLE").format(links.name(move.link_name)))


def wait(move: Move, *, look: Look) -> None:
    """Wait until every table is copied and follows; then make the indexes that people asked for.

    `look()` is called again and again, and raises what shall end the waiting.
    """
    with links.owner(move.target_id) as target, links.owner(move.source_id) as source:
        while True:
            look()
            done, wanted = following(target, move)
            move.say(f"{done} of {wanted} tables are copied")
            if done == wanted:
                break
            time.sleep(POLL_SECONDS)
        make_indexes(move, source, target, look=look)
        move.say("Counting rows for the planner")
        for table in tables_of(target, move.schema_name):
            target.execute(sql.SQL("ANALYZE {}").format(table.quoted))


def following(target: Link, move: Move) -> tuple[int, int]:
    """Return how many tables of how many are copied and follow. Raises CannotMove when it broke off."""
    row = target.execute(
        "SELECT sub.subenabled, count(rel.srrelid) FILTER (WHERE rel.srsubstate = 'r'), count(rel.srrelid) "
        "FROM pg_subscription AS sub LEFT JOIN pg_subscription_rel AS rel ON rel.srsubid = sub.oid "
        "WHERE sub.subname = %s AND sub.subdbid = (SELECT oid FROM pg_database "
        "WHERE datname = current_database()) GROUP BY sub.oid, sub.subenabled",
        (move.link_name,),
    ).fetchone()
    if row is None:
        raise CannotMove("The subscription on the target is gone.")
    if not row[0]:
        raise CannotMove(
            f"The replication stopped at an error on {move.target_id}: the copy has a row that the original "
            f"does not, or lacks one. The log of its server names it. {_unexpected(move)}".strip()
        )
    return int(row[1]), int(row[2])


def _unexpected(move: Move) -> str:
    """Name a row that only the copy has, where there is one."""
    from operations.moves.comparing import stray  # it compares what this module copies

    return stray(move)


_INDEXES = """
SELECT own.relname, pg_get_indexdef(idx.indexrelid), idx.indisvalid FROM pg_index AS idx
JOIN pg_class AS own ON own.oid = idx.indexrelid
WHERE own.relnamespace = to_regnamespace(%s) AND starts_with(own.relname, 'ux_') ORDER BY own.relname
"""


def indexes_of(connection: Link, schema: str) -> dict[str, str]:
    """Return the designed indexes of a schema that can be used, with their definitions."""
    rows = connection.execute(_INDEXES, (schema,)).fetchall()
    return {index: definition for index, definition, valid in rows if valid}


def make_indexes(move: Move, source: Link, target: Link, *, look: Look) -> None:
    """Make on the target the designed indexes that the source has, and drop those that it has no more."""
    ours, theirs = indexes_of(source, move.schema_name), indexes_of(target, move.schema_name)
    for number, index in enumerate(sorted(ours.keys() | theirs.keys()), start=1):
        look()
        if ours.get(index) == theirs.get(index):
            continue
        move.say(f"Making index {number} of {len(ours)}")
        target.execute(sql.SQL("DROP INDEX IF EXISTS {}").format(links.name(move.schema_name, index)))
        if index in ours:
            target.execute(ours[index].encode())


def stop(move: Move) -> None:
    """End the replication and leave nothing of it, on either side. May be repeated."""
    unsubscribe(move)
    with links.owner(move.source_id) as source:
        source.execute("SET lock_timeout = '3s'")
        source.execute(sql.SQL("DROP PUBLICATION IF EXISTS {}").format(links.name(move.link_name)))
        role = links.name(move.schema_name)
        if source.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", (move.schema_name,)).fetchone():
            source.execute(sql.SQL("REVOKE {} FROM enclave_mover").format(role))


def unsubscribe(move: Move) -> None:
    """Drop the subscription and every slot it had."""
    with links.mover(move.target_id) as target:
        row = target.execute(
            "SELECT oid FROM pg_subscription WHERE subname = %s AND subdbid = (SELECT oid FROM pg_database "
            "WHERE datname = current_database())",
            (move.link_name,),
        ).fetchone()
        if row is not None:
            # Its slots are dropped below, by name: it would fail over one that is gone already.
            disable(target, move)
            move.count(subscription=int(row[0]))
            link = links.name(move.link_name)
            target.execute(sql.SQL("ALTER SUBSCRIPTION {} SET (slot_name = NONE)").format(link))
            target.execute(sql.SQL("DROP SUBSCRIPTION {}").format(link))
    _drop_slots(move)


def disable(target: Link, move: Move) -> None:
    """Stop the subscription and wait until none of its workers is left. Needs the mover's login."""
    target.execute(sql.SQL("ALTER SUBSCRIPTION {} DISABLE").format(links.name(move.link_name)))
    while target.execute(
        "SELECT 1 FROM pg_stat_subscription WHERE subname = %s AND pid IS NOT NULL", (move.link_name,)
    ).fetchone():
        time.sleep(0.005)


def _drop_slots(move: Move) -> None:
    """Drop the move's slot, and those that the copying of single tables left."""
    found = "slot_name = %s OR slot_name LIKE %s"
    names = (move.link_name, f"pg\\_{move.figures.get('subscription', 0)}\\_sync\\_%")
    with links.mover(move.source_id) as source:
        until = time.monotonic() + 10
        while True:
            rows = source.execute(
                f"SELECT slot_name, active_pid FROM pg_replication_slots WHERE {found}",  # noqa: S608  # ours
                names,
            ).fetchall()
            for slot, pid in rows:
                if pid is None:
                    source.execute("SELECT pg_drop_replication_slot(%s)", (slot,))
                else:
                    # Of the same login, which may end its own.
                    source.execute("SELECT pg_terminate_backend(%s)", (pid,))
            if not rows:
                return
            if time.monotonic() > until:
                raise CannotMove(f"The replication slots of {move.link_name} are still in use.")
            time.sleep(0.05)
