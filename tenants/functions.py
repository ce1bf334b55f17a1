"""Functions of an organisation's own, in the database.

PostgreSQL looks a function up by its name alone, whatever schema is said, and keeps everything that it
found: a connection that calls one `f()` of a thousand schemas reads and keeps all thousand, and reads them
again after anybody made a function. So each has the schema's name in its own, which no other organisation
has, and what a call costs does not grow with their number (ADR 0033).

In statements such a name is written `f@(`, both where the function is made and where it is called. What
copies a schema under another name (replaying the template, a migration's script, a bundle, an exchange)
writes the schema's name anew wherever it stands, and so names the functions, too.
"""

import hashlib
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tenants.names import checked_schema_name

# PostgreSQL cuts names off at 63 bytes, and a schema's name has 22.
MOST_LETTERS = 40
_MADE = re.compile(r"^CREATE OR REPLACE FUNCTION ([a-z][a-z0-9_]*)@\(", re.MULTILINE)
_NAMED = re.compile(r"\b([a-z][a-z0-9_]*)@(?=\()")


class NameTooLong(ValueError):
    """The name of a function leaves no room for a schema's."""


@dataclass(frozen=True, slots=True)
class Function:
    """A function as code knows it: its name without the schema's, how it is made, who may call it.

    The statement is a CREATE OR REPLACE whose body stands after a line that ends with `$body$`. Nobody but
    the owner may call it, or with `for_tenant` the organisation's role as well.
    """

    name: str
    statement: str
    for_tenant: bool = False

    @property
    def mark(self) -> str:
        """Return a comment that the body begins with, by which the same statement is known again."""
        return f"-- {hashlib.sha256(self.statement.encode()).hexdigest()[:32]}"

    def written(self, schema: str) -> str:
        """Return the statement for one schema, with the mark in it."""
        return written(self.statement.replace("$body$\n", f"$body$\n{self.mark}\n", 1), schema)


def read(path: Path, *, for_tenant: Collection[str] = ()) -> list[Function]:
    """Return the functions of a file, whose statements are separated by lines of eight dashes."""
    statements = [part.strip() for part in path.read_text(encoding="utf-8").split("\n--------\n")]
    named = [(_MADE.findall(statement)[0], statement) for statement in statements]
    return [Function(name, statement, for_tenant=name in for_tenant) for name, statement in named]


def own(name: str, schema: str) -> str:
    """Return what a function is called in a schema. Raises NameTooLong."""
    if len(name) > MOST_LETTERS:
        raise NameTooLong(f"The function {name} has more than {MOST_LETTERS} letters.")
    return f"{name}_{checked_schema_name(schema)}"


def written(statement: str, schema: str) -> str:
    """Return a statement with the names of functions as they are in a schema."""
    return _NAMED.sub(lambda named: own(named[1], schema), statement)


def make(cursor: Any, functions: Sequence[Function]) -> None:
    """Make those functions of the current schema whose statement is not the one that made them."""
    schema, bodies = _there(cursor)
    for function in functions:
        name = own(function.name, schema)
        if function.mark in bodies.get(name, ""):
            continue
        cursor.execute(function.written(schema))
        cursor.execute(f"REVOKE ALL ON FUNCTION {name} FROM PUBLIC")
        if function.for_tenant:
            cursor.execute(f"GRANT EXECUTE ON FUNCTION {name} TO {schema}")


def drop_others(cursor: Any, prefix: str, functions: Sequence[Function]) -> None:
    """Drop the functions of the current schema whose names begin with `prefix` and that nobody wants."""
    schema, bodies = _there(cursor)
    wanted = {own(function.name, schema) for function in functions}
    for name in sorted(bodies.keys() - wanted):
        if name.startswith(prefix):
            cursor.execute(f'DROP FUNCTION "{name}"')


def _there(cursor: Any) -> tuple[str, dict[str, str]]:
    """Return the current schema, and the bodies of its functions by their names."""
    cursor.execute("SELECT current_schema()")
    schema = checked_schema_name(cursor.fetchone()[0])
    cursor.execute(
        # What lies in a schema depends on it; an index leads there, and none by the schema alone.
        "SELECT proname, prosrc FROM pg_depend JOIN pg_proc AS proc ON proc.oid = objid "
        "WHERE refclassid = 'pg_namespace'::regclass AND refobjid = current_schema()::regnamespace "
        "AND classid = 'pg_proc'::regclass AND deptype = 'n'"
    )
    return schema, dict(cursor.fetchall())
