"""What the dialect of a shard does differently: its compilers, and columns that a schema may lack."""

from collections.abc import Sequence
from typing import Any

from django.db.backends.postgresql import operations as postgresql
from django.db.models import Field

from tenants.capabilities import fallback, lacks


class DatabaseOperations(postgresql.DatabaseOperations):
    """The operations of PostgreSQL, for a schema that may be one release older than the models."""

    compiler_module = "tenants.backends.shard.compiler"

    def return_insert_columns(self, fields: Sequence[Field[Any, Any]]) -> tuple[str, tuple[Any, ...]]:
        """Return RETURNING; in the place of a missing column its default comes back."""
        if not any(map(lacks, fields)):
            return super().return_insert_columns(fields)  # type: ignore[no-any-return,misc]  # not in the stubs
        parts, values = [], []
        for field in fields:
            if lacks(field):
                parts.append(f"%s::{field.db_type(self.connection)}")
                values.append(field.get_db_prep_value(fallback(field), self.connection))
            else:
                table = self.quote_name(field.model._meta.db_table)
                parts.append(f"{table}.{self.quote_name(str(field.column))}")
        return f"RETURNING {', '.join(parts)}", tuple(values)
