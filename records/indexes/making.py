"""Making and dropping indexes, as the owner, beside people at work. Nothing here runs in a transaction."""

from typing import Any

from django.db import connections
from psycopg import sql

from records.models.index import IndexKind
from records.tables.expressions import COMPARED
from records.tables.operators import TEXT_LIKE
from records.values import FieldType
from tenants.context import required

_LEXEMES = sql.SQL("""(jsonb_to_tsvector('simple'::regconfig, "values", '["string", "numeric"]'::jsonb))""")


def statement(name: str, kind: str, collection: str, key: str, field_type: str) -> sql.Composed:
    """Return the statement that makes an index; the statistics of the same name are about the same values.

    Its expressions are those of records.tables.expressions, letter by letter; a test compares plans.
    """
    where = sql.SQL("WHERE collection_id = {}::uuid AND deleted_at IS NULL").format(sql.Literal(collection))
    return sql.SQL("CREATE INDEX CONCURRENTLY IF NOT EXISTS {} ON records_record {} {}").format(
        sql.Identifier(name), _columns(kind, key, field_type), where
    )


def _columns(kind: str, key: str, field_type: str) -> sql.Composable:
    if kind == IndexKind.SEARCH:
        return sql.SQL("USING gin ({})").format(_LEXEMES)
    value = _compared(kind, key, field_type)
    if kind == IndexKind.MEMBERS:
        return sql.SQL("USING gin ({} jsonb_path_ops)").format(value)
    return sql.SQL("({}, id)").format(value)


def _compared(kind: str, key: str, field_type: str) -> sql.Composable:
    """Return the expression that rows are compared by, as records.tables.expressions has it."""
    if kind == IndexKind.SEARCH:
        return _LEXEMES
    if kind == IndexKind.ORDER and FieldType(field_type) in TEXT_LIKE:
        text = sql.SQL('("values" ->> {})').format(sql.Literal(key))
        return sql.SQL('(lower(left({}, {})) COLLATE "C")').format(text, sql.Literal(COMPARED))
    return sql.SQL('("values" -> {})').format(sql.Literal(key))


def _statistics(name: str, kind: str, key: str, field_type: str) -> sql.Composed:
    """Return the statement that makes the planner count the values of a field, collection by collection.

    It takes no numbers from partial indexes: without these it would think that every condition finds one
    row in two hundred, and walk the whole list for a rare value.
    """
    value = _compared(kind, key, field_type)
    if kind != IndexKind.SEARCH:
        value = sql.SQL("collection_id, {}").format(value)
    return sql.SQL("CREATE STATISTICS IF NOT EXISTS {} ON {} FROM records_record").format(
        sql.Identifier(name), value
    )


def build(name: str, kind: str, collection: str, key: str, field_type: str) -> None:
    """Make an index without stopping anybody; the remains of an attempt that broke off go first."""
    with _cursor() as cursor:
        if not is_valid(cursor, name):
            _drop(cursor, name)
            cursor.execute(statement(name, kind, collection, key, field_type))
        cursor.execute(_statistics(name, kind, key, field_type))
        cursor.execute("ANALYZE records_record")


def drop(name: str) -> None:
    """Drop an index if it is there."""
    with _cursor() as cursor:
        _drop(cursor, name)


def is_valid(cursor: Any, name: str) -> bool:
    """Return whether an index is there and whole."""
    cursor.execute(
        "SELECT indisvalid FROM pg_index JOIN pg_class c ON c.oid = indexrelid "
        "WHERE c.relname = %s AND c.relnamespace = current_schema()::regnamespace",
        (name,),
    )
    row = cursor.fetchone()
    return bool(row and row[0])


def _drop(cursor: Any, name: str) -> None:
    cursor.execute(sql.SQL("DROP INDEX CONCURRENTLY IF EXISTS {}").format(sql.Identifier(name)))
    cursor.execute(sql.SQL("DROP STATISTICS IF EXISTS {}").format(sql.Identifier(name)))


def _cursor() -> Any:
    return connections[required().alias].cursor()
