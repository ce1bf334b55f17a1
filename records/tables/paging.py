"""Pages by keyset: a page begins after a row, not after a number of rows.

The cursor is the place of a row: the value it is sorted by, and its key. Rows without a value stand
last either way; they are a stretch of their own, so that each stretch follows an index exactly.
"""

import base64
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db.models import F, Model, OrderBy, Q, QuerySet, Value

from records.tables import expressions as sql
from records.tables.columns import Column, to_canonical
from records.tables.refusals import BadQuery
from records.values import Canonical
from records.values.codec import dumps, loads

LONGEST_CURSOR = 4000
VALUED, EMPTY = "v", "n"
_STALE = "This place in the list is not known any more. Go back to its beginning."
_AT = "_sorted_by"


@dataclass(frozen=True, slots=True)
class Place:
    """The place of a row in a list: stretch, the value sorted by, and key."""

    stretch: str
    value: Canonical | None
    key: str

    def encode(self, seal: str) -> str:
        """Return the cursor. `seal` names the list and its order."""
        body = dumps([seal, self.stretch, self.value, self.key])
        return base64.urlsafe_b64encode(body).rstrip(b"=").decode()

    @classmethod
    def decode(cls, cursor: str, seal: str) -> "Place":
        """Read a cursor. Raises BadQuery for anything but a cursor of this list in this order."""
        try:
            if len(cursor) > LONGEST_CURSOR:
                raise ValueError("too long")
            body = base64.urlsafe_b64decode(cursor.encode("ascii") + b"=" * (-len(cursor) % 4))
            kept, stretch, value, key = loads(body)
            ok = kept == seal and stretch in (VALUED, EMPTY) and isinstance(key, str) and len(key) <= 40
            if not ok or isinstance(value, list | dict) or "\x00" in f"{value}{key}":
                raise ValueError("not of this list")
        except (ValueError, TypeError, json.JSONDecodeError):
            raise BadQuery(_STALE) from None
        return cls(stretch, value, key)


@dataclass(frozen=True, slots=True)
class Order:
    """How a list is ordered: by a column and the key of its rows, or by the key alone (`column` None).

    `fenced`: the rows are found by an index of another kind (search) and sorted afterwards.
    """

    table: str
    column: Column | None
    descending: bool
    fenced: bool = False

    @property
    def seal(self) -> str:
        """A short name of the list and its order; a cursor of another one is refused."""
        by = self.column.key if self.column else ""
        kind = self.column.type.value if self.column else ""
        text = "\x1f".join((self.table, by, kind, "-" if self.descending else "+"))
        return hashlib.sha256(text.encode()).hexdigest()[:8]

    @property
    def stretches(self) -> tuple[str, ...]:
        """The stretches of the list in order."""
        return (VALUED, EMPTY) if self.column else (VALUED,)


@dataclass(frozen=True, slots=True)
class Slice:
    """Rows of one page, with the cursors of the pages around it; None where there is none."""

    rows: list[Model]
    following: str | None
    preceding: str | None


def fetch(rows: "QuerySet[Any]", order: Order, *, after: str = "", before: str = "", size: int) -> Slice:
    """Return the page of `rows` after or before a cursor: one query, or two where empty values begin.

    Raises BadQuery for a cursor that is none.
    """
    backward = bool(before) and not after
    cursor = after or before
    place = Place.decode(cursor, order.seal) if cursor else None
    found = _walk(rows, order, place, backward=backward, limit=size + 1)
    more, found = len(found) > size, found[:size]
    if backward:
        found.reverse()
    if not found:
        return Slice([], None, None)
    ahead, behind = (place is not None, more) if backward else (more, place is not None)
    return Slice(
        rows=found,
        following=_place_of(found[-1], order).encode(order.seal) if ahead else None,
        preceding=_place_of(found[0], order).encode(order.seal) if behind else None,
    )


def _walk(
    rows: "QuerySet[Any]", order: Order, place: Place | None, *, backward: bool, limit: int
) -> list[Model]:
    stretches: Sequence[str] = order.stretches[::-1] if backward else order.stretches
    if place is not None:
        if place.stretch not in stretches:
            raise BadQuery(_STALE)
        stretches = stretches[stretches.index(place.stretch) :]
    down = order.descending != backward
    found: list[Model] = []
    for stretch in stretches:
        part = _stretch(rows, order, stretch, down=down)
        if place is not None and place.stretch == stretch:
            part = part.filter(_beyond(rows, order, place, down=down))
        found.extend(part[: limit - len(found)])
        if len(found) >= limit:
            break
    return found


def _stretch(rows: "QuerySet[Any]", order: Order, stretch: str, *, down: bool) -> "QuerySet[Any]":
    # Empty values are ordered by their (empty) value too: this is how the index has them.
    if order.column is None:
        return rows.order_by(_by(_key(), order, down=down))
    value = order.column.place.order()
    empty = sql.IsNull(value) if stretch == EMPTY else sql.IsNotNull(value)
    by = (_by(value, order, down=down), _by(_key(), order, down=down))
    found: QuerySet[Any] = rows.filter(Q(empty)).annotate(**{_AT: value}).order_by(*by)
    return found


def _by(expression: Any, order: Order, *, down: bool) -> OrderBy:
    return OrderBy(sql.Fenced(expression) if order.fenced else expression, descending=down)


def _beyond(rows: "QuerySet[Any]", order: Order, place: Place, *, down: bool) -> Q:
    sign = "<" if down else ">"
    key = _key_literal(rows, place.key)
    if order.column is None or place.stretch == EMPTY:
        return Q(sql.Compare(_key(), sign, key))
    if place.value is None:
        raise BadQuery(_STALE)
    column = order.column.place
    try:
        mark = column.mark(place.value)
    except ValueError:
        raise BadQuery(_STALE) from None
    return Q(sql.Compare(sql.Pair(column.order(), _key()), sign, sql.Pair(mark, key)))


def _key() -> Any:
    return F("pk")


def _key_literal(rows: "QuerySet[Any]", text: str) -> Any:
    key = rows.model._meta.pk
    try:
        native = UUID(text) if key.get_internal_type() == "UUIDField" else key.to_python(text)
    except (ValueError, TypeError, ValidationError):
        raise BadQuery(_STALE) from None
    return Value(native, output_field=key)


def _place_of(row: Model, order: Order) -> Place:
    if order.column is None:
        return Place(VALUED, None, str(row.pk))
    value = to_canonical(order.column.type, getattr(row, _AT))
    return Place(EMPTY if value is None else VALUED, value, str(row.pk))
