"""Puts the functions, triggers and rights of the trail into a schema. Called after its migrations."""

import hashlib
from pathlib import Path
from typing import Any

from audit import compiler
from audit.bulk import bulk_function
from audit.compiler import Trigger
from audit.quoting import Function
from audit.registry import Captured, trail
from tenants.names import TEMPLATE_SCHEMA, checked_schema_name

_VIEW = Path(__file__).parent / "sql" / "logentry.sql"
_TABLES = ("audit_event", "audit_private", "audit_epoch", "audit_segment")
_FOR_THE_TENANT = ("audit_record", "audit_erase", "audit_key")


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
    functions = compiler.shared_functions() + [bulk_function(table) for table in tables if table.bulk]
    _make_functions(cursor, functions)
    _make_triggers(cursor, [trigger for table in tables for trigger in compiler.triggers_for(table)])


def text() -> str:
    """Return everything that `install` would make, as text."""
    tables = trail.captured()
    functions = compiler.shared_functions() + [bulk_function(table) for table in tables if table.bulk]
    triggers = [trigger.statement for table in tables for trigger in compiler.triggers_for(table)]
    view = _VIEW.read_text(encoding="utf-8")
    parts = sorted([*(function.statement for function in functions), *triggers])
    return "\n".join([*parts, view, *_FOR_THE_TENANT])


def _schema(cursor: Any) -> str:
    cursor.execute("SELECT current_schema()")
    return checked_schema_name(cursor.fetchone()[0])


def _present_tables(cursor: Any) -> set[str]:
    cursor.execute(
        "SELECT relname FROM pg_class "
        "WHERE relnamespace = current_schema()::regnamespace AND relkind IN ('r', 'p')"
    )
    return {name for (name,) in cursor.fetchall()}


def _make_functions(cursor: Any, functions: list[Function]) -> None:
    """Make the functions whose text changed. The body carries a digest of its whole statement."""
    cursor.execute("SELECT proname, prosrc FROM pg_proc WHERE pronamespace = current_schema()::regnamespace")
    bodies = dict(cursor.fetchall())
    for function in functions:
        mark = f"-- {hashlib.sha256(function.statement.encode()).hexdigest()[:32]}"
        if mark in bodies.get(function.name, ""):
            continue
        cursor.execute(function.statement.replace("AS $body$\n", f"AS $body$\n{mark}\n", 1))
        cursor.execute(f'REVOKE ALL ON FUNCTION "{function.name}" FROM PUBLIC')


def _make_triggers(cursor: Any, triggers: list[Trigger]) -> None:
    """Make the triggers that are missing or differ, and drop those that nobody wants."""
    there = _existing(cursor)
    wanted = {(trigger.table, trigger.name): trigger for trigger in triggers}
    for table, name in there.keys() - wanted.keys():
        cursor.execute(f'DROP TRIGGER "{name}" ON "{table}"')
    for place, trigger in wanted.items():
        if there.get(place) == _normal(trigger.definition):
            continue
        cursor.execute(trigger.statement)
        # ALWAYS: an ordinary trigger is silent where session_replication_role is replica.
        cursor.execute(f'ALTER TABLE "{trigger.table}" ENABLE ALWAYS TRIGGER "{trigger.name}"')


def _existing(cursor: Any) -> dict[tuple[str, str], str]:
    """Return the triggers that are there, with their definitions; an empty one if it can be silent."""
    cursor.execute(
        "SELECT class.relname, tg.tgname, tg.tgenabled, pg_get_triggerdef(tg.oid, true) "
        "FROM pg_trigger AS tg "
        "JOIN pg_class AS class ON class.oid = tg.tgrelid "
        "WHERE class.relnamespace = current_schema()::regnamespace AND NOT tg.tgisinternal "
        "AND starts_with(tg.tgname, 'audit_')"
    )
    return {
        (table, name): _normal(_without_table(definition, name, table)) if enabled == "A" else ""
        for table, name, enabled, definition in cursor.fetchall()
    }


def _without_table(definition: str, name: str, table: str) -> str:
    after_name = definition.partition(f"CREATE TRIGGER {name} ")[2]
    event, _, rest = after_name.partition(" ON ")
    return f"{event} ON {rest.partition(' ')[2]}"


def _normal(definition: str) -> str:
    """Return a definition without what PostgreSQL writes in its own way: quotes, order, brackets."""
    text = definition.replace('"', "").replace("((", "(").replace("))", ")").replace("AS ", "")
    event, _, rest = text.partition(" ON ")
    moment, _, events = event.partition(" ")
    return f"{moment} {sorted(events.split(' OR '))} {' '.join(rest.split())}".lower()


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
        (schema, list(_FOR_THE_TENANT)),
    )
    functions, count = cursor.fetchone()
    return bool(tables and functions and count == len(_FOR_THE_TENANT))


def _grant(cursor: Any, schema: str) -> None:
    """Let the tenant's role read the trail and call three functions; nothing else."""
    for table in (*_TABLES, "auditlog_logentry"):
        cursor.execute(f'REVOKE ALL ON "{table}" FROM {schema}')
        cursor.execute(f'GRANT SELECT ON "{table}" TO {schema}')
    cursor.execute(f"REVOKE ALL ON SEQUENCE audit_event_eid_seq FROM {schema}")
    for function in _FOR_THE_TENANT:
        cursor.execute(f'GRANT EXECUTE ON FUNCTION "{function}" TO {schema}')
