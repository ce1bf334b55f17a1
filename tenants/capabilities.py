"""What the current organisation's schema has: code of one release serves schemas of two.

A migration that brings something is declared beside the code that uses it, by a name:

    capability("records.archived", since=("records", "0006_archived_at"), brings=("Record.archived_at",))

`has("records.archived")` answers for the organisation entered. The columns in `brings` need no question
where they are only read or left alone: on a schema that lacks them the ORM leaves them out and gives
their default (tenants.backends.shard.compiler); writing another value raises SchemaLacks.

What a process believes of a schema is read from that schema, in the organisation's own transaction. That
it has something is believed for good, because migrations are never taken back; that it lacks something
for BELIEVED_FOR only. So a process may believe "old" for a moment after the fleet has migrated a schema,
which is safe as long as the migration only added, and never believes "new" before it is.
"""

import time
from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.core.exceptions import FieldDoesNotExist, ImproperlyConfigured
from django.db import NotSupportedError, connections
from django.db.models import NOT_PROVIDED, Field, Model, Value
from django.db.models.expressions import DatabaseDefault

from tenants import functions
from tenants.context import Context, NoTenant, Plane, current
from tenants.functions import Function

# Seconds for which a schema is believed to lack something.
BELIEVED_FOR = 1.0
_MOST_REMEMBERED = 50_000
_FUNCTION = Function(
    "enclave_had",
    """CREATE OR REPLACE FUNCTION enclave_had@(wanted text[]) RETURNS SETOF text
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path FROM CURRENT
AS $body$
    SELECT DISTINCT app || '.' || name FROM django_migrations WHERE app || '.' || name = ANY (wanted)
$body$""",
    for_tenant=True,
)


class UnknownCapability(LookupError):
    """Code asked for a capability that nobody has declared."""


class SchemaLacks(NotSupportedError):
    """A value was to be written into a column that this organisation's schema does not have yet."""


@dataclass(frozen=True, slots=True)
class Capability:
    """Something that a migration brings; `brings` are columns, as Model.field of the migration's app."""

    name: str
    since: tuple[str, str]
    brings: tuple[str, ...] = ()

    @property
    def migration(self) -> str:
        """Return the migration as the schema is asked for it."""
        return ".".join(self.since)


@dataclass(frozen=True, slots=True)
class _Belief:
    had: frozenset[str]
    until: float


_declared: dict[str, Capability] = {}
_columns: dict[Field[Any, Any], Capability] = {}
_beliefs: dict[tuple[str, str, int], _Belief] = {}


def capability(name: str, *, since: tuple[str, str], brings: tuple[str, ...] = ()) -> Capability:
    """Declare what a migration of an organisation's schema brings; called while the apps are loaded.

    `brings` names columns that may be missing: each can be empty or has a `db_default` that is a plain
    value, so that both releases can write rows. Raises ImproperlyConfigured for a name declared twice.
    """
    declared = Capability(name, since, brings)
    if _declared.setdefault(name, declared) != declared:
        raise ImproperlyConfigured(f"The capability {name} is declared twice.")
    _beliefs.clear()
    if apps.models_ready:
        _bind(declared)
    return declared


def declared() -> list[Capability]:
    """Return all capabilities, by name."""
    return [_declared[name] for name in sorted(_declared)]


def has(name: str) -> bool:
    """Return whether the schema of the organisation entered has a capability.

    Raises UnknownCapability for a name that is not declared, NoTenant outside an organisation.
    """
    known = _declared.get(name)
    if known is None:
        raise UnknownCapability(f"The capability {name} is not declared.")
    context = current()
    if context is None or context.plane is not Plane.TENANT:
        raise NoTenant(f"Whether there is {name} can be asked inside an organisation only.")
    return known.migration in _had(context)


def lacks(field: Any) -> bool:
    """Return whether the schema of the organisation entered lacks a model's column."""
    if not _columns:
        return False
    known = _columns.get(field)
    context = current()
    if known is None or context is None or context.plane is not Plane.TENANT:
        return False
    return known.migration not in _had(context)


def lacking() -> frozenset[str]:
    """Return the migrations whose columns the schema of the organisation entered lacks; none elsewhere."""
    context = current()
    if not _columns or context is None or context.plane is not Plane.TENANT:
        return frozenset()
    return frozenset(one.migration for one in _columns.values()) - _had(context)


