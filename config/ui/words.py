"""Numbers and times as words, the same everywhere: separators, short counts, relative times under a day."""

from datetime import datetime, timedelta
from decimal import Decimal

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

Number = int | float | Decimal


def separated(number: Number) -> str:
    """336776 becomes "336,776"; decimals stay as they are."""
    return f"{number:,}"


def counted(number: int, one: str, many: str) -> str:
    """A number with what it counts: "1 person", "2,000 people"."""
    return f"{separated(number)} {one if number == 1 else many}"


def short_count(number: int) -> str:
    """For narrow places: 48000 stays "48,000", from a million on "1.2 M"."""
    if number < 1_000_000:
        return f"{number:,}"
    return f"{number / 1_000_000:.1f}".removesuffix(".0") + "\u00a0M"


def span(seconds: float) -> str:
    """A length of time in its one or two largest units: "9 s", "4 min", "2 h 10 min", "3 days"."""
    whole = max(0, round(seconds))
    if whole < 60:
        return f"{whole}\u00a0s"
    if whole < 3600:
        return f"{whole // 60}\u00a0min"
    if whole < 86400:
        hours, rest = divmod(whole // 60, 60)
        return f"{hours}\u00a0h {rest}\u00a0min" if rest else f"{hours}\u00a0h"
    days = whole // 86400
    return ngettext("%(days)d day", "%(days)d days", days) % {"days": days}


def since(moment: datetime, now: datetime) -> str:
    """How long ago (or ahead) within a day, the date beyond it; in the current time zone."""
    away = now - moment
    if abs(away) >= timedelta(days=1):
        return date_format(timezone.localtime(moment), "j M Y")
    if abs(away) < timedelta(seconds=10):
        return _("just now")
    words = span(abs(away).total_seconds())
    return (_("%s ago") if away > timedelta(0) else _("in %s")) % words


def exact(moment: datetime) -> str:
    """The moment to the second with its zone, for the text on hover."""
    local = timezone.localtime(moment)
    return local.strftime("%Y-%m-%d %H:%M:%S %Z")


def initials(name: str) -> str:
    """One or two letters for a mark or an avatar; a dot when the name has none."""
    words = [word for word in name.replace("@", " ").replace(".", " ").split() if word[0].isalnum()]
    if not words:
        return "·"
    return "".join(word[0] for word in (words[:1] if len(words) == 1 else [words[0], words[-1]])).upper()
