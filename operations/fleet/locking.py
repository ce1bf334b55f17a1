"""Which large tables a migration takes from everybody, so that no text holds several until its commit."""

from collections.abc import Collection, Iterator, Sequence

from django.db.migrations import Migration
from django.db.migrations.state import ProjectState

from operations.fleet.safety.changes import Verb
from operations.fleet.safety.collecting import parts_of, statements_of, steps_of
from operations.fleet.safety.reading import read
from operations.fleet.safety.rules import EXCLUSIVE


def apart(
    run: Sequence[Migration], state: ProjectState, *, large: Collection[str]
) -> Iterator[tuple[Migration, ...]]:
    """Yield migrations that may be one transaction: together they take one large table at the most.

    `state` moves on with them.
    """
    kept: list[Migration] = []
    held: set[str] = set()
    for migration in run:
        wanted = taken_by(migration, state, large=large)
        if kept and wanted and held and len(held | wanted) > 1:
            yield tuple(kept)
            kept, held = [], set()
        kept.append(migration)
        held |= wanted
    if kept:
        yield tuple(kept)


def taken_by(migration: Migration, state: ProjectState, *, large: Collection[str]) -> set[str]:
    """Return the large tables that a migration locks for all others.

    Where nobody can know, its own name stands for them: it shares no transaction with one that locks any.
    """
    found: set[str] = set()
    unknown = f"tables of {migration}"
    for operation, before, _ in steps_of(migration, state):
        for inner, here, after in parts_of(operation, migration.app_label, before):
            try:
                statements = statements_of(inner, migration.app_label, here, after)
            except RuntimeError:
                found.add(unknown)
                continue
            for change in (one for statement in statements for one in read(statement)):
                if change.verb is Verb.UNREADABLE:
                    found.add(unknown)
                elif change.verb in EXCLUSIVE and change.table in large:
                    found.add(change.table)
    return found
