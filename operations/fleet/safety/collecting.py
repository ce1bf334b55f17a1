"""The SQL that a migration's operations send, without a database: quick, and the same everywhere.

Django's own schema editor writes it. What it would look up in a database, the names of constraints, gets
a name here that says what kind of constraint was looked for.
"""

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from django.conf import settings
from django.db import connections
from django.db.backends.postgresql.base import DatabaseWrapper
from django.db.backends.postgresql.schema import DatabaseSchemaEditor
from django.db.migrations import Migration, RunPython
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ProjectState
from psycopg.sql import Literal

from tenants.changing import within
from tenants.context import CONTROL, as_owner
from tenants.names import TEMPLATE_SCHEMA
from tenants.routers import Home, home_of

POSTGRESQL = 180_000
FOUND = "found"  # begins the names of constraints that were looked for


class Editor(DatabaseSchemaEditor):
    """Writes statements down instead of sending them."""

    def execute(self, sql: Any, params: Any = ()) -> None:
        """Write a statement down with its values in it, as PostgreSQL's editor does with a connection."""
        text = str(sql)
        if params is not None:
            text = text % tuple(Literal(value).as_string() for value in params)
        self.collected_sql.append(text)

    def _constraint_names(self, model: Any, column_names: Any = None, **wanted: Any) -> list[str]:
        kinds = [kind for kind, is_wanted in wanted.items() if is_wanted is True]
        return [f"{FOUND}_{'_'.join(kinds)}"]


class Disconnected(DatabaseWrapper):
    """A connection that refuses to connect."""

    def connect(self) -> None:
        """Refuse."""
        raise RuntimeError("The SQL of this operation depends on what is in the database.")


def editor_for(app_label: str) -> tuple[Editor, AbstractContextManager[Any]]:
    """Return an editor of the plane in which an app's tables are, and the context it works in."""
    is_control = home_of(app_label) == Home.CONTROL
    alias = CONTROL if is_control else settings.SHARD_ALIASES[0]
    connection = Disconnected({**connections[alias].settings_dict}, alias)
    connection.pg_version = POSTGRESQL
    context = nullcontext() if is_control else as_owner(alias, TEMPLATE_SCHEMA)
    return Editor(connection, collect_sql=True, atomic=False), context


def statements_of(
    operation: Operation, app_label: str, before: ProjectState, after: ProjectState
) -> Sequence[str]:
    """Return what an operation sends, what it puts off to the end of the migration included.

    Raises RuntimeError when that depends on what is in the database.
    """
    if isinstance(operation, RunPython):
        return ()
    editor, context = editor_for(app_label)
    with context:
        editor.deferred_sql = []
        operation.database_forwards(app_label, editor, before, after)
        return [str(statement) for statement in (*editor.collected_sql, *editor.deferred_sql)]


def steps_of(
    migration: Migration, state: ProjectState
) -> Iterator[tuple[Operation, ProjectState, ProjectState]]:
    """Yield the operations with the models before and after each; `state` moves on with them."""
    for operation in migration.operations:
        before = state.clone()
        operation.state_forwards(migration.app_label, state)
        yield operation, before, state.clone()


def parts_of(
    operation: Operation, app_label: str, before: ProjectState
) -> Iterator[tuple[Operation, ProjectState, ProjectState]]:
    """Yield what an operation does to the database, each with the models before and after it."""
    moving = before.clone()
    for inner in within(operation):
        here = moving.clone()
        inner.state_forwards(app_label, moving)
        yield inner, here, moving
