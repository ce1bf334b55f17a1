"""Kept values as people read them in lists."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, tzinfo
from decimal import Decimal
from types import MappingProxyType

from records.values.codec import number_text
from records.values.spec import FieldSpec, FieldType

NO_LABELS: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Locale:
    """How one organisation writes numbers, dates and yes."""

    decimal_mark: str = "."
    group_mark: str = ","
    date_pattern: str = "%Y-%m-%d"
    time_pattern: str = "%H:%M"
    yes: str = "Yes"
    no: str = "No"


PLAIN = Locale()
# As cells show days.
SPOKEN = Locale(date_pattern="%-d %b %Y")


def display(
    spec: FieldSpec,
    value: object,
    *,
    zone: tzinfo = UTC,
    locale: Locale = PLAIN,
    labels: Mapping[str, str] = NO_LABELS,
) -> str:
    """Return the text for a list. `labels` names people, records and files by id; unknown ids show nothing.

    A value that no longer fits its field (the design changed) is shown as it is kept.
    """
    if value is None:
        return ""
    if spec.type.is_reference:
        return labels.get(str(value), "")
    if isinstance(value, bool):
        return locale.yes if value else locale.no
    if spec.type.is_number and isinstance(value, int | Decimal | float):
        return _number(spec, Decimal(str(value)), locale)
    if spec.type in (FieldType.CHOICE, FieldType.CHOICES):
        known = {choice.code: choice.label for choice in spec.choices}
        codes = value if isinstance(value, list) else [value]
        return ", ".join(known.get(str(code), str(code)) for code in codes)
    if isinstance(value, str) and spec.type in (
        FieldType.DATE,
        FieldType.TIME,
        FieldType.DATETIME,
    ):
        return _moment(spec.type, value, zone, locale)
    return str(value)


def _number(spec: FieldSpec, value: Decimal, locale: Locale) -> str:
    head, _, tail = number_text(value).partition(".")
    sign, digits = ("-", head[1:]) if head.startswith("-") else ("", head)
    if spec.type is FieldType.MONEY:
        tail = tail.ljust(spec.places, "0")
    # Whole numbers stay ungrouped: many are years, numbers of flights or of houses.
    grouped = digits if spec.type is FieldType.INTEGER else f"{int(digits):,}".replace(",", locale.group_mark)
    text = f"{sign}{grouped}{locale.decimal_mark + tail if tail else ''}"
    currency = spec.option("currency", "")
    return f"{text} {currency}" if spec.type is FieldType.MONEY and currency else text


def _moment(kind: FieldType, value: str, zone: tzinfo, locale: Locale) -> str:
    try:
        if kind is FieldType.DATE:
            return date.fromisoformat(value).strftime(locale.date_pattern)
        if kind is FieldType.TIME:
            return datetime.fromisoformat(f"2000-01-01T{value}").strftime(locale.time_pattern)
        there = datetime.fromisoformat(value).astimezone(zone)
    except (ValueError, OverflowError):
        return value
    return there.strftime(f"{locale.date_pattern} {locale.time_pattern}")
