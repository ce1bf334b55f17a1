"""Puts the functions and triggers of records into a schema: counts, references and unique values."""

from pathlib import Path
from typing import Any

from tenants import functions, triggers
from tenants.triggers import Trigger

_FUNCTIONS = Path(__file__).parent / "sql" / "functions.sql"
_PREFIX = "records_"
# What triggers do as the tenant's role, which therefore has to be allowed to call it.
_FOR_THE_TENANT = ("records_digest", "records_count")
_NEW = "REFERENCING NEW TABLE AS fresh"
_OLD = "REFERENCING OLD TABLE AS stale"
_BOTH = "REFERENCING OLD TABLE AS stale NEW TABLE AS fresh"


def _on_records(event: str, tables: str, name: str) -> Trigger:
    return Trigger(
        "records_record", name, f"AFTER {event} ON {tables} FOR EACH STATEMENT EXECUTE FUNCTION {name}@()"
    )


_TRIGGERS = (
    _on_records("INSERT", _NEW, "records_record_added"),
    _on_records("UPDATE", _BOTH, "records_record_changed"),
    _on_records("DELETE", _OLD, "records_record_removed"),
    Trigger(
        "records_collection",
        "records_collection_removed",
        "AFTER DELETE ON FOR EACH ROW EXECUTE FUNCTION records_collection_removed@()",
    ),
)


def install(cursor: Any) -> None:
    """Make them what they are here. A hook after migrations; may be repeated."""
    wanted = functions.read(_FUNCTIONS, for_tenant=_FOR_THE_TENANT)
    functions.make(cursor, wanted)
    triggers.make(cursor, _PREFIX, _TRIGGERS)
    functions.drop_others(cursor, _PREFIX, wanted)


def text() -> str:
    """Return what `install` makes, as text."""
    parts = [_FUNCTIONS.read_text(encoding="utf-8"), *(trigger.text for trigger in _TRIGGERS)]
    return "\n".join([*parts, *_FOR_THE_TENANT])
