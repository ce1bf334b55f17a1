"""Shards: written into the control plane as the environment names them, and looked at again and again."""

import logging
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import psycopg
from django.conf import settings
from django.db import connections, transaction
from django.db.models import Count, Q

from operations.models import ShardHealth
from tenants import breaker
from tenants.models import Shard
from tenants.placement import State

logger = logging.getLogger(__name__)

# What a login without rights may know of its server and database.
_FIGURES = b"""
    SELECT pg_catalog.current_setting('server_version'),
        pg_catalog.pg_database_size(pg_catalog.current_database()),
        (SELECT pg_catalog.sum(numbackends)::int FROM pg_catalog.pg_stat_database),
        pg_catalog.current_setting('max_connections')::int,
        (SELECT pg_catalog.max(extract(epoch FROM pg_catalog.clock_timestamp() - xact_start))::float
           FROM pg_catalog.pg_stat_activity
          WHERE datname = pg_catalog.current_database() AND pid <> pg_catalog.pg_backend_pid()),
        archived_count * (SELECT setting::bigint FROM pg_catalog.pg_settings WHERE name = 'wal_segment_size'),
        COALESCE(last_failed_time > COALESCE(last_archived_time, '-infinity'), false)
    FROM pg_catalog.pg_stat_archiver
"""
# Fails where a file of a megabyte finds no room: on the disk of temporary files, and on that of the data.
# A login without rights may do no more than this.
_NEEDS_ROOM = b"""
    SELECT pg_catalog.set_config('work_mem', '64kB', true);
    SELECT pg_catalog.count(*) FROM pg_catalog.generate_series(1, 60000);
    SELECT pg_catalog.set_config('temp_tablespaces', '', true);
    SELECT pg_catalog.count(*) FROM pg_catalog.generate_series(1, 60000)
"""


class ShardsMissing(RuntimeError):
    """Organisations live on shards that the environment does not name; `str()` says which and what to do."""


def register() -> list[str]:
    """Write the environment's shards into the control plane; return what an operator should know.

    Raises ShardsMissing, having changed nothing, where organisations would be out of reach.
    """
    unknown = _living().exclude(alias__in=settings.SHARD_ALIASES)
    lost = [shard for shard in unknown if shard.living]
    if lost:
        raise ShardsMissing(" ".join(map(_lost, lost)))
    with transaction.atomic(using="control"):
        notes = [_forgotten(shard) for shard in unknown]
        for alias, words in settings.SHARDS.items():
            shard, is_new = Shard.objects.get_or_create(alias=alias, defaults=words.said())
            if not is_new:
                notes += _updated(shard, words.said())
    return notes


def _living() -> Any:
    placed = ~Q(organisations__state=State.GONE)
    return Shard.objects.annotate(living=Count("organisations", filter=placed))


def _lost(shard: Any) -> str:
    return (
        f"{shard.alias} is in the control plane and not in the environment, and {shard.living} organisations "
        f"live there: set {shard.alias.upper()}_DATABASE_URL."
    )


def _forgotten(shard: Any) -> str:
    return f"{shard.alias} is in the control plane and not in the environment. Nobody lives there."


def _updated(shard: Shard, said: dict[str, str | int]) -> list[str]:
    changed = {name: value for name, value in said.items() if getattr(shard, name) != value}
    if changed:
        Shard.objects.filter(pk=shard.pk).update(**changed)
    return [
        f"{shard.alias}: {name.replace('_', ' ')} is {value or 'nobody'} now."
        for name, value in changed.items()
    ]


def unregistered() -> list[str]:
    """Return the environment's shards that `prepare` has not written down yet: nobody is placed there."""
    known = set(Shard.objects.values_list("alias", flat=True))
    return [alias for alias in settings.SHARD_ALIASES if alias not in known]


@dataclass(frozen=True, slots=True)
class Look:
    """What one look at a shard found: its figures, or why it did not answer."""

    alias: str
    figures: tuple[Any, ...] = ()
    fault: str = ""
    is_full: bool = False


def look_at_all(*, at: datetime) -> int:
    """Ask every shard, all at once, and write down what was found; return how many do not answer."""
    known = set(Shard.objects.values_list("alias", flat=True))
    aliases = [alias for alias in settings.SHARD_ALIASES if alias in known]
    parameters = {alias: connections[alias].get_connection_params() for alias in aliases}
    with ThreadPoolExecutor(max(1, len(aliases)), thread_name_prefix="look") as threads:
        looks = list(threads.map(lambda alias: _look(alias, parameters[alias]), aliases))
    for look in looks:
        _write(look, at=at)
    for alias in unregistered():
        logger.warning("%s is in the environment and not in the control plane: run manage.py prepare", alias)
    return sum(bool(look.fault) for look in looks)


def _look(alias: str, parameters: breaker.Parameters) -> Look:
    try:
        rows = breaker.ask(parameters, _FIGURES)
    except psycopg.errors.DiskFull:
        return Look(alias, is_full=True)  # its figures found no room to be put together
    except (psycopg.Error, breaker.Silent) as fault:
        return Look(alias, fault=" ".join(str(fault).split())[:300] or type(fault).__name__)
    return Look(alias, figures=rows[0] if rows else (), is_full=_is_full(alias, parameters))


def _is_full(alias: str, parameters: breaker.Parameters) -> bool:
    try:
        breaker.ask(parameters, _NEEDS_ROOM)
    except psycopg.errors.DiskFull as fault:
        logger.error("a disk of %s is full: %s", alias, fault)
        return True
    except (psycopg.Error, breaker.Silent) as fault:
        logger.warning("whether %s has room was not found out: %s", alias, fault)
    return False


def _write(look: Look, *, at: datetime) -> None:
    before = ShardHealth.objects.filter(shard_id=look.alias).first()
    if look.fault:
        since = before.down_since if before is not None and before.down_since else at
        if before is None or before.down_since is None:
            logger.error("%s does not answer: %s", look.alias, look.fault)
        columns: dict[str, Any] = {"down_since": since, "down_why": look.fault}
    else:
        if before is not None and before.down_since:
            logger.warning("%s answers again", look.alias)
        full_since = (before.full_since if before is not None else None) or at
        columns = {
            "down_since": None,
            "down_why": "",
            "answered_at": at,
            "full_since": full_since if look.is_full else None,
            **_columns(look.figures),
        }
    columns["server"] = server_of(look.alias)
    ShardHealth.objects.update_or_create(shard_id=look.alias, defaults={"looked_at": at, **columns})


def _columns(figures: tuple[Any, ...]) -> dict[str, Any]:
    names = (
        *("version", "size_bytes", "connections", "connections_most"),
        *("oldest_transaction_s", "archived_bytes", "archive_fails"),
    )
    return dict(zip(names, figures, strict=True)) if figures else {}


def server_of(alias: str) -> str:
    """Return the host and port of a shard's server."""
    database = connections[alias].settings_dict
    return f"{database['HOST']}:{database['PORT']}"
