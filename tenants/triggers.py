"""Triggers that the registries of rooms ask for, made and dropped where they differ from what is there."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tenants import functions

_STATES = {True: "A", False: "O"}


@dataclass(frozen=True, slots=True)
class Trigger:
    """A trigger: its table and name, and what follows its name in CREATE TRIGGER, functions as `f@(`.

    With `always` it also acts where rows are applied that another server sent.
    """

    table: str
    name: str
    definition: str
    always: bool = False

    @property
    def text(self) -> str:
        """Return everything about it, as text."""
        return f"{self.statement} {_STATES[self.always]}"

    @property
    def statement(self) -> str:
        """Return the statement that makes it, also in the place of another one of its name."""
        event, _, rest = self.definition.partition(" ON ")
        return f'CREATE OR REPLACE TRIGGER "{self.name}" {event} ON "{self.table}" {rest}'


def make(cursor: Any, prefix: str, triggers: Sequence[Trigger]) -> None:
    """Make the triggers that are missing or differ, and drop the others whose names begin with `prefix`."""
    cursor.execute("SELECT current_schema()")
    (schema,) = cursor.fetchone()
    there = _existing(cursor, prefix)
    wanted = {(trigger.table, trigger.name): trigger for trigger in triggers}
    for table, name in sorted(there.keys() - wanted.keys()):
        cursor.execute(f'DROP TRIGGER "{name}" ON "{table}"')
    for place, trigger in wanted.items():
        definition = functions.written(trigger.definition, schema)
        if there.get(place) == (_STATES[trigger.always], _normal(definition)):
            continue
        cursor.execute(functions.written(trigger.statement, schema))
        if trigger.always:
            # An ordinary trigger is silent where session_replication_role is replica.
            cursor.execute(f'ALTER TABLE "{trigger.table}" ENABLE ALWAYS TRIGGER "{trigger.name}"')


def _existing(cursor: Any, prefix: str) -> dict[tuple[str, str], tuple[str, str]]:
    """Return the triggers that are there: when they act, and their definitions."""
    cursor.execute(
        "SELECT class.relname, tg.tgname, tg.tgenabled, pg_get_triggerdef(tg.oid, true) "
        "FROM pg_depend JOIN pg_class AS class ON class.oid = objid "
        "JOIN pg_trigger AS tg ON tg.tgrelid = class.oid "
        "WHERE refclassid = 'pg_namespace'::regclass AND refobjid = current_schema()::regnamespace "
        "AND classid = 'pg_class'::regclass AND NOT tg.tgisinternal AND starts_with(tg.tgname, %s)",
        (prefix,),
    )
    return {
        (table, name): (enabled, _normal(_without_table(definition, name)))
        for table, name, enabled, definition in cursor.fetchall()
    }


def _without_table(definition: str, name: str) -> str:
    after_name = definition.partition(f"CREATE TRIGGER {name} ")[2]
    event, _, rest = after_name.partition(" ON ")
    return f"{event} ON {rest.partition(' ')[2]}"


def _normal(definition: str) -> str:
    """Return a definition without what PostgreSQL writes in its own way: quotes, order, brackets."""
    text = definition.replace('"', "").replace("((", "(").replace("))", ")").replace("AS ", "")
    event, _, rest = text.partition(" ON ")
    moment, _, events = event.partition(" ")
    return f"{moment} {sorted(events.split(' OR '))} {' '.join(rest.split())}".lower()
