"""From the registry to SQL: the functions and triggers that capture each registered table.

Ordinary tables share one generic function, called for each row. Bulk tables get a function of
their own, called once a statement with transition tables: one INSERT … SELECT into the events and
one into their private parts, whatever the number of rows.
"""

from dataclasses import dataclass
from pathlib import Path

from audit.bulk import bulk_function_name, hidden_names
from audit.quoting import Function, literal
from audit.registry import Captured

_FUNCTIONS = Path(__file__).parent / "sql" / "functions.sql"


@dataclass(frozen=True, slots=True)
class Trigger:
    """A trigger: its table and name, and what follows its name in CREATE TRIGGER."""

    table: str
    name: str
    definition: str

    @property
    def statement(self) -> str:
        """Return the statement that makes it, also in the place of another one of its name."""
        event, _, rest = self.definition.partition(" ON ")
        return f'CREATE OR REPLACE TRIGGER "{self.name}" {event} ON "{self.table}" {rest}'


def shared_functions() -> list[Function]:
    """Return the functions that every schema has, whatever is registered."""
    text = _FUNCTIONS.read_text(encoding="utf-8")
    statements = [part.strip() for part in text.split("\n--------\n")]
    return [Function(_name_of(statement), statement) for statement in statements]


def _name_of(statement: str) -> str:
    return statement.partition("FUNCTION ")[2].partition("(")[0].strip()


def triggers_for(table: Captured) -> list[Trigger]:
    """Return the triggers of one registered table."""
    truncate = Trigger(
        table.table,
        "audit_truncate",
        "BEFORE TRUNCATE ON FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse_truncate()",
    )
    if not table.bulk:
        return [_row_trigger(table), truncate]
    function = f"EXECUTE FUNCTION {bulk_function_name(table)}()"
    return [
        Trigger(
            table.table,
            "audit_insert",
            f"AFTER INSERT ON REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT {function}",
        ),
        Trigger(
            table.table,
            "audit_update",
            "AFTER UPDATE ON REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows "
            f"FOR EACH STATEMENT {function}",
        ),
        Trigger(
            table.table,
            "audit_delete",
            f"AFTER DELETE ON REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT {function}",
        ),
        Trigger(
            table.table,
            "audit_key",
            f'BEFORE UPDATE OF "{table.key}" ON FOR EACH ROW '
            f'WHEN (OLD."{table.key}" IS DISTINCT FROM NEW."{table.key}") '
            "EXECUTE FUNCTION audit_refuse_new_key()",
        ),
        truncate,
    ]


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
    return Trigger(
        table.table,
        "audit_row",
        f"AFTER INSERT OR UPDATE OR DELETE ON FOR EACH ROW EXECUTE FUNCTION audit_row({written})",
    )


def _array(names: tuple[str, ...]) -> str:
    return "{" + ",".join(names) + "}"
