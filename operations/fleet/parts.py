"""A plan of migrations, cut into parts that are replayed as text and parts that are Python.

A migration whose operations all come down to SQL does the same in every schema of the same state. One
with Python in it, or one that must not run in a transaction, is run for each organisation.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import groupby

from django.db.migrations import Migration
from django.db.migrations.operations.base import Operation
from django.db.migrations.operations.special import SeparateDatabaseAndState
from django.db.migrations.state import ProjectState

from operations.fleet import locking
from tenants.sizes import large_tables

# Whoever uses the table meanwhile waits behind us for as long: well under two seconds.
LOCK_TIMEOUT_MS = 1_000


@dataclass(frozen=True, slots=True)
class Piece:
    """One operation of a migration with the model states before and after it, built once for the fleet."""

    operation: Operation
    before: ProjectState
    after: ProjectState


@dataclass(frozen=True, slots=True)
class Part:
    """Migrations that are done together; `aim` is the version of a schema that has had them.

    `mark` is that of the canary before them (enclave.mark_of).
    """

    migrations: tuple[Migration, ...]
    as_text: bool
    aim: str
    mark: str = ""
    statements: tuple[str, ...] = ()
    digests: dict[str, str] = field(default_factory=dict)
    pieces: tuple[tuple[Migration, tuple[Piece, ...]], ...] = ()


def keys_of(migration: Migration) -> list[tuple[str, str]]:
    """Return what a schema that has had a migration says of it: app and name, also of those it replaces."""
    return [*migration.replaces, (migration.app_label, migration.name)]


def cut(plan: Sequence[Migration], state: ProjectState) -> list[tuple[bool, tuple[Migration, ...]]]:
    """Return the runs of migrations that are alike, in order: whether as text, and which.

    A run of text is one transaction, so one that would take several large tables from everybody is cut
    between them. `state` has the models before the plan, and stays as it is.
    """
    runs = [(kind, tuple(run)) for kind, run in groupby(plan, key=is_text)]
    if not any(kind and len(run) > 1 for kind, run in runs):
        return runs
    found: list[tuple[bool, tuple[Migration, ...]]] = []
    moving = state.clone()
    _ = moving.apps  # once: what is cloned from it follows each change by itself
    for kind, run in runs:
        if kind and len(run) > 1:
            found += [(True, part) for part in locking.apart(run, moving, large=large_tables())]
            continue
        for migration in run:
            moving = migration.mutate_state(moving, preserve=False)
        found.append((kind, run))
    return found


def is_text(migration: Migration) -> bool:
    """Return whether a migration can be replayed as the text that it sent elsewhere.

    One that runs in no transaction (CREATE INDEX CONCURRENTLY) cannot.
    """
    return migration.atomic and all(map(_comes_down_to_sql, migration.operations))


def _comes_down_to_sql(operation: Operation) -> bool:
    if isinstance(operation, SeparateDatabaseAndState):
        return all(map(_comes_down_to_sql, operation.database_operations))
    return bool(operation.reduces_to_sql)
