"""Which tables come, in which order, and the query that says what their rows become.

Compiled from the models and from the rules that their rooms have said (tenants.joining). The query reads a
loaded copy of the schema that the rows come from, on the same server as the one that they come to.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from string import Template
from typing import Any

from django.contrib.auth import get_user_model
from django.db.models import CASCADE, SET_NULL, AutoField, Field, Model

from audit.checks import tenant_models
from audit.labels import kind_of_label
from tenants.explicit_ids import content_type_id
from tenants.joining import Rule, has_rule, rule_of
from tenants.names import checked_schema_name

_OF_ANY_KIND = ("object_pk", "content_type_id")  # columns of a grant on something of any kind


@dataclass(frozen=True, slots=True)
class Place:
    """Where rows come from: the loaded copy `staged`, and the moment at which they began to come.

    Where some were `picked`, these come with all that belongs to them (enclave.joined_pick), and nothing
    else.
    """

    staged: str
    moment: datetime
    picked: bool = False

    def __post_init__(self) -> None:
        checked_schema_name(self.staged)

    def fill(self, expression: str) -> str:
        """Return an expression of a rule with its words filled in."""
        return Template(expression).substitute(
            staged=self.staged, moment=f"'{self.moment.isoformat()}'::timestamptz", person=person_type()
        )


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """One table whose rows come."""

    model: type[Model]
    rule: Rule

    @property
    def name(self) -> str:
        """Return the name of the table."""
        return str(self.model._meta.db_table)

    @property
    def type_id(self) -> int:
        """Return the number of the content type of its rows."""
        return type_of(self.model)

    @property
    def key(self) -> str:
        """Return the column of the primary key."""
        return str(self.model._meta.pk.column)

    @property
    def is_numbered(self) -> bool:
        """Return whether its keys are numbers, which are others here."""
        return isinstance(self.model._meta.pk, AutoField)

    @property
    def columns(self) -> list[str]:
        """Return the columns of the table."""
        return [str(field.column) for field in self.model._meta.local_concrete_fields]

    @property
    def said(self) -> str:
        """Return what people call many of its rows."""
        return kind_of_label(str(self.model._meta.label_lower), many=True)


def of_row(expression: str, row: str) -> str:
    """Return an expression over `r` as one over another row."""
    return re.sub(r"\br\.", f"{row}.", expression)


def type_of(model: type[Model]) -> int:
    """Return the number of a model's content type, which is the same in every organisation."""
    return content_type_id(model._meta.app_label, str(model._meta.model_name))


def person_type() -> int:
    """Return the number of the content type of people."""
    return type_of(get_user_model())


@cache
def tables() -> tuple[Table, ...]:
    """Return the tables whose rows come, parents before what belongs to them; doors are opened at the end."""
    coming = {model: Table(model, rule_of(model)) for model in tenant_models() if not rule_of(model).because}
    ordered: list[Table] = []
    seen: set[type[Model]] = set()

    def visit(model: type[Model]) -> None:
        if model in seen or model not in coming:
            return
        seen.add(model)
        for _, parent in parents(model):
            visit(parent)
        ordered.append(coming[model])

    for model in sorted(coming, key=lambda one: one._meta.db_table):
        visit(model)
    return tuple(sorted(ordered, key=lambda table: table.rule.last))


def parents(model: type[Model]) -> Iterator[tuple[Field[Any, Any], type[Model]]]:
    """Yield the keys of a model to other models."""
    for field in model._meta.local_concrete_fields:
        if field.remote_field is not None and field.remote_field.model is not model:
            yield field, field.remote_field.model


def on_delete_of(key: Field[Any, Any]) -> object:
    """Return what becomes of a row when the one that its key leads to goes."""
    leads: Any = key.remote_field
    return leads.on_delete


def problems() -> Iterator[str]:
    """Yield what no rule says, or says wrongly, about models of the tenant plane."""
    for model in tenant_models():
        if not has_rule(model):
            yield f"Nobody has said what becomes of {model._meta.label} when organisations are joined."
            continue
        rule = rule_of(model)
        if rule.because:
            continue
        columns = {field.column for field in model._meta.local_concrete_fields}
        unknown = {*rule.put, *rule.put_when_picked, *rule.people, *rule.names} - columns
        if unknown:
            yield f"The rule of {model._meta.label} names {sorted(unknown)}, which it does not have."
        for key, parent in parents(model):
            stays = has_rule(parent) and rule_of(parent).because and not _is_everywhere(parent)
            if stays and key.column not in rule.put:
                yield f"{model._meta.label} comes, and its {key.name} stays: say what it becomes."


def _is_everywhere(model: type[Model]) -> bool:
    return str(model._meta.label) in ("contenttypes.ContentType", "auth.Permission")


def rows_of(table: Table, place: Place) -> str:
    """Return the query of what the rows of a table become: its columns, in order."""
    said = ", ".join(f'{_becomes(table, field, place)} AS "{field.column}"' for field in _fields(table))
    return f'SELECT {said} FROM {place.staged}."{table.name}" AS r WHERE {coming(table, place)}'


