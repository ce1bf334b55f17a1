"""Migrating one schema for real, and keeping what was sent as text for all others of the same state."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django.core.management.sql import emit_post_migrate_signal
from django.db import connections
from django.db.migrations import Migration, RunSQL
from django.db.migrations.exceptions import InconsistentMigrationHistory
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.recorder import MigrationRecorder
from django.db.migrations.state import ProjectState
from psycopg import ClientCursor

from operations.fleet.looking import digests_of, rows_of
from operations.fleet.parts import LOCK_TIMEOUT_MS, Part, Piece, cut, keys_of
from operations.fleet.releases import missing_too_much
from tenants import explicit_ids
from tenants.context import as_owner
from tenants.schema import hooks_mark, labels, marking, run_hooks, version_at
from tenants.staying import staying

# What only looks is not repeated: the others have nothing else to see, which is checked afterwards.
_LOOKS = re.compile(r"\s*(SELECT(?!\s+set_config)|SHOW|EXPLAIN)\b", re.IGNORECASE)


# What a schema is marked with from its first migration until all has followed: triggers, grants. Until then
# its version is one that nobody wants, so that whoever comes after a process that was killed goes on.
UNFINISHED = "unfinished"


class Unplannable(Exception):
    """The migrations of a schema cannot be put in an order that leads to the current code."""


class Recorder:
    """Keeps the statements of one connection as text with their values in it."""

    def __init__(self, alias: str) -> None:
        self.alias = alias
        self.statements: list[str] = []
        self.everything = False
        self.nothing = False
        # Whether others are to be marked as unfinished: not where all is done in one transaction.
        self.in_parts = False

    def __call__(self, execute: Callable[..., Any], sql: Any, params: Any, many: bool, context: Any) -> Any:
        result = execute(sql, params, many, context)
        if self.nothing:
            return result
        connection = connections[self.alias]
        text = sql if isinstance(sql, str) else sql.as_string(connection.connection)
        if self.everything or not _LOOKS.match(text):
            for values in params if many else [params]:
                self.statements.append(self._with_values(text, values))
        return result

    def _with_values(self, text: str, values: Any) -> str:
        if not values:
            return text
        return ClientCursor(connections[self.alias].connection).mogrify(text, values)


@contextmanager
def recording(alias: str) -> Iterator[Recorder]:
    """Record what is sent to a shard inside the block."""
    recorder = Recorder(alias)
    with connections[alias].execute_wrapper(recorder):
        yield recorder


def plan_for(alias: str) -> tuple[list[Migration], ProjectState]:
    """Return what the current schema still needs, and the models' state before it.

    Needs `as_owner`. Raises Unplannable when the schema is ahead of the code, or has had a migration
    without an earlier one.
    """
    executor, ours = MigrationExecutor(connections[alias]), set(labels())
    try:
        executor.loader.check_consistent_history(connections[alias])
    except InconsistentMigrationHistory as problem:
        raise Unplannable(str(problem)) from problem
    had = {key for key in executor.loader.applied_migrations if key[0] in ours}
    if unknown := sorted(".".join(key) for key in had - set(executor.loader.disk_migrations)):
        raise Unplannable(f"It has had migrations that this code does not know: {', '.join(unknown)}")
    if had and (far := missing_too_much(had)):
        raise Unplannable(far)
    targets = [key for key in executor.loader.graph.leaf_nodes() if key[0] in ours]
    plan = [migration for migration, _ in executor.migration_plan(targets) if migration.app_label in ours]
    state = executor._create_project_state(with_applied_migrations=True)  # type: ignore[attr-defined]  # as `migrate` does
    return plan, state


def migrate_and_record(alias: str, schema: str) -> list[Part]:
    """Migrate one schema for real and return the parts that do the same to others of its state."""
    with as_owner(alias, schema), staying(alias, schema):
        with connections[alias].cursor() as cursor:
            # People are at work there: whoever waits for a table keeps everybody behind them waiting too.
            cursor.execute(f"SET lock_timeout = {LOCK_TIMEOUT_MS}")
        plan, state = plan_for(alias)
        runs = cut(plan, state) or [(True, ())]
        if not runs[-1][0]:
            runs.append((True, ()))  # what follows the migrations comes last, and is text
        last = len(runs) - 1
        return [
            _text_part(alias, schema, migrations, state, is_last=number == last)
            if as_text
            else _python_part(alias, schema, migrations, state)
            for number, (as_text, migrations) in enumerate(runs)
        ]


def _text_part(
    alias: str, schema: str, migrations: tuple[Migration, ...], state: ProjectState, *, is_last: bool
) -> Part:
    mark, before = _mark_of(alias, schema), rows_of(alias, schema)
    with recording(alias) as recorder:
        recorder.in_parts = not is_last
        for migration in migrations:
            apply(alias, migration, _pieces(migration, state), recorder=recorder)
        if is_last:
            finish(alias)
    if mark.endswith(hooks_mark()):
        # The others never were unfinished.
        recorder.statements = [one for one in recorder.statements if one != marking(schema, hooks_mark())]
    after = rows_of(alias, schema)
    touched = sorted(name for name in before.keys() | after.keys() if before.get(name) != after.get(name))
    digests = digests_of(alias, schema, touched)
    return Part(
        migrations,
        as_text=True,
        aim=version_at(alias, schema),
        mark=mark,
        statements=tuple(recorder.statements),
        digests={name: digests.get(name, "") for name in touched},
    )


def _python_part(alias: str, schema: str, migrations: tuple[Migration, ...], state: ProjectState) -> Part:
    pieces = tuple((migration, _pieces(migration, state)) for migration in migrations)
    for migration, steps in pieces:
        apply(alias, migration, steps)
    return Part(migrations, as_text=False, aim=version_at(alias, schema), pieces=pieces)


def _pieces(migration: Migration, state: ProjectState) -> tuple[Piece, ...]:
    """Return the operations with their states; `state` moves on to the one after the migration."""
    found = []
    _ = state.apps  # once: what is cloned from it follows each change by itself
    for operation in migration.operations:
        before = state.clone()
        operation.state_forwards(migration.app_label, state)
        found.append(Piece(operation, before, state.clone()))
    return tuple(found)


def apply(
    alias: str, migration: Migration, pieces: tuple[Piece, ...], *, recorder: Recorder | None = None
) -> None:
    """Apply one migration to the current schema and write it down there. Needs `as_owner`."""
    connection = connections[alias]
    with connection.schema_editor(atomic=migration.atomic) as editor:
        _mark_unfinished(alias, recorder)
        for piece in pieces:
            if recorder is not None:
                # What a person wrote as SQL is done as written, also where it seems only to look.
                recorder.everything = isinstance(piece.operation, RunSQL)
            piece.operation.database_forwards(migration.app_label, editor, piece.before, piece.after)
            if recorder is not None:
                recorder.everything = False
        deferred = bool(editor.deferred_sql)
        if not deferred:
            _write_down(alias, migration, recorder)
    if deferred:
        _write_down(alias, migration, recorder)


def _mark_unfinished(alias: str, recorder: Recorder | None) -> None:
    if recorder is not None:
        recorder.nothing = not recorder.in_parts
    with connections[alias].cursor() as cursor:
        cursor.execute("SELECT current_schema()")
        (schema,) = cursor.fetchone()
        cursor.execute(marking(schema, UNFINISHED))
    if recorder is not None:
        recorder.nothing = False


def _write_down(alias: str, migration: Migration, recorder: Recorder | None) -> None:
    if recorder is not None:
        recorder.nothing = True  # elsewhere the script's beginning does it
    # Not `record_applied`: it looks for its table each time, and an organisation's schema has it.
    had = MigrationRecorder(connections[alias]).migration_qs
    for app_label, name in keys_of(migration):
        had.create(app=app_label, name=name)
    if recorder is not None:
        recorder.nothing = False


def finish(alias: str) -> None:
    """Do what follows every migration: content types and permissions, triggers, grants."""
    with explicit_ids.looked_up_once():
        emit_post_migrate_signal(verbosity=0, interactive=False, db=alias)
    run_hooks(alias)


def _mark_of(alias: str, schema: str) -> str:
    with connections[alias].cursor() as cursor:
        cursor.execute("SELECT enclave.mark_of(%s)", [schema])
        return str(cursor.fetchone()[0])
