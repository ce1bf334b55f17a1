"""Making a function of the database only where it is not there as it should be."""

from typing import Any


def make(cursor: Any, name: str, statement: str) -> bool:
    """Run a CREATE OR REPLACE FUNCTION unless the current schema has it with the same body; return if it ran.

    The body stands between the two `$$` of the statement.
    """
    cursor.execute(
        "SELECT prosrc FROM pg_proc WHERE proname = %s AND pronamespace = current_schema()::regnamespace",
        (name,),
    )
    if cursor.fetchone() == (statement.split("$$")[1],):
        return False
    cursor.execute(statement)
    return True