def forget() -> None:
    """Drop what is believed of schemas; for tests."""
    _beliefs.clear()


def _had(context: Context) -> frozenset[str]:
    """Return which of the declared migrations a schema has had."""
    # A schema that was moved or restored comes with another epoch: nothing is believed of it yet.
    epoch = context.organisation.epoch if context.organisation is not None else 0
    key = (context.alias, context.schema, epoch)
    belief = _beliefs.get(key)
    now = time.monotonic()
    if belief is not None and now < belief.until:
        return belief.had
    wanted = {one.migration for one in _declared.values()}
    with connections[context.alias].cursor() as cursor:
        cursor.execute(f"SELECT {functions.own('enclave_had', context.schema)}(%s)", (sorted(wanted),))
        had = frozenset(name for (name,) in cursor.fetchall())
    if len(_beliefs) >= _MOST_REMEMBERED:
        _beliefs.clear()
    _beliefs[key] = _Belief(had, float("inf") if had >= wanted else now + BELIEVED_FOR)
    return had


def fallback(field: Field[Any, Any]) -> Any:
    """Return what a column is taken to hold where it is missing: its plain default, or nothing."""
    if field.has_default():
        value = field.get_default()
        if not isinstance(value, DatabaseDefault):
            return value
    given: Any = field.db_default
    if given is NOT_PROVIDED:
        return None
    return given.value if isinstance(given, Value) else given


def is_fallback(field: Field[Any, Any], value: Any) -> bool:
    """Return whether a value may be left out, because it is what the column will hold anyway."""
    return isinstance(value, DatabaseDefault) or bool(value == fallback(field))


def bind() -> None:
    """Find the columns of what was declared while the models were loaded. Raises ImproperlyConfigured."""
    for one in _declared.values():
        _bind(one)


def _bind(one: Capability) -> None:
    for named in one.brings:
        model_name, _, field_name = named.partition(".")
        try:
            model = apps.get_model(one.since[0], model_name)
            field = model._meta.get_field(field_name)
        except (LookupError, FieldDoesNotExist, ValueError) as problem:
            raise ImproperlyConfigured(f"{one.name} brings {named}, which does not exist.") from problem
        if not isinstance(field, Field) or not field.concrete:
            raise ImproperlyConfigured(f"{one.name} brings {named}, which is no column.")
        if _columns.setdefault(field, one) is one:
            _fall_back(model, field)


def problem_with(field: Field[Any, Any]) -> str:
    """Say why a column cannot be missing from a schema; "" where it can."""
    given: Any = field.db_default
    if given is NOT_PROVIDED and not field.null:
        return "needs null=True or a db_default: the release before writes rows without it"
    if given is not NOT_PROVIDED and hasattr(given, "as_sql") and not isinstance(given, Value):
        return "has a db_default that only the database can tell"
    if field.has_default() and callable(field.default) and field.default not in (list, dict):
        return "has a default that is another one each time"
    if field.primary_key:
        return "is the primary key"
    return ""


def columns() -> dict[Field[Any, Any], Capability]:
    """Return the columns that a schema may lack."""
    return dict(_columns)


class _FallsBack:
    """Mixed into the descriptor of a column: on a schema without it a row has the default."""

    field: Any

    def __get__(self, instance: Model | None, owner: type[Model] | None = None) -> Any:
        if instance is not None and self.field.attname not in instance.__dict__ and lacks(self.field):
            return fallback(self.field)
        return super().__get__(instance, owner)  # type: ignore[misc]  # the descriptor's own


def _fall_back(model: type[Model], field: Field[Any, Any]) -> None:
    descriptor = type("FallsBack", (_FallsBack, field.descriptor_class), {})
    setattr(model, field.attname, descriptor(field))


def text() -> str:
    """Return what `make_function` makes, as text."""
    return _FUNCTION.statement


def make_function(cursor: Any) -> None:
    """Make the function that says which migrations a schema has had. A hook after migrations."""
    functions.make(cursor, [_FUNCTION])
    functions.drop_others(cursor, _FUNCTION.name, [_FUNCTION])
