"""Table cells as text. A page has a thousand of them: a function each, not an included template."""

from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime, time
from decimal import Decimal
from types import MappingProxyType

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import conditional_escape, format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

from config.ui.icons import icon
from config.ui.words import exact, separated

TONES = frozenset({"ok", "warn", "bad", "info", "quiet"})
_LONG = 60
_SHOWN_CHOICES = 3
EMPTY = mark_safe('<span class="empty-value">–</span>')


def cell(kind: str, value: object, *, label: str = "", tone: str = "", url: str = "") -> SafeString:
    """The inside of a <td> for a value of that kind; an empty value is a faint dash whatever the kind.

    `label` replaces what is shown, `tone` is one of TONES for states, `url` makes the value a link.
    Raises KeyError for an unknown kind and TypeError when the value is not of its kind.
    """
    if value is None or value == "" or value == [] or value == ():
        return EMPTY
    if kind == "state":
        return state(label or str(value), tone)
    shown = conditional_escape(label) if label else _KINDS[kind](value)
    if url:
        return format_html('<a class="cell-link" href="{}">{}</a>', url, shown)
    return SafeString(shown)


def state(label: str, tone: str = "quiet") -> SafeString:
    """A coloured dot and a word; an unknown tone is the quiet one."""
    return format_html('<span class="state {}">{}</span>', tone if tone in TONES else "quiet", label)


def align(kind: str) -> str:
    """The class of the <td> and <th> of that kind: numbers stand right."""
    return "num" if kind in _NUMERIC else ""


def _text(value: object) -> SafeString:
    text = " ".join(str(value).split()) if "\n" in str(value) else str(value)
    if len(text) <= _LONG:
        return conditional_escape(text)
    return format_html('<span class="cut" title="{}">{}</span>', value, text)


def _number(value: object) -> SafeString:
    if not isinstance(value, int | float | Decimal):
        raise TypeError(f"A number cell got {type(value).__name__}.")
    return conditional_escape(separated(value))


def _money(value: object) -> SafeString:
    """The currency belongs to the column's heading, so only two decimals are added here."""
    if not isinstance(value, int | float | Decimal):
        raise TypeError(f"A money cell got {type(value).__name__}.")
    return conditional_escape(f"{value:,.2f}")


def _datetime(value: object) -> SafeString:
    if not isinstance(value, datetime):
        raise TypeError(f"A date and time cell got {type(value).__name__}.")
    shown = date_format(timezone.localtime(value), "j M Y H:i")
    return format_html('<time datetime="{}" title="{}">{}</time>', value.isoformat(), exact(value), shown)


def _timestamp(value: object) -> SafeString:
    """A date and time to the second, for measurements; alone so that a column never mixes the two."""
    if not isinstance(value, datetime):
        raise TypeError(f"A timestamp cell got {type(value).__name__}.")
    shown = date_format(timezone.localtime(value), "j M Y H:i:s")
    return format_html('<time datetime="{}" title="{}">{}</time>', value.isoformat(), exact(value), shown)


def _date(value: object) -> SafeString:
    if not isinstance(value, date):
        raise TypeError(f"A date cell got {type(value).__name__}.")
    return format_html('<time datetime="{}">{}</time>', value.isoformat(), date_format(value, "j M Y"))


def _time(value: object) -> SafeString:
    if not isinstance(value, time):
        raise TypeError(f"A time cell got {type(value).__name__}.")
    return conditional_escape(value.strftime("%H:%M:%S" if value.second else "%H:%M"))


def _yes_no(value: object) -> SafeString:
    if value:
        return format_html('{}<span class="sr">{}</span>', icon("check", 16), _("Yes"))
    return format_html('<span class="muted">{}</span>', _("No"))


def _choices(value: object) -> SafeString:
    if isinstance(value, str) or not isinstance(value, Iterable):
        raise TypeError("A cell of several choices takes a list.")
    names = [str(name) for name in value]
    more = len(names) - _SHOWN_CHOICES
    shown = format_html_join(" ", '<span class="tag">{}</span>', ((name,) for name in names[:_SHOWN_CHOICES]))
    if more <= 0:
        return shown
    return format_html(
        '<span title="{}">{} <span class="muted">+{}</span></span>', ", ".join(names), shown, more
    )


def _tag(value: object) -> SafeString:
    return format_html('<span class="tag">{}</span>', value)


def _email(value: object) -> SafeString:
    return format_html('<a href="mailto:{}">{}</a>', value, value)


def _link(value: object) -> SafeString:
    text = str(value)
    if not text.startswith(("https://", "http://")):
        return _text(text)
    shown = text.split("://", 1)[1].rstrip("/")
    template = '<a class="cut" href="{}" title="{}" rel="noopener noreferrer nofollow" target="_blank">{}</a>'
    return format_html(template, text, text, shown)


def _person(value: object) -> SafeString:
    return format_html('<span class="with-icon">{}{}</span>', icon("user-circle", 16), value)


def _file(value: object) -> SafeString:
    return format_html('<span class="with-icon">{}{}</span>', icon("paper-clip", 16), value)


def _progress(value: object) -> SafeString:
    """A share of 100, as a small bar with the number beside it."""
    if not isinstance(value, int | float | Decimal):
        raise TypeError(f"A progress cell got {type(value).__name__}.")
    bar = '<span class="bar-cell"><progress max="100" value="{}" aria-label="{}"></progress>{}</span>'
    return format_html(bar, value, _("%s of 100") % value, separated(value))


_NUMERIC = frozenset({"integer", "decimal", "money", "number", "size"})
_KINDS: Mapping[str, Callable[[object], SafeString]] = MappingProxyType(
    {
        "text": _text,
        "long_text": _text,
        "integer": _number,
        "decimal": _number,
        "number": _number,
        "money": _money,
        "yes_no": _yes_no,
        "date": _date,
        "datetime": _datetime,
        "timestamp": _timestamp,
        "time": _time,
        "choice": _tag,
        "choices": _choices,
        "email": _email,
        "link": _link,
        "person": _person,
        "record": _text,
        "file": _file,
        "progress": _progress,
    }
)
