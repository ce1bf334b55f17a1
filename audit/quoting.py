"""Small parts of SQL."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Function:
    """A function: its name, and the statement that makes it."""

    name: str
    statement: str


def quoted(name: str) -> str:
    """Return an identifier of SQL."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """Return a literal of SQL."""
    return "'" + text.replace("'", "''") + "'"
