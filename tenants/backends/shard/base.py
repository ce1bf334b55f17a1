"""The backend of a shard: PostgreSQL with the tenant's role, path and actor set for one transaction.

Before the first query of a transaction, and again after the context changed or a savepoint was
rolled back, one statement sets role, search path and the trail's settings with
`set_config(…, is_local => true)`. Nothing of it survives COMMIT or ROLLBACK, so a pooled
connection, or a pooler in transaction mode, never hands one tenant's path to the next.

A query without a context, or outside a transaction, raises: there is no default tenant.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import orjson
from django.conf import settings
from django.db import DatabaseError
from django.db.backends.postgresql import base as postgresql
from django.db.backends.utils import CursorDebugWrapper, CursorWrapper
from django.db.transaction import TransactionManagementError

from tenants import standstill
from tenants.context import Context, NoTenant, Plane, WrongTenant, current
from tenants.moved import raise_if_moved

_SET = (
    "SELECT {admit}pg_catalog.set_config('role', %s, true), pg_catalog.set_config('search_path', %s, true), "
    "pg_catalog.set_config('app.actor', %s, true), pg_catalog.set_config('app.request_id', %s, true), "
    "pg_catalog.set_config('app.source', %s, true), pg_catalog.set_config('app.epoch', %s, true), "
    "pg_catalog.set_config('app.stops', %s, true)"
)
# First of all: afterwards it is the tenant's role that asks, and that may not even look at `enclave`.
_ENTER = _SET.format(admit="enclave.admit(%s, %s), ")
_SET = _SET.format(admit="")
_RESET_ROLE = "SELECT pg_catalog.set_config('role', 'none', true)"
_SET_OWNER_PATH = "SELECT pg_catalog.set_config('search_path', %s, false)"

Parameters = Sequence[Any] | Mapping[str, Any] | None


def _settings_of(context: Context) -> tuple[str, ...]:
    epoch = str(context.organisation.epoch) if context.organisation else ""
    stops = "changes" if context.stands_still else ""
    # On a bare shard the login stays itself: it has no rights but to call functions of `enclave`.
    role = context.schema if context.plane is Plane.TENANT else "none"
    actor = orjson.dumps(context.actor.as_json()).decode()
    return (role, context.schema, actor, context.request_id, context.source, epoch, stops)


class _Guarded:
    """Mixed into both cursor wrappers: no statement leaves before the context has been applied."""

    db: "DatabaseWrapper"

    def _execute(self, sql: str, params: Parameters, *ignored: Any) -> Any:
        self.db.apply_context()
        try:
            return super()._execute(sql, params, *ignored)  # type: ignore[misc]  # CursorWrapper's own
        except DatabaseError as problem:
            standstill.raise_if_refused(problem)
            raise

    def _executemany(self, sql: str, param_list: Iterable[Any], *ignored: Any) -> Any:
        self.db.apply_context()
        return super()._executemany(sql, param_list, *ignored)  # type: ignore[misc]  # CursorWrapper's own

    def copy(self, statement: Any, params: Parameters = None, **options: Any) -> Any:
        self.db.apply_context()
        return self.cursor.copy(statement, params, **options)  # type: ignore[attr-defined]  # CursorWrapper's own

    def stream(self, *args: Any, **kwargs: Any) -> Any:
        self.db.apply_context()
        return self.cursor.stream(*args, **kwargs)  # type: ignore[attr-defined]  # CursorWrapper's own


class GuardedCursor(_Guarded, CursorWrapper):
    """A cursor whose every statement runs under the current context."""


class GuardedDebugCursor(_Guarded, CursorDebugWrapper):
    """The same, recording its statements."""


class DatabaseWrapper(postgresql.DatabaseWrapper):
    """A connection to a shard which runs nothing outside a context."""

    def __init__(self, settings_dict: dict[str, Any], alias: str = "") -> None:
        super().__init__(settings_dict, alias)
        self._applied: Context | None = None
        self._owner_path: str = ""
        # Which schema this transaction was let into, at which epoch; and whether its role still is the login.
        self._let_in: tuple[str, int] | None = None
        self._is_bare = True

    def apply_context(self) -> None:
        """Make PostgreSQL's role, path and actor those of the current context.

        Raises NoTenant without a context, WrongTenant when the context is on another database,
        TransactionManagementError outside a transaction.
        """
        context = current()
        if context is self._applied and context is not None:
            return
        if context is None or context.plane is Plane.CONTROL:
            raise NoTenant(f"A query reached {self.alias} outside tenants.enter.")
        if context.alias != self.alias:
            raise WrongTenant(f"A query reached {self.alias} while working on {context.alias}.")
        if context.plane is Plane.OWNER:
            self._apply_owner(context)
            return
        if not self.in_atomic_block:
            raise TransactionManagementError(f"A query reached {self.alias} outside a transaction.")
        self._admit(context)
        self._remember_schema(context.schema)
        self._applied = context

    def _admit(self, context: Context) -> None:
        """Send the context; the shard refuses it where the organisation does not live, or not any more."""
        wanted = (context.schema, context.organisation.epoch) if context.organisation else None
        if wanted is None or wanted == self._let_in:
            self._raw(_SET, _settings_of(context))
            self._is_bare = wanted is None
            return
        if not self._is_bare:
            self._raw(_RESET_ROLE)
        try:
            self._raw(_ENTER, (*wanted, *_settings_of(context)))
            self._let_in, self._is_bare = wanted, False
        except DatabaseError as problem:
            raise_if_moved(problem)
            raise

    def _apply_owner(self, context: Context) -> None:
        """Set the owner's path for the session: its process has its connection to itself."""
        if settings.DATABASE_LOGIN != "owner":
            raise NoTenant("Only a process with the owner's login works as the owner.")
        if self._owner_path != context.schema:
            self._raw(_SET_OWNER_PATH, (context.schema,))
            self._owner_path = context.schema

    def _raw(self, sql: str, params: Sequence[Any] = ()) -> None:
        self.ensure_connection()
        with self.wrap_database_errors, self.connection.cursor() as cursor:
            cursor.execute(sql, params)

    def _remember_schema(self, schema: str) -> None:
        touched: set[str] | None = getattr(self.connection, "enclave_schemas", None)
        if touched is None:
            touched = set()
            self.connection.enclave_schemas = touched
        touched.add(schema)

    def make_cursor(self, cursor: Any) -> CursorWrapper:
        return GuardedCursor(cursor, self)

    def make_debug_cursor(self, cursor: Any) -> CursorDebugWrapper:
        return GuardedDebugCursor(cursor, self)

    # Savepoints say nothing about a tenant: they go out as they are, and a rollback to one undoes
    # whatever set_config did since, so the context is applied again.

    def _savepoint(self, sid: str) -> None:
        self._raw(self.ops.savepoint_create_sql(sid))

    def _savepoint_commit(self, sid: str) -> None:
        self._raw(self.ops.savepoint_commit_sql(sid))

    def _savepoint_rollback(self, sid: str) -> None:
        # The lock may have been taken since the savepoint, and the role too: neither is known now.
        self._applied = self._let_in = None
        self._is_bare = False
        self._raw(self.ops.savepoint_rollback_sql(sid))

    def _commit(self) -> None:
        self._forget()
        super()._commit()  # type: ignore[misc]  # not in the stubs

    def _rollback(self) -> None:
        self._forget()
        super()._rollback()  # type: ignore[misc]  # not in the stubs

    def _set_autocommit(self, autocommit: bool) -> None:
        self._forget()
        super()._set_autocommit(autocommit)  # type: ignore[misc]  # not in the stubs

    def connect(self) -> None:
        self._forget()
        self._owner_path = ""
        super().connect()

    def _forget(self) -> None:
        self._applied = self._let_in = None
        self._is_bare = True

    def _close(self) -> None:
        self._forget()
        self._owner_path = ""
        self._retire_if_heavy()
        super()._close()  # type: ignore[misc]  # not in the stubs

    def _retire_if_heavy(self) -> None:
        """Close a pooled connection which has touched many schemas.

        A backend keeps about 1.6 MB of catalogue caches for each, and gives them back only by ending.
        """
        if self.connection is None or not self.pool:
            return
        touched: set[str] = getattr(self.connection, "enclave_schemas", set())
        if len(touched) > settings.SCHEMAS_PER_CONNECTION:
            self.connection.close()
