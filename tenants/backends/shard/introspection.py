"""What a shard says of its tables: those of the current schema, found without reading everybody's."""

from typing import Any

from django.db.backends.postgresql import introspection as postgresql
from django.db.backends.postgresql.introspection import TableInfo

# What lies in a schema depends on it, and that has an index; the catalogue's list of relations has none that
# leads from a schema to them, and is as long as everybody's tables together.
_TABLES = """
SELECT class.relname,
    CASE WHEN class.relispartition THEN 'p' WHEN class.relkind IN ('m', 'v') THEN 'v' ELSE 't' END,
    pg_catalog.obj_description(class.oid, 'pg_class')
FROM pg_catalog.pg_depend AS depend JOIN pg_catalog.pg_class AS class ON class.oid = depend.objid
WHERE depend.refclassid = 'pg_catalog.pg_namespace'::pg_catalog.regclass
    AND depend.refobjid = ANY (ARRAY(
        SELECT oid FROM pg_catalog.pg_namespace WHERE nspname = ANY (pg_catalog.current_schemas(false))
    ))
    AND depend.classid = 'pg_catalog.pg_class'::pg_catalog.regclass
    AND class.relkind IN ('f', 'm', 'p', 'r', 'v')
"""


class DatabaseIntrospection(postgresql.DatabaseIntrospection):
    """The introspection of PostgreSQL, for one schema among thousands."""

    def get_table_list(self, cursor: Any) -> list[TableInfo]:  # type: ignore[override]  # its comment too, as in Django
        """Return the tables and views of the schemas on the current path."""
        cursor.execute(_TABLES)
        return [TableInfo(*row) for row in cursor.fetchall() if row[0] not in self.ignored_tables]
