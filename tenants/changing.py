"""What the author of a migration says about it: see docs/migrations.md.

    class Migration(migrations.Migration):
        contracts = Contracts(expand="gear.0002_loudness", backfill="gear.loudness")
        operations = [drop_column("gear_speaker", "watts")]

A migration comes one release after the code that does without what it takes away, because while a
release goes out, processes of the one before still serve.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar

from django.db.migrations import Migration, RemoveField, RunSQL, SeparateDatabaseAndState
from django.db.migrations.operations.base import Operation
from django.db.migrations.operations.models import DeleteModel

_NAME = re.compile(r"[a-z_][a-z0-9_]{0,62}")
_Operation = TypeVar("_Operation", bound=Operation)


class Kind(StrEnum):
    """What a migration does to the code that is running while it is applied."""

    NEUTRAL = "neutral"
    EXPAND = "expand"
    BACKFILL = "backfill"
    CONTRACT = "contract"


@dataclass(frozen=True, slots=True)
class Declaration:
    """What an author says of an operation that nobody can see through, and why it is so."""

    kind: Kind
    because: str


@dataclass(frozen=True, slots=True)
class Contracts:
    """What a migration that takes something away or tightens something follows up.

    `expand` is the migration, released before, with which code stopped needing what goes. `backfill` is
    the one that has to be done in an organisation first; where nothing has to be filled, `because` says so.
    """

    expand: str
    backfill: str = ""
    because: str = ""


def declared(operation: _Operation, kind: Kind, *, because: str) -> _Operation:
    """Return an operation with what its author says of it. Raises ValueError without a reason.

    Needed by RunSQL, RunPython and operations of one's own. What their SQL shows is judged all the same.
    """
    if not because.strip():
        raise ValueError("Say why it is so.")
    operation.safety = Declaration(kind, because)  # type: ignore[attr-defined]  # read by `declaration_of`
    return operation


def declaration_of(operation: Operation) -> Declaration | None:
    """Return what the author said of an operation, or None."""
    found = getattr(operation, "safety", None)
    return found if isinstance(found, Declaration) else None


def contracts_of(migration: Migration) -> Contracts | None:
    """Return what a migration follows up, or None."""
    found = getattr(migration, "contracts", None)
    return found if isinstance(found, Contracts) else None


def stop_using(model: str, field: str) -> Operation:
    """Take a field from the models and leave its column: the release before the one that drops it.

    The column must be nullable or have a default of the database, because new rows come without it.
    """
    return SeparateDatabaseAndState(state_operations=[RemoveField(model, field)])


def stop_using_model(model: str) -> Operation:
    """Take a model from the code and leave its table: the release before the one that drops it."""
    return SeparateDatabaseAndState(state_operations=[DeleteModel(model)])


def drop_column(table: str, column: str) -> Operation:
    """Drop a column that the release before stopped using."""
    text = f'ALTER TABLE "{_checked(table)}" DROP COLUMN "{_checked(column)}"'
    return declared(RunSQL(text), Kind.CONTRACT, because="The release before stopped using the column.")


def drop_table(table: str) -> Operation:
    """Drop a table that the release before stopped using."""
    text = f'DROP TABLE "{_checked(table)}"'
    return declared(RunSQL(text), Kind.CONTRACT, because="The release before stopped using the table.")


def _checked(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise ValueError(f"{name!r} is not the name of a table or column.")
    return name


def within(operation: Operation) -> Iterator[Operation]:
    """Yield an operation, or those that it does to the database when it keeps them apart."""
    if isinstance(operation, SeparateDatabaseAndState):
        for inner in operation.database_operations:
            yield from within(inner)
    else:
        yield operation
