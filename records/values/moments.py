"""Dates, times of day and moments: from the usual spellings to one that sorts as text."""

import re
from datetime import UTC, date, datetime, time, tzinfo

from records.values.wrong import Wrong

USE_DATE = "Use a date such as 2026-11-23."
USE_TIME = "Use a time such as 18:30."
USE_MOMENT = "Use a date and time such as 2026-11-23 18:30."
TWO_WAYS = "This date can be read in two ways. Write it as 2026-11-23."

_ISO = re.compile(r"(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})", re.ASCII)
_PARTS = re.compile(r"(\d{1,2})([-/.])(\d{1,2})\2(\d{4})", re.ASCII)
_NAMED = re.compile(r"(\d{1,2})[ -]([A-Za-z]{3,9})\.?[ -](\d{4})", re.ASCII)
_NAMED_FIRST = re.compile(r"([A-Za-z]{3,9})\.? (\d{1,2}),? (\d{4})", re.ASCII)
_TIME = re.compile(
    r"(\d{1,2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,6})0{0,3})?)?(?:\s*([AaPp])\.?[Mm]\.?)?",
    re.ASCII,
)
_MOMENT = re.compile(
    r"(?P<day>.+?)(?:[Tt]|,?\s+)(?P<time>\d{1,2}:\S.*?)\s*(?P<zone>[Zz]|UTC|GMT|[+-]\d{2}:?\d{2})?"
)
_MIDNIGHT = re.compile(r"[T ]00:00(?::00(?:\.0+)?)?", re.ASCII)
_MONTHS = [
    "january", "february", "march", "april", "may", "june", "july", "august",
    "september", "october", "november", "december",
]  # fmt: skip
LONGEST = 60  # characters


def _month(name: str) -> int:
    found = [at for at, month in enumerate(_MONTHS, 1) if month.startswith(name.lower())]
    return found[0] if len(found) == 1 else 0


def _by_order(first: int, second: int, separator: str, order: str) -> tuple[int, int]:
    """Return (day, month). Points mean day first everywhere; slashes and dashes need the field's order."""
    if separator == "." or order == "dmy" or (first > 12 and order != "mdy"):
        return first, second
    if order == "mdy" or second > 12 or first == second:
        return second, first
    raise Wrong(TWO_WAYS)


def read_date(text: str, order: str = "") -> date | None:
    """Return the date a text stands for, or None. Raises Wrong if it can be read in two ways."""
    if len(text) > LONGEST:
        return None
    year = month = day = 0
    if found := _ISO.fullmatch(text):
        year, month, day = int(found[1]), int(found[2]), int(found[3])
    elif found := _PARTS.fullmatch(text):
        day, month = _by_order(int(found[1]), int(found[3]), found[2], order)
        year = int(found[4])
    elif found := _NAMED.fullmatch(text):
        day, month, year = int(found[1]), _month(found[2]), int(found[3])
    elif found := _NAMED_FIRST.fullmatch(text):
        day, month, year = int(found[2]), _month(found[1]), int(found[3])
    try:
        return date(year, month, day)
    except ValueError:
        return None


def read_time(text: str) -> time | None:
    """Return the time of day a text stands for, or None."""
    found = _TIME.fullmatch(text) if len(text) <= LONGEST else None
    if found is None:
        return None
    hour = int(found[1])
    if found[5]:
        if not 1 <= hour <= 12:
            return None
        hour = hour % 12 + (12 if found[5] in "Pp" else 0)
    micro = int((found[4] or "0").ljust(6, "0"))
    try:
        return time(hour, int(found[2]), int(found[3] or 0), micro)
    except ValueError:
        return None


def day(value: object, *, order: str = "") -> str:
    """Return YYYY-MM-DD. Raises Wrong."""
    if isinstance(value, datetime):
        found = value.date() if value.time() == time() else None
    elif isinstance(value, date):
        found = value
    elif isinstance(value, str):
        text = value.strip()
        rest = _MIDNIGHT.fullmatch(text[10:])  # how spreadsheets hand out a date
        found = read_date(text[:10] if rest else text, order)
    else:
        found = None
    if found is None:
        raise Wrong(USE_DATE)
    return found.isoformat()


def clock(value: object) -> str:
    """Return HH:MM:SS, with six digits of a second where there is a fraction. Raises Wrong."""
    if isinstance(value, time) and value.tzinfo is None:
        return value.isoformat()
    found = read_time(value.strip()) if isinstance(value, str) else None
    if found is None:
        raise Wrong(USE_TIME)
    return found.isoformat()


def moment(value: object, *, zone: tzinfo, order: str = "") -> str:
    """Return YYYY-MM-DDTHH:MM:SS.ffffffZ: fixed width, so that text order is time order.

    A time without a zone is one of `zone`; a date alone is its midnight there. Raises Wrong.
    """
    if isinstance(value, datetime):
        found: datetime | None = value
    elif isinstance(value, date):
        found = datetime.combine(value, time())
    else:
        found = _read_moment(value.strip(), order) if isinstance(value, str) else None
    if found is None:
        raise Wrong(USE_MOMENT)
    try:
        there = (found if found.tzinfo else found.replace(tzinfo=zone)).astimezone(UTC)
    except OverflowError:
        raise Wrong(USE_MOMENT) from None
    return there.replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


def _read_moment(text: str, order: str) -> datetime | None:
    if len(text) > LONGEST:
        return None
    found = _MOMENT.fullmatch(text)
    if found is None:
        alone = read_date(text, order)
        return datetime.combine(alone, time()) if alone else None
    on, at = read_date(found["day"], order), read_time(found["time"])
    if on is None or at is None:
        return None
    plain = datetime.combine(on, at)
    if not found["zone"]:
        return plain
    return _in_zone(plain, found["zone"])


def _in_zone(plain: datetime, zone: str) -> datetime | None:
    if zone[0] not in "+-":
        return plain.replace(tzinfo=UTC)
    digits = zone[1:].replace(":", "")
    if int(digits[:2]) > 15 or int(digits[2:]) > 59:
        return None
    return datetime.fromisoformat(f"{plain.isoformat()}{zone[0]}{digits[:2]}:{digits[2:]}")
