"""The backend of a shard: PostgreSQL with the tenant's role, path and actor set for one transaction.

Before the first query of a transaction, and again after the context changed or a savepoint was
rolled back, one statement sets role, search path and the trail's settings with
`set_config(…, is_local => true)`. Nothing of it survives COMMIT or ROLLBACK, so a pooled
connection, or a pooler in transaction mode, never hands one tenant's path to the next.

A query without a context, or outside a transaction, raises: there is no default tenant.
"""

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import orjson
import psycopg
from django.conf import settings
from django.db import DatabaseError
from django.db.backends.postgresql import base as postgresql
from django.db.backends.utils import CursorDebugWrapper, CursorWrapper
from django.db.transaction import TransactionManagementError

from tenants import breaker, standstill
from tenants.backends.shard.introspection import DatabaseIntrospection
from tenants.backends.shard.operations import DatabaseOperations
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

    ops_class = DatabaseOperations
    introspection_class = DatabaseIntrospection

    def __init__(self, settings_dict: dict[str, Any], alias: str = "") -> None:
        super().__init__(settings_dict, alias)
        self._applied: Context | None = None
        self._owner_path: str = ""
        self._entry: breaker.Entry | None = None
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

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        """Return a connection that lives. Raises ShardDown, at once, while the server is known to be down."""
        watched = breaker.of(self.alias, self._drop_pool)
        entry = watched.begin(conn_params)
        try:
            connection = self._living(entry, conn_params)
        except BaseException as problem:
            watched.end(entry)
            if watched.is_open and isinstance(problem, psycopg.OperationalError):
                raise breaker.ShardDown(self.alias) from problem
            raise
        entry.has(connection)
        self._entry = entry
        return connection

    def _living(self, entry: breaker.Entry, conn_params: dict[str, Any]) -> Any:
        """Take connections from the pool until one answers; the watcher ends waiting for a silent one."""
        self._prefer_served()
        connection = super().get_new_connection(conn_params)
        while (pool := getattr(connection, "_pool", None)) is not None:
            entry.tries(connection)
            try:
                connection.execute("")
            except psycopg.OperationalError:
                # A restart of the server has ended it, or the watcher has.
                connection.close()
                pool.putconn(connection)
                if breaker.of(self.alias).is_open:
                    raise
                connection = super().get_new_connection(conn_params)
            else:
                break
        return connection

    def _prefer_served(self) -> None:
        """Let the pool hand out a connection that has served this organisation, where one is free.

        It would take them in turn, and each would touch every schema; so a schema is touched by as many as
        work for its organisation at once. The pool has no door for this: these are its own lock and line.
        """
        context = current()
        if context is None or not self.pool:
            return
        line: deque[Any] = self.pool._pool
        with self.pool._lock:
            served = (one for one in line if context.schema in getattr(one, "enclave_schemas", ()))
            if (best := next(served, None)) is not None:
                line.remove(best)
                line.appendleft(best)

    def _drop_pool(self) -> None:
        """Let go of everybody who waits for a connection; the next one makes a pool anew."""
        pool = self._connection_pools.pop(self.alias, None)  # type: ignore[attr-defined]  # not in the stubs
        if pool is not None:
            pool.close(timeout=0.2)

    def _forget(self) -> None:
        self._applied = self._let_in = None
        self._is_bare = True

    def _close(self) -> None:
        self._forget()
        self._owner_path = ""
        if self.is_heavy() and self.pool:
            self.connection.close()
        if self._entry is not None:
            breaker.of(self.alias).end(self._entry)
            self._entry = None
        super()._close()  # type: ignore[misc]  # not in the stubs

    def is_heavy(self) -> bool:
        """Return whether the connection has touched so many schemas that it should end.

        A backend keeps about 1.6 MB of catalogue caches for each, and gives them back only by ending.
        """
        touched: set[str] = getattr(self.connection, "enclave_schemas", set())
        return len(touched) > settings.SCHEMAS_PER_CONNECTION

    def rest(self) -> None:
        """Give a heavy connection back between two transactions: what runs for long may visit thousands."""
        if self.connection is not None and not self.in_atomic_block and self.is_heavy():
            self.close()
