"""`{% load ui %}`: icons, cells, numbers and times for templates. Nothing here queries."""

from datetime import datetime

from django import template
from django.conf import settings
from django.forms.boundfield import BoundField
from django.middleware.csrf import get_token
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from config.ui import cells, words
from config.ui.icons import icon as draw_icon

register = template.Library()
register.filter("initials", words.initials)


@register.simple_tag
def upload_limit() -> str:
    """Return how large a file may be, in bytes."""
    return str(settings.UPLOAD_LIMIT)


@register.simple_tag
def icon(name: str, size: int = 20, *, solid: bool = False) -> SafeString:
    """{% icon "trash" 16 %}: a heroicon by name, hidden from screen readers."""
    return draw_icon(name, size, solid=solid)


@register.simple_tag
def cell(kind: str, value: object, label: str = "", tone: str = "", url: str = "") -> SafeString:
    """{% cell "money" row.price %}: the inside of a table cell; see config.ui.cells."""
    return cells.cell(kind, value, label=label, tone=tone, url=url)


@register.simple_tag
def state(label: str, tone: str = "quiet") -> SafeString:
    """{% state "Active" "ok" %}: a dot and a word."""
    return cells.state(label, tone)


@register.filter
def align(kind: str) -> str:
    """The class of a column of that kind."""
    return cells.align(kind)


@register.filter
def separated(number: int | None) -> str:
    """336776 becomes 336,776; nothing stays nothing."""
    return "" if number is None else words.separated(number)


@register.filter
def short_count(number: int | str | None) -> str:
    """1204318 becomes 1.2 M; text such as "over 10,000" passes through."""
    if number is None:
        return ""
    return number if isinstance(number, str) else words.short_count(number)


@register.filter
def span(seconds: float | None) -> str:
    """Seconds as "4 min"."""
    return "" if seconds is None else words.span(seconds)


@register.simple_tag
def moment(value: datetime | None) -> SafeString:
    """{% moment event.at %}: relative under a day, else the date, with the exact time on hover."""
    if value is None:
        return cells.EMPTY
    shown = words.since(value, timezone.now())
    return format_html(
        '<time datetime="{}" title="{}">{}</time>', value.isoformat(), words.exact(value), shown
    )


@register.simple_tag(takes_context=True)
def csrf(context: template.Context) -> SafeString:
    """The hidden field of {% csrf_token %}, which an include with `only` would lose."""
    token = csrf_value(context)
    return (
        format_html('<input type="hidden" name="csrfmiddlewaretoken" value="{}">', token)
        if token
        else SafeString()
    )


@register.simple_tag(takes_context=True)
def csrf_value(context: template.Context) -> str:
    """The bare token, for the meta tag the scripts read; empty on a page rendered without a request."""
    request = getattr(context, "request", None)
    return get_token(request) if request is not None else ""


@register.filter
def undo_url(tags: str | None) -> str:
    """The address in a message's extra_tags "undo:/path/"; only a path of this very host counts."""
    for tag in (tags or "").split():
        if tag.startswith("undo:/") and not tag.startswith(("undo://", "undo:/\\")):
            return tag.removeprefix("undo:")
    return ""


@register.filter
def is_toggle(field: BoundField) -> bool:
    """Whether the field is one checkbox, whose label stands after it."""
    return field.widget_type == "checkbox"
