"""What earlier releases brought, by name: `releases.toml` beside this file.

A migration that stands in no release belongs to the one being made, and is judged. Cutting a release
writes its migrations and backfills down; from then on they are what later ones may follow.
"""

import tomllib
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import Path

from django.contrib.postgres.operations import AddConstraintNotValid, ValidateConstraint
from django.db.migrations import Migration
from django.db.migrations.loader import MigrationLoader

from jobs import backfills
from operations.fleet.safety.judging import Earlier, Verdict, judge
from tenants.sizes import large_tables

FILE = Path(__file__).parent / "releases.toml"
_HEAD = """# Migrations and backfills of each release, oldest first; `check_migrations --cut NAME` adds one.
# The first is the baseline: what was there before migrations were judged.
"""


class BadReleases(ValueError):
    """The file of releases says what is not so."""


@dataclass(frozen=True, slots=True)
class Release:
    """One release: what it brought."""

    name: str
    migrations: tuple[str, ...]
    backfills: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Releases:
    """All releases, and what other people's apps bring that was looked at and accepted for a reason."""

    all: tuple[Release, ...]
    accepted: dict[str, str]

    @property
    def migrations(self) -> frozenset[str]:
        """Return the migrations of all releases."""
        return frozenset(name for release in self.all for name in release.migrations)

    @property
    def backfills(self) -> frozenset[str]:
        """Return the backfills of all releases."""
        return frozenset(name for release in self.all for name in release.backfills)


def read_releases(file: Path = FILE) -> Releases:
    """Read the file. Raises BadReleases for a migration in two releases, or accepted without a reason."""
    told = tomllib.loads(file.read_text(encoding="utf-8"))
    found = [
        Release(one["name"], tuple(one["migrations"]), tuple(one.get("backfills", ())))
        for one in told.get("release", [])
    ]
    names = [name for release in found for name in release.migrations]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise BadReleases(f"In two releases: {', '.join(twice)}.")
    accepted = {str(one["migration"]): str(one["because"]) for one in told.get("accepted", [])}
    if empty := [name for name, because in accepted.items() if not because.strip()]:
        raise BadReleases(f"Accepted without a reason: {', '.join(empty)}.")
    return Releases(tuple(found), accepted)


def write_releases(releases: Releases, file: Path = FILE) -> None:
    """Write the file."""
    parts = [_HEAD]
    for release in releases.all:
        parts.append(f'[[release]]\nname = "{release.name}"\n{_list("migrations", release.migrations)}')
        if release.backfills:
            parts.append(_list("backfills", release.backfills))
    for name, because in releases.accepted.items():
        parts.append(f'[[accepted]]\nmigration = "{name}"\nbecause = "{because}"\n')
    file.write_text("\n".join(parts), encoding="utf-8")


def _list(key: str, names: Iterable[str]) -> str:
    return f"{key} = [\n" + "".join(f'    "{name}",\n' for name in names) + "]\n"


def plan_of_all(loader: MigrationLoader) -> list[Migration]:
    """Return every migration of both planes, in the order in which they are applied."""
    names: dict[tuple[str, str], None] = {}
    for leaf in sorted(loader.graph.leaf_nodes()):
        names.update(dict.fromkeys(loader.graph.forwards_plan(leaf)))
    return [loader.graph.nodes[key] for key in names if loader.graph.nodes[key] is not None]


def judge_release(releases: Releases) -> list[Verdict]:
    """Judge what stands in no release yet. Raises BadReleases where a release names what is not there."""
    loader = MigrationLoader(None, ignore_no_migrations=True)
    plan = plan_of_all(loader)
    there = {_name(migration) for migration in plan}
    if missing := sorted((releases.migrations | set(releases.accepted)) - there):
        raise BadReleases(f"Named in {FILE.name}, and not there: {', '.join(missing)}.")
    for name in backfills.names():
        if (since := backfills.get(name).since) not in there:
            raise BadReleases(f"The backfill {name} is since {since}, which is not there.")
    ours = [one for one in plan if _name(one) not in releases.migrations]
    if not ours:
        return []
    nodes = [key for key in loader.graph.nodes if ".".join(key) in releases.migrations]
    earlier = Earlier(
        loader.project_state(nodes),
        releases.migrations,
        releases.backfills,
        _unvalidated(one for one in plan if _name(one) in releases.migrations),
    )
    verdicts = judge(ours, earlier, large=large_tables())
    return [_accepted(verdict, releases.accepted) for verdict in verdicts]


def next_release(name: str, releases: Releases) -> Releases:
    """Return the releases with one more, which has all that stands in none yet."""
    plan = plan_of_all(MigrationLoader(None, ignore_no_migrations=True))
    new = tuple(_name(one) for one in plan if _name(one) not in releases.migrations)
    filled = tuple(sorted(set(backfills.names()) - releases.backfills))
    return Releases((*releases.all, Release(name, new, filled)), releases.accepted)


def _name(migration: Migration) -> str:
    return f"{migration.app_label}.{migration.name}"


def _accepted(verdict: Verdict, accepted: Collection[str]) -> Verdict:
    if verdict.migration not in accepted:
        return verdict
    return Verdict(verdict.migration, verdict.kind)


def _unvalidated(plan: Iterable[Migration]) -> set[str]:
    found: set[str] = set()
    for operation in (one for migration in plan for one in migration.operations):
        if isinstance(operation, AddConstraintNotValid):
            found.add(operation.constraint.name)
        if isinstance(operation, ValidateConstraint):
            found.discard(operation.name)
    return found
