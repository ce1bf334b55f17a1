"""What is looked at before anything is made: may this organisation move there, and is there room?"""

from typing import Any

from django.conf import settings
from psycopg import sql

from operations.actions.joining import refuse_joining
from operations.joining.problems import CannotJoin
from operations.models import Move, Restore
from operations.moves import links
from operations.moves.links import Link
from operations.moves.problems import CannotMove
from operations.moves.tables import tables_of
from tenants.models import Organisation, Shard
from tenants.placement import State, Stop
from tenants.schema import labels, wanted_version

# Slots, walsenders and workers that one move takes at most.
_NEEDS = {"max_replication_slots": 4, "max_wal_senders": 4, "max_logical_replication_workers": 3}


def places(organisation: Organisation, target: Shard) -> None:
    """Raise CannotMove for what the control plane can say alone."""
    if target.pk == organisation.shard_id:
        raise CannotMove(f"{organisation.name} lives on {target.pk} already.")
    if target.pk not in settings.SHARD_ALIASES:
        raise CannotMove(f"There is no database for {target.pk} in the environment.")
    try:
        refuse_joining(organisation)
    except CannotJoin as problem:
        raise CannotMove(str(problem)) from problem
    if State(organisation.state) is State.GONE or organisation.placement().stops(Stop.ENTRY):
        raise CannotMove(f"{organisation.name} is gone.")
    if not organisation.domains.exists():
        raise CannotMove(f"{organisation.name} is still being made.")
    if target.organisations.placed().count() >= target.capacity:
        raise CannotMove(f"{target.pk} has as many organisations as it may.")
    if Move.objects.under_way().filter(organisation=organisation).exists():
        raise CannotMove(f"{organisation.name} is being moved already.")
    if Restore.objects.unfinished().filter(organisation=organisation).exists():
        raise CannotMove(f"{organisation.name} is being brought back to an earlier time.")


def servers(schema: str, source_alias: str, target_alias: str) -> str:
    """Look at both shards and return the version of the schema. Raises CannotMove."""
    with links.owner(source_alias) as source, links.owner(target_alias) as target:
        _replicating(source, source_alias)
        _replicating(target, target_alias)
        _alike(source, target)
        tables_of(source, schema)
        _nothing_that_cannot_wait(source, schema)
        version = _version(source, target, schema, target_alias)
        _room(source, target, schema, target_alias)
    for alias in (source_alias, target_alias):
        with links.mover(alias) as connection:
            _mover(connection, alias)
    return version


def _one(connection: Link, query: str, *values: object) -> Any:
    row = connection.execute(query.encode(), values or None).fetchone()
    return row[0] if row else None


def _replicating(connection: Link, alias: str) -> None:
    level = _one(connection, "SELECT current_setting('wal_level')")
    if level != "logical":
        raise CannotMove(f"The server of {alias} runs with wal_level={level}; it must be logical.")
    taken = {
        "max_replication_slots": "SELECT count(*) FROM pg_replication_slots",
        "max_wal_senders": "SELECT count(*) FROM pg_stat_replication",
        "max_logical_replication_workers": (
            "SELECT count(*) FROM pg_stat_activity WHERE backend_type LIKE 'logical replication % worker'"
        ),
    }
    for setting, needed in _NEEDS.items():
        most = int(_one(connection, "SELECT current_setting(%s)", setting))
        used = int(_one(connection, taken[setting]))
        if most - used < needed:
            raise CannotMove(
                f"The server of {alias} has no room for another move: "
                f"{used} of {most} are taken of {setting}."
            )


def _alike(source: Link, target: Link) -> None:
    query = (
        "SELECT concat_ws(' ', current_setting('server_encoding'), datcollate, datctype, datlocprovider, "
        "datlocale) FROM pg_database WHERE datname = current_database()"
    )
    ours, theirs = _one(source, query), _one(target, query)
    if ours != theirs:
        raise CannotMove(f"The databases write text differently: {ours} and {theirs}.")


def _version(source: Link, target: Link, schema: str, target_alias: str) -> str:
    version = str(_one(source, "SELECT enclave.version_of(%s, %s)", schema, labels()))
    if version != wanted_version():
        raise CannotMove("The schema is not at the version of this code; migrate the fleet first.")
    if not _one(target, "SELECT count(*) FROM enclave.template WHERE version = %s", version):
        raise CannotMove(f"{target_alias} has no template of the schema's version; run prepare first.")
    return version


def _nothing_that_cannot_wait(source: Link, schema: str) -> None:
    """Indexes are made outside of transactions, so the switch could not wait for them."""
    if is_indexing(source, schema):
        raise CannotMove("An index is being made there; move when it is done.")


def is_indexing(source: Link, schema: str) -> bool:
    """Return whether a job of the owner's runs."""
    query = sql.SQL("SELECT EXISTS (SELECT FROM {} WHERE queue = 'owner' AND state = 'running')")
    row = source.execute(query.format(links.name(schema, "jobs_job"))).fetchone()
    return bool(row and row[0])


def _room(source: Link, target: Link, schema: str, target_alias: str) -> None:
    most = settings.SHARD_BYTES.get(target_alias, 0)
    if not most:
        return
    size = int(_one(source, "SELECT enclave.schema_bytes(%s)", schema))
    used = int(_one(target, "SELECT pg_database_size(current_database())"))
    if used + size > most:
        raise CannotMove(
            f"{target_alias} has {used:,} of {most:,} bytes in use; the organisation needs {size:,} more."
        )


def _mover(connection: Link, alias: str) -> None:
    query = (
        "SELECT rolreplication AND pg_has_role(oid, 'pg_create_subscription', 'MEMBER') "
        "AND has_database_privilege(oid, current_database(), 'CREATE') "
        "FROM pg_roles WHERE rolname = session_user"
    )
    if not _one(connection, query):
        raise CannotMove(f"The mover's login on {alias} may not replicate; run python -m config.own_server.")
