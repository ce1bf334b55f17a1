"""Conditions of filters: which a type of field knows, and what they are called."""

from collections.abc import Mapping
from enum import StrEnum

from records.values import FieldType


class Op(StrEnum):
    """The conditions. Their codes stand in addresses and saved views, so they never change."""

    IS = "is"
    IS_NOT = "not"
    CONTAINS = "has"
    STARTS = "starts"
    OVER = "over"
    UNDER = "under"
    BETWEEN = "between"
    BEFORE = "before"
    AFTER = "after"
    EMPTY = "empty"
    FILLED = "filled"
    ANY = "any"

    @property
    def label(self) -> str:
        """Return the words between the field and the value."""
        return _LABELS[self]

    @property
    def takes(self) -> int:
        """Return how many values it takes: 0, 1, 2, or -1 for one or more."""
        return {Op.EMPTY: 0, Op.FILLED: 0, Op.BETWEEN: 2, Op.ANY: -1}.get(self, 1)


_LABELS = {
    Op.IS: "is",
    Op.IS_NOT: "is not",
    Op.CONTAINS: "contains",
    Op.STARTS: "starts with",
    Op.OVER: "over",
    Op.UNDER: "under",
    Op.BETWEEN: "between",
    Op.BEFORE: "before",
    Op.AFTER: "after",
    Op.EMPTY: "is empty",
    Op.FILLED: "is not empty",
    Op.ANY: "is any of",
}

_PRESENCE = (Op.EMPTY, Op.FILLED)
_TEXT = (Op.IS, Op.IS_NOT, Op.CONTAINS, Op.STARTS, Op.ANY, *_PRESENCE)
_NUMBER = (Op.IS, Op.IS_NOT, Op.OVER, Op.UNDER, Op.BETWEEN, Op.ANY, *_PRESENCE)
_MOMENT = (Op.IS, Op.IS_NOT, Op.BEFORE, Op.AFTER, Op.BETWEEN, *_PRESENCE)
_ONE_OF = (Op.IS, Op.IS_NOT, Op.ANY, *_PRESENCE)

OPERATORS: Mapping[FieldType, tuple[Op, ...]] = {
    FieldType.TEXT: _TEXT,
    FieldType.LONG_TEXT: (Op.CONTAINS, Op.STARTS, *_PRESENCE),
    FieldType.INTEGER: _NUMBER,
    FieldType.DECIMAL: _NUMBER,
    FieldType.MONEY: _NUMBER,
    FieldType.YES_NO: (Op.IS, Op.IS_NOT, *_PRESENCE),
    FieldType.DATE: _MOMENT,
    FieldType.TIME: _MOMENT,
    FieldType.DATETIME: _MOMENT,
    FieldType.CHOICE: _ONE_OF,
    FieldType.CHOICES: (Op.CONTAINS, Op.ANY, *_PRESENCE),
    FieldType.EMAIL: _TEXT,
    FieldType.LINK: _TEXT,
    FieldType.PERSON: _ONE_OF,
    FieldType.RECORD: _ONE_OF,
    FieldType.FILE: _PRESENCE,
}

TEXT_LIKE = frozenset({FieldType.TEXT, FieldType.LONG_TEXT, FieldType.EMAIL, FieldType.LINK})
# Ids and lists have no order that a person would recognise.
UNSORTED = frozenset({FieldType.CHOICES, FieldType.PERSON, FieldType.RECORD, FieldType.FILE})