def coming(table: Table, place: Place) -> str:
    """Return the condition of the rows `r` that come."""
    conditions = [condition for condition in (_comes(table, place, "r"), _is_new(table, place)) if condition]
    return " AND ".join(conditions) or "true"


def _fields(table: Table) -> list[Field[Any, Any]]:
    return list(table.model._meta.local_concrete_fields)


def _is_new(table: Table, place: Place) -> str:
    """Return the condition of rows that are not one here already."""
    parts = []
    if table.rule.same:
        parts.append(_not_here(place, table.type_id, f'r."{table.key}"'))
    if table.rule.newcomer:
        person: Any = table.model._meta.get_field(table.rule.newcomer)
        parts.append(_not_here(place, person_type(), f'r."{person.column}"'))
    return " AND ".join(parts)


def _not_here(place: Place, type_id: int, key: str) -> str:
    return (
        f"NOT EXISTS (SELECT FROM enclave.joined_key k WHERE k.staged = '{place.staged}' "
        f"AND k.type_id = {type_id} AND k.old = {key}::text AND k.was_here)"
    )


def _comes(table: Table, place: Place, row: str, depth: int = 0) -> str:
    """Return the condition of rows that come with all that they belong to; "" where all do."""
    parts = [f"({place.fill(table.rule.only)})"] if table.rule.only else []
    above = [(key, one) for key, parent in owners(table.model) for one in tables_of(parent)]
    if place.picked and (not above or _OF_ANY_KIND[0] in table.columns):
        parts.append(_is_picked(table, place, with_names=row == "r"))
    if row != "r":
        parts = [of_row(part, row) for part in parts]
    for key, one in above:
        parent, inner = one.model, f"p{depth}"
        condition = _comes(one, place, inner, depth + 1)
        if condition:
            parts.append(
                f'EXISTS (SELECT FROM {place.staged}."{parent._meta.db_table}" AS {inner} '
                f'WHERE {inner}."{parent._meta.pk.column}" = {row}."{key.column}" AND {condition})'
            )
    return " AND ".join(parts)


def owners(model: type[Model]) -> Iterator[tuple[Field[Any, Any], type[Model]]]:
    """Yield the keys of a model to what its rows belong to."""
    return ((key, parent) for key, parent in parents(model) if on_delete_of(key) is CASCADE)


def picked(place: Place, type_id: object, key: str, *, with_names: bool = False) -> str:
    """Return the condition that something was picked; `with_names`: or comes by name only."""
    named = "" if with_names else " AND k.how <> 'named'"
    return (
        f"EXISTS (SELECT FROM enclave.joined_pick k WHERE k.staged = '{place.staged}' "
        f"AND k.type_id = {type_id} AND k.key = {key}::text{named})"
    )


def _is_picked(table: Table, place: Place, *, with_names: bool) -> str:
    if _OF_ANY_KIND[0] in table.columns:
        return picked(place, f"r.{_OF_ANY_KIND[1]}", f"r.{_OF_ANY_KIND[0]}")
    return picked(place, table.type_id, f'r."{table.key}"', with_names=with_names)


def tables_of(model: type[Model]) -> Iterator[Table]:
    """Yield the table of a model if its rows come."""
    if has_rule(model) and not rule_of(model).because:
        yield Table(model, rule_of(model))


def _becomes(table: Table, field: Field[Any, Any], place: Place) -> str:
    column, rule = str(field.column), table.rule
    row = f'r."{column}"'
    if column in rule.put:
        return place.fill(rule.put[column])
    if place.picked and column in rule.put_when_picked:
        return place.fill(rule.put_when_picked[column])
    if place.picked and (table.type_id, column) == (person_type(), "is_active"):
        return f"({row} AND {picked(place, table.type_id, 'r.id')})"
    if field.primary_key:
        return _number(place, table.type_id, row) if table.is_numbered else row
    if column in rule.people:
        return _key(place, person_type(), row)
    if field.remote_field is not None:
        return _reference(field, place, row)
    if column in rule.names:
        written = f"'{place.staged}', {table.type_id}, r.\"{table.key}\"::text, '{column}', {row}"
        return f"enclave.joined_name({written})"
    if column == _OF_ANY_KIND[0] and _OF_ANY_KIND[1] in table.columns:
        return f"enclave.joined('{place.staged}', r.{_OF_ANY_KIND[1]}, {row})"
    return row


def _reference(field: Field[Any, Any], place: Place, row: str) -> str:
    leads: Any = field.remote_field
    for parent in tables_of(leads.model):
        if parent.is_numbered:
            return _number(place, parent.type_id, row)
        if parent.rule.same:
            there = _key(place, parent.type_id, row)
            if place.picked and leads.on_delete is SET_NULL:
                return f"CASE WHEN {picked(place, parent.type_id, row, with_names=True)} THEN {there} END"
            return there
    return row


def _key(place: Place, type_id: int, row: str) -> str:
    return f"enclave.joined('{place.staged}', {type_id}, {row}::text)::uuid"


def _number(place: Place, type_id: int, row: str) -> str:
    return f"enclave.joined_number('{place.staged}', {type_id}, {row}::text)::integer"
