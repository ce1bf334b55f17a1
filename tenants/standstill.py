"""Standing still: what is written while an organisation's state stops changes, and what is not.

The database holds it: each table of an organisation has a trigger that refuses statements while the
transaction says `app.stops = 'changes'`, whatever code sends them. Open are the few tables that rooms
name here, each with a reason. People are told before it comes to that: pages answer unsafe requests with
a sentence (config.refusals), but for the few that rooms name here as well.
"""

from typing import TYPE_CHECKING, Any

from django.core.exceptions import ImproperlyConfigured
from django.db import DatabaseError

from tenants import functions, triggers
from tenants.functions import Function
from tenants.refusals import OrganisationClosed
from tenants.triggers import Trigger

if TYPE_CHECKING:
    from django.db.models import Model

_SQLSTATE = "EN001"
_NAME = "enclave_standstill"
_FUNCTION = Function(
    _NAME,
    f"""CREATE OR REPLACE FUNCTION enclave_standstill@() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path FROM CURRENT
AS $body$
BEGIN
    RAISE EXCEPTION 'this organisation takes no changes: % of %', TG_OP, TG_TABLE_NAME
        USING ERRCODE = '{_SQLSTATE}';
END
$body$""",
)
# With its casts, as PostgreSQL says it, so that it is known again.
_TRIGGER = (
    "BEFORE INSERT OR UPDATE OR DELETE ON FOR EACH STATEMENT "
    "WHEN (current_setting('app.stops'::text, true) = 'changes'::text) EXECUTE FUNCTION enclave_standstill@()"
)
_open: dict[str, str] = {}
_answering: set[str] = set()


def keep_open(*models: "type[Model]", reason: str) -> None:
    """Let the rows of these models be written also while an organisation stands still."""
    if not reason:
        raise ImproperlyConfigured("A table stays open for a reason.")
    _open.update({model._meta.db_table: reason for model in models})


def open_tables() -> dict[str, str]:
    """Return the tables that stay open, with the reasons."""
    return dict(_open)


def keep_answering(*view_names: str) -> None:
    """Let these addresses take unsafe requests also while an organisation stands still."""
    _answering.update(view_names)


def answers(view_name: str) -> bool:
    """Return whether an address takes unsafe requests while an organisation stands still."""
    return view_name in _answering


def raise_if_refused(problem: DatabaseError) -> None:
    """Raise OrganisationClosed if it was one of the triggers that said no."""
    if getattr(problem.__cause__, "sqlstate", None) == _SQLSTATE:
        raise OrganisationClosed from problem


def text() -> str:
    """Return what `install` makes, as text."""
    return "\n".join([_FUNCTION.statement, _TRIGGER, *sorted(_open)])


def install(cursor: Any) -> None:
    """Put the trigger on every table of the current schema that is not open. A hook after migrations."""
    functions.make(cursor, [_FUNCTION])
    cursor.execute(
        "SELECT relname FROM pg_class "
        "WHERE relnamespace = current_schema()::regnamespace AND relkind IN ('r', 'p') ORDER BY relname"
    )
    closed = [table for (table,) in cursor.fetchall() if table not in _open]
    triggers.make(cursor, _NAME, [Trigger(table, _NAME, _TRIGGER) for table in closed])
    functions.drop_others(cursor, _NAME, [_FUNCTION])
