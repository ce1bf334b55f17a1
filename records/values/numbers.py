"""Whole numbers, decimals and money: from what people type to exact numbers."""

import re
from decimal import Decimal

from records.values.codec import number_text
from records.values.spec import FieldSpec
from records.values.wrong import Wrong

LEAST, MOST = -(2**63), 2**63 - 1
DIGITS_BEFORE, DIGITS_AFTER = 20, 18
MONEY_BEFORE = 15
LONGEST = 80  # characters; keeps Decimal away from hostile lengths

_SPACES = "\u0020\u00a0\u202f\u2009"
_SYMBOLS = {
    "EUR": "€",
    "GBP": "£",
    "JPY": "¥",
    "USD": "$",
    "AUD": "$",
    "CAD": "$",
    "INR": "₹",
}


def _grouped(mark: str) -> re.Pattern[str]:
    comma = "," if mark == "." else r"\."
    return re.compile(
        rf"(?P<sign>[+-]?)(?P<head>\d{{1,3}}(?:(?P<sep>[{comma}'’{_SPACES}])\d{{3}}(?:(?P=sep)\d{{3}})*))"
        rf"(?:[{re.escape(mark)}](?P<tail>\d+))?",
        re.ASCII,
    )


_PLAIN = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,2})?", re.ASCII)
_GROUPED = {".": _grouped("."), ",": _grouped(",")}


def _read(text: str, mark: str) -> Decimal | None:
    """Return the number a text stands for, or None. Thousands may be grouped; `mark` is the decimal mark."""
    text = text.strip().replace("\u2212", "-")
    if len(text) > LONGEST:
        return None
    plain = text if mark == "." else text.replace(",", ".") if "." not in text else ""
    if _PLAIN.fullmatch(plain):
        return Decimal(plain)
    found = _GROUPED[mark].fullmatch(text)
    if found is None:
        return None
    head = re.sub(r"\D", "", found["head"])
    return Decimal(f"{found['sign']}{head}.{found['tail'] or '0'}")


def number(value: object, mark: str = ".") -> Decimal | None:
    """Return the number in a cell, a form or JSON; None if it is not one. Floats are taken as written."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return Decimal(value) if LEAST * 100 < value < MOST * 100 else Decimal(MOST) * 100
    if isinstance(value, Decimal):
        return value if value.is_finite() and abs(value.adjusted()) < 100 else None
    if isinstance(value, float):
        return _read(repr(value), ".")
    return _read(value, mark) if isinstance(value, str) else None


def integer(value: object, spec: FieldSpec) -> int:
    """Return a whole number of at most 64 bits. Raises Wrong."""
    found = number(value, spec.option("decimal_mark", "."))
    if found is None or found != found.to_integral_value():
        raise Wrong("Use a whole number such as 42.")
    if not LEAST <= found <= MOST:
        raise Wrong("This number is too large: use at most 18 digits.")
    return int(found)


def _bounded(found: Decimal, before: int, after: int) -> Decimal:
    text = number_text(found)
    head, _, tail = text.lstrip("-").partition(".")
    if len(head) > before:
        raise Wrong(f"This number is too large: use at most {before} digits before the point.")
    if len(tail) > after:
        if after == 0:
            raise Wrong("Use a whole amount, without digits after the point.")
        raise Wrong(f"Use at most {after} digits after the point.")
    return Decimal(text)


def decimal(value: object, spec: FieldSpec) -> Decimal:
    """Return an exact number of at most 20 digits before and 18 after the point. Raises Wrong."""
    found = number(value, spec.option("decimal_mark", "."))
    if found is None:
        raise Wrong("Use a number such as 12.5.")
    return _bounded(found, DIGITS_BEFORE, DIGITS_AFTER)


def money(value: object, spec: FieldSpec) -> Decimal:
    """Return an exact amount in the field's currency, whose sign or code may be there too. Raises Wrong."""
    currency = spec.option("currency", "")
    if isinstance(value, str):
        value = _without_currency(value.strip(), currency)
    found = number(value, spec.option("decimal_mark", "."))
    if found is None:
        raise Wrong(f"Use an amount{f' in {currency}' if currency else ''} such as 12.50.")
    return _bounded(found, MONEY_BEFORE, spec.places)


def _without_currency(text: str, currency: str) -> str:
    sign = text[:1] if text[:1] in ("-", "+") else ""
    body = text[len(sign) :]
    for mark in filter(None, (currency, _SYMBOLS.get(currency, ""))):
        if body.upper().startswith(mark):
            return sign + body[len(mark) :].strip()
        if body.upper().endswith(mark):
            return sign + body[: -len(mark)].strip()
    return text
