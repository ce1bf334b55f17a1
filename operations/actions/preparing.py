"""Bringing an installation to the current code: control plane, shards, template, ready schemas."""

import logging

from django.conf import settings
from django.core.management import call_command
from django.db import OperationalError, connections

from operations.actions import shards
from operations.fleet import releases
from tenants.context import as_owner, control_plane, on_shard
from tenants.names import TEMPLATE_SCHEMA, new_schema_name
from tenants.schema import build_template, store_template, version_at

logger = logging.getLogger(__name__)


def prepare(*, ready: int, verbosity: int = 0) -> list[str]:
    """Migrate the control plane, build the template, store it on every shard, keep `ready` schemas.

    Returns what an operator should know. Needs the owner's login. May be repeated; quick when nothing has
    changed. Raises ShardsMissing where the environment lacks a shard that organisations live on.
    """
    with control_plane():
        call_command("migrate", database="control", interactive=False, verbosity=verbosity)
        notes = shards.register()
    releases.note_own()
    prepare_template(verbosity=verbosity)
    for alias in settings.SHARD_ALIASES:
        try:
            fill_ready(alias, wanted=ready)
        except OperationalError as problem:
            notes.append(f"{alias} was not prepared; run this again when it answers: {problem}")
    return notes


def prepare_template(*, verbosity: int = 0) -> None:
    """Bring the template to the current code, and the schemas that lie ready with it.

    Comes before the fleet: whoever is made meanwhile is made as this code knows it.
    """
    first = settings.SHARD_ALIASES[0]
    if _is_of_a_later_release(first):
        return
    body = build_template(first, verbosity=verbosity)
    for alias in settings.SHARD_ALIASES:
        try:
            if store_template(alias, body):
                fill_ready(alias, wanted=discard_outdated(alias))
        except OperationalError as problem:
            # Nobody is placed on a shard that does not answer, so nobody is made there of an old template.
            logger.warning("%s keeps its template: %s", alias, problem)


def _is_of_a_later_release(alias: str) -> bool:
    """Return whether a later release has made the template: this one lives with it, and changes nothing."""
    with as_owner(alias, TEMPLATE_SCHEMA), connections[alias].cursor() as cursor:
        cursor.execute("SELECT to_regclass(%s) IS NOT NULL", (f"{TEMPLATE_SCHEMA}.django_migrations",))
        (there,) = cursor.fetchone()
        return bool(there) and releases.ahead().filter(version=version_at(alias, TEMPLATE_SCHEMA)).exists()


def discard_outdated(alias: str) -> int:
    """Drop the ready schemas that were made from an older template; return how many."""
    with as_owner(alias, TEMPLATE_SCHEMA), connections[alias].cursor() as cursor:
        cursor.execute(
            "SELECT schema_name FROM enclave.issued WHERE state = 'ready' "
            "AND digest <> (SELECT digest FROM enclave.template WHERE is_current)"
        )
        outdated = [name for (name,) in cursor.fetchall()]
        for name in outdated:
            cursor.execute("SELECT enclave.discard(%s)", (name,))
    return len(outdated)


def fill_ready(alias: str, *, wanted: int) -> int:
    """Make ready schemas on a shard until there are `wanted`; return how many were made.

    Each in a transaction of its own, through the function that the web process may call as well.
    """
    with on_shard(alias), connections[alias].cursor() as cursor:
        cursor.execute("SELECT enclave.ready_count()")
        (there,) = cursor.fetchone()
    for _ in range(max(0, wanted - there)):
        with on_shard(alias), connections[alias].cursor() as cursor:
            cursor.execute("SELECT enclave.replay(%s, 'ready')", (new_schema_name(),))
    return max(0, wanted - int(there))
