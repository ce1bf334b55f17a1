"""Migrating the fleet, plainly: every organisation on every shard, one after the other.

One that fails stops nobody; the state of each is written down. Needs the owner's login.
"""

import hashlib
import logging
import time
from collections.abc import Iterator
from functools import cache

from django.db import connections
from django.db.migrations.loader import MigrationLoader
from django.utils import timezone

from operations.models import FleetState
from tenants.models import Organisation
from tenants.routers import Home, home_of
from tenants.schema import compiled, migrate_schema

logger = logging.getLogger(__name__)


@cache
def wanted_version() -> str:
    """Return a digest of all migrations of the tenant plane that this code knows, and of what it compiles.

    Triggers and functions come from registries and change without a migration. Kept for the life of the
    process: code does not change under it.
    """
    loader = MigrationLoader(None, ignore_no_migrations=True)
    names = sorted(
        f"{app}.{name}" for app, name in loader.disk_migrations if home_of(app) in (Home.TENANT, Home.TWIN)
    )
    return hashlib.sha256("\n".join([*names, compiled()]).encode()).hexdigest()


def behind(version: str) -> list[Organisation]:
    """Return the organisations whose schema is not at `version`, in a fixed order."""
    done = FleetState.objects.filter(version=version, error="").values("organisation_id")
    return list(Organisation.objects.placed().exclude(domains=None).exclude(pk__in=done).order_by("pk"))


def migrate_fleet(*, only: str | None = None) -> Iterator[FleetState]:
    """Migrate every organisation that is behind, and yield the state of each as it is known."""
    version = wanted_version()
    for organisation in behind(version):
        if only is None or organisation.slug == only:
            yield _migrate(organisation, version)


def _migrate(organisation: Organisation, version: str) -> FleetState:
    began = time.monotonic()
    error = ""
    try:
        migrate_schema(str(organisation.shard_id), str(organisation.schema_name))
    except Exception as problem:
        # Whatever one organisation's data does to a migration must not keep the others from theirs.
        logger.exception("schema of %s was not migrated", organisation.slug)
        # Whatever became of the connection must not keep them from theirs either.
        connections[str(organisation.shard_id)].close()
        error = f"{type(problem).__name__}: {problem}"[:2000]
    seen = {
        "error": error,
        "migrated_at": timezone.now(),
        "took_ms": round((time.monotonic() - began) * 1000),
    }
    state, _ = FleetState.objects.update_or_create(
        organisation=organisation,
        # One that failed keeps the version that it had.
        defaults=seen if error else {**seen, "version": version},
        create_defaults={**seen, "version": "" if error else version},
    )
    return state


def note_current(organisation: Organisation) -> None:
    """Write down that a new organisation was made with the current migrations."""
    FleetState.objects.update_or_create(
        organisation=organisation,
        defaults={"version": wanted_version(), "migrated_at": timezone.now(), "error": ""},
    )
