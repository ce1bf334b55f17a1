"""The expressions that lists compare and sort by, and that the indexes `ux_…` are made on.

One expression for each kind of value, here and nowhere else: PostgreSQL uses an index only if the
query says exactly what the index says. All is built from Django's expressions; values are always
parameters, keys of fields are checked by FieldSpec before they come here.
"""

from typing import Any

from django.db.models import BooleanField, F, Func, JSONField, TextField, UUIDField, Value
from django.db.models.functions import Collate, Left, Lower

from records.values import ExactDecoder, ExactEncoder

# Text is compared by its first so many characters: an entry of a B-tree holds 2,704 bytes.
COMPARED = 200
EXACT = JSONField(encoder=ExactEncoder, decoder=ExactDecoder)


class JsonValue(Func):
    """`values -> 'key'`: a value as JSON; NULL where it is absent."""

    template = "(%(expressions)s)"
    arg_joiner = " -> "
    output_field = EXACT


class JsonText(Func):
    """`values ->> 'key'`: a value as text; NULL where it is absent."""

    template = "(%(expressions)s)"
    arg_joiner = " ->> "
    output_field = TextField()


def json_value(key: str, *, column: str = "values") -> JsonValue:
    """Return the value of a field as JSON: what all types but texts are compared by."""
    return JsonValue(F(column), Value(key))


def json_text(key: str, *, column: str = "values") -> JsonText:
    """Return the value of a field as text."""
    return JsonText(F(column), Value(key))


def compared_text(text: Any) -> Collate:
    """Return what texts are compared by: their beginning, in lower case, in the order of code points.

    The collation is named so that the order is the same on every server, for ever.
    """
    return Collate(Lower(Left(text, COMPARED)), "C")


class Compare(Func):
    """`(left <operator> right)` as a condition."""

    template = "(%(expressions)s)"
    output_field = BooleanField()
    _KNOWN = frozenset({"=", "<>", "<", "<=", ">", ">=", "LIKE", "@>", "@@", "IS DISTINCT FROM"})

    def __init__(self, left: Any, operator: str, right: Any) -> None:
        if operator not in self._KNOWN:
            raise ValueError(f"{operator!r} is not an operator of lists")
        super().__init__(left, right, arg_joiner=f" {operator} ")


class IsNull(Func):
    """`(expression IS NULL)` as a condition that an index of the expression serves."""

    template = "(%(expressions)s IS NULL)"
    output_field = BooleanField()


class IsNotNull(Func):
    """`(expression IS NOT NULL)` as a condition."""

    template = "(%(expressions)s IS NOT NULL)"
    output_field = BooleanField()


class Pair(Func):
    """`ROW(a, b)`: a place in a list, compared as one."""

    template = "ROW(%(expressions)s)"
    output_field = TextField()  # never selected


class Fenced(Func):
    """`ARRAY[expression]`: orders as the expression does, but not by walking its index.

    The planner never believes that the beginning of a word is rare, and would rather walk the list until
    it met enough rows; for a rare word that is the whole list.
    """

    template = "ARRAY[%(expressions)s]"
    output_field = TextField()  # never selected


class Lexemes(Func):
    """What the search looks through: every text and number of a record."""

    template = "jsonb_to_tsvector('simple'::regconfig, %(expressions)s, '[\"string\", \"numeric\"]'::jsonb)"
    output_field = TextField()


class Without(Func):
    """`values - '{a,b}'::text[]`: the values without some fields."""

    template = "(%(expressions)s::text[])"
    arg_joiner = " - "
    output_field = EXACT


class Word(Func):
    """A word of a question: as the parser reads it, or as it stands.

    Addresses are kept whole by the parser, but only when they are complete.
    """

    template = "(to_tsquery('simple'::regconfig, %(expressions)s::tsquery)"
    arg_joiner = ") || "
    output_field = TextField()


class Words(Func):
    """A question of the search: all of its words."""

    template = "(%(expressions)s)"
    arg_joiner = " && "
    output_field = TextField()


def json_literal(value: Any) -> Value:
    """Return a canonical value as a parameter of type jsonb."""
    return Value(value, output_field=EXACT)


def uuid_literal(value: Any) -> Value:
    """Return a UUID as a parameter."""
    return Value(value, output_field=UUIDField())


def text_literal(value: str) -> Collate:
    """Return what a person typed, ready to be compared with `compared_text`."""
    return compared_text(Value(value, output_field=TextField()))


def plain_text(value: str) -> Value:
    """Return a text as it is."""
    return Value(value, output_field=TextField())


def lowered(value: str) -> Lower:
    """Return what a person typed in lower case, by the database's rules."""
    return Lower(plain_text(value))


def pattern(value: str, *, inside: bool) -> Lower:
    """Return a pattern for LIKE that finds `value` at the beginning, or anywhere inside."""
    safe = value.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return Lower(Value(f"%{safe}%" if inside else f"{safe}%", output_field=TextField()))
