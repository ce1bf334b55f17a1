"""What the console says of states and schemas, in words."""

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

from django.contrib import admin
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from operations.models import FleetState
from tenants.placement import State
from tenants.schema import wanted_version

# What each state means to the people of the organisation: shown on its page, and before it is chosen.
MEANING: dict[State, tuple[str, ...]] = {
    State.TRIAL: ("Nothing is stopped: its people sign in and work, its jobs run.",),
    State.ACTIVE: ("Nothing is stopped: its people sign in and work, its jobs run.",),
    State.SUSPENDED: (
        "Its people see a plain page and cannot sign in, from the next request on.",
        "Its jobs stop and wait.",
        "Nothing is deleted or changed.",
    ),
    State.LEAVING: (
        "Its people can sign in and read.",
        "Nothing in it can be changed any more, by people or by jobs; a notice on every page says so.",
        "An export of everything is written, which its owners can fetch for 30 days.",
    ),
    State.GONE: (
        "Nobody can sign in: its addresses say that it is gone.",
        "Its jobs never run again, and its schema is left out of migrations.",
        "Its data lies where it is, untouched, until two operators have it erased.",
        "Until then it can be made active again. Its address is given to nobody else.",
    ),
}
# The same of who is gone because it is a part of another one.
OF_A_PART = (
    "Nobody can sign in: its addresses say of which organisation it is a part, and lead there.",
    "Its jobs do not run, and its schema is left out of migrations.",
    "What it had lies where it is, untouched. As long as the merge can be undone, it opens again with that.",
    "Afterwards it stays closed until two operators have it erased. Its address is given to nobody else.",
)
# It shuts everybody out, so its name is asked for.
FINAL = frozenset({State.GONE})


PLACING = (
    "Its people are served by the processes of that release, from the next request on.",
    "Requests under way are finished where they are; long jobs go on in the other pool.",
    "Its data stays as it is, and everybody stays signed in. It can be placed back in the same way.",
)


def moment(at: datetime, text: str = "") -> SafeString:
    """Return a moment as `text` or as day and time, with the exact time on hover."""
    exact = f"{at:%d %b %Y %H:%M}"
    return format_html('<time datetime="{}" title="{} UTC">{}</time>', at.isoformat(), exact, text or exact)


def when(column: str, label: str) -> Callable[[Any], SafeString | str]:
    """Return a column of a list that shows a moment."""

    @admin.display(description=label, ordering=column)
    def show(row: Any) -> SafeString | str:
        at: datetime | None = getattr(row, column)
        return moment(at) if at else "–"

    return show


def badge(tone: str, word: str) -> SafeString:
    """Return a word in the colour of a tone."""
    return format_html('<span class="state {}">{}</span>', tone, word)


def list_of(lines: Iterable[SafeString | str]) -> SafeString:
    """Return lines below each other."""
    return format_html("<ul>{}</ul>", format_html_join("", "<li>{}</li>", ((line,) for line in lines)))


def state_badge(state: State) -> SafeString:
    """Return a state as a word in its colour."""
    return badge(state.value, state.value.capitalize())


def meaning_of(state: State, *, is_part: bool = False) -> SafeString:
    """Return what a state stops, as a list."""
    said = OF_A_PART if is_part else MEANING[state]
    return list_of(said)


def schema_badge(state: FleetState | None) -> SafeString:
    """Return how far an organisation's schema is: current, behind, waiting, or failed."""
    return badge(*schema_word(state))


def schema_word(state: FleetState | None) -> tuple[str, str]:
    """Return the tone and the word for a schema."""
    if state is None:
        return "behind", "Not known"
    if state.error:
        return "failed", "Failed"
    if state.version == wanted_version():
        return "current", "Current"
    return "behind", "Waits" if state.waits else "Behind"
