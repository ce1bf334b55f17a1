"""From the registry to SQL: the functions and triggers that capture each registered table.

Ordinary tables share one generic function, called for each row. Bulk tables get a function of
their own, called once a statement with transition tables: one INSERT … SELECT into the events and
one into their private parts, whatever the number of rows.
"""

from pathlib import Path

from audit.bulk import bulk_function_name, hidden_names
from audit.quoting import literal
from audit.registry import Captured
from tenants import functions
from tenants.functions import Function
from tenants.triggers import Trigger

_FUNCTIONS = Path(__file__).parent / "sql" / "functions.sql"
# What the tenant's role may call of them.
FOR_THE_TENANT = ("audit_record", "audit_erase", "audit_key")


def shared_functions() -> list[Function]:
    """Return the functions that every schema has, whatever is registered."""
    return functions.read(_FUNCTIONS, for_tenant=FOR_THE_TENANT)


def triggers_for(table: Captured) -> list[Trigger]:
    """Return the triggers of one registered table."""
    truncate = _trigger(
        table,
        "audit_truncate",
        "BEFORE TRUNCATE ON FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse_truncate@()",
    )
    if not table.bulk:
        return [_row_trigger(table), truncate]
    function = f"EXECUTE FUNCTION {bulk_function_name(table)}@()"
    return [
        _trigger(
            table,
            "audit_insert",
            f"AFTER INSERT ON REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT {function}",
        ),
        _trigger(
            table,
            "audit_update",
            "AFTER UPDATE ON REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows "
            f"FOR EACH STATEMENT {function}",
        ),
        _trigger(
            table,
            "audit_delete",
            f"AFTER DELETE ON REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT {function}",
        ),
        _trigger(
            table,
            "audit_key",
            f'BEFORE UPDATE OF "{table.key}" ON FOR EACH ROW '
            f'WHEN (OLD."{table.key}" IS DISTINCT FROM NEW."{table.key}") '
            "EXECUTE FUNCTION audit_refuse_new_key@()",
        ),
        truncate,
    ]


def _trigger(table: Captured, name: str, definition: str) -> Trigger:
    """Return a trigger that is not silent where rows are applied that another server sent, either."""
    return Trigger(table.table, name, definition, always=True)


def _row_trigger(table: Captured) -> Trigger:
    arguments = (
        table.label,
        str(table.type_id),
        table.key,
        table.subject,
        _array(table.excluded),
        _array(table.masked),
        _array(table.personal),
        hidden_names("personal", table.personal) + hidden_names("masked", table.masked),
        "true" if table.strict else "false",
    )
    written = ", ".join(literal(argument) for argument in arguments)
    return _trigger(
        table,
        "audit_row",
        f"AFTER INSERT OR UPDATE OR DELETE ON FOR EACH ROW EXECUTE FUNCTION audit_row@({written})",
    )


def _array(names: tuple[str, ...]) -> str:
    return "{" + ",".join(names) + "}"
