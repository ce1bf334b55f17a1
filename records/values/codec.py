"""JSON in and out without losing a digit: decimals stay decimals, never floats."""

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import orjson


def _exact(value: object) -> orjson.Fragment:
    if isinstance(value, Decimal):
        return orjson.Fragment(number_text(value))
    raise TypeError(f"{type(value).__name__} is not a kept value")


def number_text(value: Decimal) -> str:
    """Return the one way a number is written: no exponent, no trailing zeros, no minus zero."""
    text = format(value, "f")
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text in ("-0", "") else text


def dumps(value: object) -> bytes:
    """Return the canonical JSON of a value or of a whole object of values."""
    return orjson.dumps(value, default=_exact)


def loads(document: bytes | str) -> Any:  # JSON has no narrower type
    """Read JSON, keeping fractions exact: they become Decimal."""
    return json.loads(document, parse_float=Decimal)


class ExactEncoder(json.JSONEncoder):
    """For a JSONField: writes decimals as JSON numbers."""

    def encode(self, o: object) -> str:
        """Return the canonical JSON as text."""
        return dumps(dict(o) if isinstance(o, Mapping) else o).decode()


class ExactDecoder(json.JSONDecoder):
    """For a JSONField: reads fractions as Decimal."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{**options, "parse_float": Decimal})
