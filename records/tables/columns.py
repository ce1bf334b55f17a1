"""Columns: a field as lists know it, whether it lives in JSON or in a column of the database."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any, Protocol
from uuid import UUID

from django.db.models import F, TextField, Value
from django.db.models.functions import Cast, NullIf

from records.tables import expressions as sql
from records.tables.operators import OPERATORS, TEXT_LIKE, UNSORTED, Op
from records.values import Canonical, FieldSpec, FieldType

CREATED, CREATED_BY, UPDATED, UPDATED_BY = "created", "created_by", "updated", "updated_by"


class Place(Protocol):
    """Where the values of a column are, as expressions."""

    def order(self) -> Any:
        """What rows are compared and sorted by; NULL where there is no value."""

    def text(self) -> Any:
        """The whole value as text."""

    def literal(self, value: Canonical) -> Any:
        """What a person typed as a parameter, comparable with `order`."""

    def mark(self, value: Canonical) -> Any:
        """What `order` answered for a row, as a parameter."""

    def members(self, code: str) -> Any:
        """A condition: the value, a list, has this code."""


@dataclass(frozen=True, slots=True)
class JsonPlace:
    """A designed field: a key in the JSON column `values`."""

    key: str
    is_text: bool

    def order(self) -> Any:
        return sql.compared_text(self.text()) if self.is_text else sql.json_value(self.key)

    def text(self) -> Any:
        return sql.json_text(self.key)

    def literal(self, value: Canonical) -> Any:
        return sql.text_literal(str(value)) if self.is_text else sql.json_literal(value)

    def mark(self, value: Canonical) -> Any:
        return sql.plain_text(str(value)) if self.is_text else sql.json_literal(value)

    def members(self, code: str) -> Any:
        return sql.Compare(sql.json_value(self.key), "@>", sql.json_literal([code]))


@dataclass(frozen=True, slots=True)
class ModelPlace:
    """A field of a Django model. Empty text counts as no value."""

    name: str
    model_field: Any
    type: FieldType

    def order(self) -> Any:
        if self.type in TEXT_LIKE:
            return NullIf(
                sql.compared_text(F(self.name)), Value("", output_field=TextField()), output_field=TextField()
            )
        if self.type is FieldType.CHOICE:
            return NullIf(
                Cast(F(self.name), TextField()), Value("", output_field=TextField()), output_field=TextField()
            )
        return F(self.name)

    def text(self) -> Any:
        return F(self.name)

    def literal(self, value: Canonical) -> Any:
        if self.type in TEXT_LIKE:
            return sql.text_literal(str(value))
        if self.type is FieldType.CHOICE:
            return Value(str(value), output_field=TextField())
        native = to_python(self.type, value)
        return Value(native, output_field=self.model_field)

    def mark(self, value: Canonical) -> Any:
        return sql.plain_text(str(value)) if self.type in TEXT_LIKE else self.literal(value)

    def members(self, code: str) -> Any:
        raise NotImplementedError(f"{self.name} holds one value")


def served() -> str:
    """Say that an index serves a column."""
    return ""


def unserved() -> str:
    """Say that no index serves a column."""
    return "none"


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a table.

    `spec` says name, type and choices; `state` is asked for the `status` when somebody wants to know it.
    `system` columns (made, changed, by whom) are not part of the design.
    """

    spec: FieldSpec
    place: Place
    state: Callable[[], str] = unserved
    system: bool = False
    sortable: bool = True

    @property
    def status(self) -> str:
        """Empty where an index serves it, else "none", "preparing" or "failed"."""
        return self.state()

    @property
    def key(self) -> str:
        """The key in addresses."""
        return self.spec.key

    @property
    def name(self) -> str:
        """The heading."""
        return self.spec.name

    @property
    def type(self) -> FieldType:
        """The type of its values."""
        return self.spec.type

    @property
    def operators(self) -> tuple[Op, ...]:
        """The conditions a filter may use."""
        return OPERATORS[self.spec.type]

    @property
    def is_numeric(self) -> bool:
        """Whether values stand right."""
        return self.spec.type.is_number

    def ready(self) -> "Column":
        """Return the column as one that an index serves."""
        return replace(self, state=served)


def json_column(spec: FieldSpec, *, state: Callable[[], str] = unserved) -> Column:
    """Return the column of a designed field."""
    return Column(
        spec=spec,
        place=JsonPlace(spec.key, spec.type in TEXT_LIKE),
        state=state,
        sortable=spec.type not in UNSORTED and spec.type is not FieldType.LONG_TEXT,
    )


def to_python(kind: FieldType, value: Canonical) -> Any:
    """Return a canonical value as Python and Django's columns have it (dates, moments, UUIDs)."""
    if kind is FieldType.DATE:
        return date.fromisoformat(str(value))
    if kind is FieldType.TIME:
        return time.fromisoformat(str(value))
    if kind is FieldType.DATETIME:
        return datetime.fromisoformat(str(value)).astimezone(UTC)
    if kind.is_reference:
        try:
            return UUID(str(value))
        except ValueError:
            return str(value)
    return value


def to_canonical(kind: FieldType, value: Any) -> Canonical | None:
    """Return what a Django column holds as the canonical value; None for empty."""
    if value is None or value == "":
        return None
    if isinstance(value, bool | int | Decimal | list):
        return value
    if isinstance(value, datetime):
        return value.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, float):
        return Decimal(repr(value))
    return str(value)


Columns = Mapping[str, Column]
