"""SQL for a schema that may be one release older than the models: columns it lacks are left out.

Rows are read without them, as if they were deferred, so that saving such a row never writes them.
Wherever else a missing column is named, its default stands in its place.
"""

from typing import Any

from django.db.backends.postgresql import compiler as postgresql
from django.db.models import Value
from django.db.models.expressions import Col
from django.db.models.functions import Cast

from tenants.capabilities import SchemaLacks, fallback, is_fallback, lacks


class _LeavesOut:
    """Mixed into every compiler that reads."""

    def compile(self, node: Any) -> Any:
        if isinstance(node, Col) and lacks(node.target):
            node = Cast(Value(fallback(node.target)), output_field=node.target)
        return super().compile(node)  # type: ignore[misc]  # the compiler's own

    def get_default_columns(self, *args: Any, **kwargs: Any) -> list[Any]:
        found: list[Any] = super().get_default_columns(*args, **kwargs)  # type: ignore[misc]  # the compiler's own
        return [column for column in found if not lacks(column.target)]


class SQLCompiler(_LeavesOut, postgresql.SQLCompiler):
    """SELECT."""


class SQLAggregateCompiler(_LeavesOut, postgresql.SQLAggregateCompiler):
    """SELECT around a SELECT."""


class SQLDeleteCompiler(_LeavesOut, postgresql.SQLDeleteCompiler):
    """DELETE."""


class SQLInsertCompiler(_LeavesOut, postgresql.SQLInsertCompiler):
    """INSERT. The database gives the default later, when the column comes."""

    query: Any

    def as_sql(self, *args: Any, **kwargs: Any) -> Any:
        for field in self.query.fields:
            if lacks(field):
                for row in self.query.objs:
                    _require_fallback(field, getattr(row, field.attname))
        self.query.fields = [field for field in self.query.fields if not lacks(field)]
        self.query.update_fields = [field for field in self.query.update_fields if not lacks(field)]
        return super().as_sql(*args, **kwargs)


class SQLUpdateCompiler(_LeavesOut, postgresql.SQLUpdateCompiler):
    """UPDATE."""

    query: Any

    def as_sql(self, *args: Any, **kwargs: Any) -> Any:
        kept = []
        for field, model, value in self.query.values:
            if lacks(field):
                _require_fallback(field, value)
            else:
                kept.append((field, model, value))
        if self.query.values and not kept:
            raise SchemaLacks(
                "Nothing is left to be changed: this organisation's schema has no such columns."
            )
        self.query.values = kept
        return super().as_sql(*args, **kwargs)


def _require_fallback(field: Any, value: Any) -> None:
    if not is_fallback(field, value):
        raise SchemaLacks(
            f"{field.model._meta.label}.{field.name} cannot be written yet: this organisation's schema is "
            "of the release before. Ask tenants.capabilities.has first."
        )
