"""Puts the functions, triggers and rights of the trail into a schema. Called after its migrations."""

import hashlib
from pathlib import Path
from typing import Any

from audit import compiler
from audit.bulk import bulk_function
from audit.registry import Captured, trail
from tenants import functions, triggers
from tenants.functions import Function, own
from tenants.names import TEMPLATE_SCHEMA, checked_schema_name

_VIEW = Path(__file__).parent / "sql" / "logentry.sql"
_TABLES = (
    *("audit_event", "audit_private", "audit_epoch", "audit_segment"),
    *("audit_annexed_trail", "audit_annexed_event", "audit_annexed_private", "audit_annexed_segment"),
    "audit_annexed_key",
)
_PREFIX = "audit_"


def install(cursor: Any) -> None:
    """Make the trail of the current schema what the registry says. May be repeated; needs the owner."""
    schema = _schema(cursor)
    cursor.execute("SELECT set_config('search_path', %s, false)", (f"{schema}, pg_temp",))
    try:
        install_tables(cursor, trail.captured())
        _make_view(cursor)
        if not _is_granted(cursor, schema):
            _grant(cursor, schema)
        if schema == TEMPLATE_SCHEMA:
            # What the migrations wrote belongs to no organisation, and would be copied into each.
            cursor.execute("DELETE FROM audit_event")
            cursor.execute("DELETE FROM audit_private")
    finally:
        cursor.execute("SELECT set_config('search_path', %s, false)", (schema,))


def install_tables(cursor: Any, tables: list[Captured]) -> None:
    """Make functions and triggers for `tables`, and drop those of tables that are listed no more."""
    present = _present_tables(cursor)
    tables = [table for table in tables if table.table in present]
    wanted = _functions(tables)
    functions.make(cursor, wanted)
    asked = [trigger for table in tables for trigger in compiler.triggers_for(table)]
    triggers.make(cursor, _PREFIX, asked)
    functions.drop_others(cursor, _PREFIX, wanted)


def _functions(tables: list[Captured]) -> list[Function]:
    return compiler.shared_functions() + [bulk_function(table) for table in tables if table.bulk]


def text() -> str:
    """Return everything that `install` would make, as text."""
    tables = trail.captured()
    asked = [trigger.text for table in tables for trigger in compiler.triggers_for(table)]
    view = _VIEW.read_text(encoding="utf-8")
    parts = sorted([*(function.statement for function in _functions(tables)), *asked])
    return "\n".join([*parts, view, *compiler.FOR_THE_TENANT])


def _schema(cursor: Any) -> str:
    cursor.execute("SELECT current_schema()")
    return checked_schema_name(cursor.fetchone()[0])


def _present_tables(cursor: Any) -> set[str]:
    cursor.execute(
        "SELECT relname FROM pg_class "
        "WHERE relnamespace = current_schema()::regnamespace AND relkind IN ('r', 'p')"
    )
    return {name for (name,) in cursor.fetchall()}


def _make_view(cursor: Any) -> None:
    """Make the view where its text is another than before; its comment carries a digest of that."""
    text = _VIEW.read_text(encoding="utf-8")
    mark = hashlib.sha256(text.encode()).hexdigest()[:32]
    cursor.execute("SELECT obj_description(to_regclass('auditlog_logentry'), 'pg_class')")
    if cursor.fetchone() != (mark,):
        cursor.execute(text)
        cursor.execute(f"COMMENT ON VIEW auditlog_logentry IS '{mark}'")


def _is_granted(cursor: Any, schema: str) -> bool:
    """Return whether the tenant's role has what `_grant` gives, and no more."""
    cursor.execute(
        "SELECT bool_and(has_table_privilege(%(role)s, name, 'SELECT') AND NOT "
        "has_table_privilege(%(role)s, name, 'INSERT, UPDATE, DELETE, TRUNCATE, REFERENCES, TRIGGER')) "
        "AND NOT has_sequence_privilege(%(role)s, 'audit_event_eid_seq', 'USAGE, SELECT, UPDATE') "
        "FROM unnest(%(tables)s::text[]) AS name",
        {"role": schema, "tables": [*_TABLES, "auditlog_logentry"]},
    )
    (tables,) = cursor.fetchone()
    cursor.execute(
        "SELECT bool_and(has_function_privilege(%s, oid, 'EXECUTE')), count(*) FROM pg_proc "
        "WHERE pronamespace = current_schema()::regnamespace AND proname = ANY (%s)",
        (schema, [own(name, schema) for name in compiler.FOR_THE_TENANT]),
    )
    may_call, count = cursor.fetchone()
    return bool(tables and may_call and count == len(compiler.FOR_THE_TENANT))


def _grant(cursor: Any, schema: str) -> None:
    """Let the tenant's role read the trail and call three functions; nothing else."""
    for table in (*_TABLES, "auditlog_logentry"):
        cursor.execute(f'REVOKE ALL ON "{table}" FROM {schema}')
        cursor.execute(f'GRANT SELECT ON "{table}" TO {schema}')
    cursor.execute(f"REVOKE ALL ON SEQUENCE audit_event_eid_seq FROM {schema}")
    for function in compiler.FOR_THE_TENANT:
        cursor.execute(f"GRANT EXECUTE ON FUNCTION {own(function, schema)} TO {schema}")
