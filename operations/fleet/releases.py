"""How many releases a schema is away from the code: one either way is served, more is refused.

`operations/releases.json` lists the releases that were cut, oldest first, each with the last migration
of every room. The number of a piece of code is how many of them it has left behind; the control plane
keeps the number of each version of a schema that some code has made, so that the release before knows
a version that it has never heard of.
"""

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from django.conf import settings
from django.db.migrations.loader import MigrationLoader
from django.db.models import QuerySet

from operations.models import SchemaVersion
from tenants.models import Organisation
from tenants.schema import labels, own_migrations, wanted_version

Key = tuple[str, str]
REACH = 1


class BadReleases(ValueError):
    """The list of releases names a migration that the code does not have, or a name twice."""


@dataclass(frozen=True, slots=True)
class Cut:
    """A release that was cut: its name, and every migration of an organisation's schema that it has."""

    name: str
    migrations: frozenset[Key]


def _file() -> Path:
    return Path(settings.SCHEMA_RELEASES)


@cache
def cuts() -> tuple[Cut, ...]:
    """Return the releases that were cut, oldest first; kept for the process. Raises BadReleases."""
    listed = json.loads(_file().read_text())
    if not listed:
        return ()
    loader = MigrationLoader(None, ignore_no_migrations=True)
    found = []
    for one in listed:
        migrations: set[Key] = set()
        for key in one["leaves"].items():
            if key not in loader.disk_migrations:
                raise BadReleases(f"Release {one['name']} ends with {'.'.join(key)}, which does not exist.")
            migrations.update(loader.graph.forwards_plan(key))
        known = set(labels())
        found.append(Cut(one["name"], frozenset(key for key in migrations if key[0] in known)))
    if len({one.name for one in found}) != len(found):
        raise BadReleases("Two releases have the same name.")
    return tuple(found)


@cache
def _left_behind() -> tuple[Cut, ...]:
    own = frozenset(own_migrations()) if cuts() else frozenset()
    return tuple(one for one in cuts() if one.migrations < own)


def own_number() -> int:
    """Return how many releases this code has left behind."""
    return len(_left_behind())


def note_own() -> None:
    """Let the control plane know the version that this code makes, for code that does not."""
    SchemaVersion.objects.update_or_create(version=wanted_version(), defaults={"number": own_number()})


def ahead() -> "QuerySet[SchemaVersion, str]":
    """Return the versions that only later releases make; part of the query that asks for it."""
    return SchemaVersion.objects.filter(number__gt=own_number()).values_list("version", flat=True)


def too_far(number: int) -> str:
    """Say why code cannot serve or migrate a schema of the release with this number; "" where it can."""
    away = number - own_number()
    if abs(away) <= REACH:
        return ""
    if away < 0:
        between = _left_behind()[number + REACH].name
        return (
            f"Its schema is {-away} releases behind this code, which serves and migrates one. "
            f"Migrate it with release {between} first."
        )
    return (
        f"Its schema is {away} releases ahead of this code. Run it with the release before its own, or newer."
    )


def numbers() -> dict[str, int]:
    """Return the numbers of all known versions."""
    return dict(SchemaVersion.objects.values_list("version", "number"))


def missing_too_much(had: Collection[Key]) -> str:
    """Say why a schema with these migrations is too far behind; "" where it is not."""
    left = _left_behind()
    if not left or left[-1].migrations <= set(had):
        return ""
    reached = sum(one.migrations <= set(had) for one in left)
    return too_far(reached)


def unservable() -> tuple[Mapping[str, str], int]:
    """Return whom of this process's release it cannot serve, with why; and how many it has."""
    known = numbers()
    rows = (
        Organisation.objects.placed()
        .filter(release=settings.RELEASE)
        .values_list("slug", "fleet_state__version")
    )
    said = {slug: too_far(known[version]) for slug, version in rows if version in known}
    return {slug: why for slug, why in said.items() if why}, len(rows)


def cut(name: str) -> None:
    """Add a release with this name to the list. Raises BadReleases for a name that is there."""
    listed = json.loads(_file().read_text())
    if any(one["name"] == name for one in listed):
        raise BadReleases(f"Release {name} has been cut before.")
    graph = MigrationLoader(None, ignore_no_migrations=True).graph
    leaves = {app: last for app, last in sorted(graph.leaf_nodes()) if app in labels()}
    _file().write_text(json.dumps([*listed, {"name": name, "leaves": leaves}], indent=2) + "\n")
