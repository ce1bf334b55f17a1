"""What rooms above put on the pages about people: buttons, lists and sections of a person.

The room of accounts adds "Invite people", the list of open invitations, and a person's sessions:

    add_button(lambda request: [Button("Invite people", reverse("accounts:invite"), PEOPLE_MANAGE)])
    add_list_section("accounts/_invitations.html", invitations_context)
    add_person_section("accounts/_person_sessions.html", sessions_context)

A section is a template and a function that gives its context, or None where it has nothing to show.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils.safestring import SafeString

from accounts.identity.models import User
from permissions.holder import holder_of


@dataclass(frozen=True, slots=True)
class Button:
    """A button beside the heading; shown to who holds `perm`."""

    label: str
    url: str
    perm: str
    icon: str = ""
    tone: str = "primary"
    dialog: bool = False


ListContext = Callable[[HttpRequest], Mapping[str, Any] | None]
PersonContext = Callable[[HttpRequest, User], Mapping[str, Any] | None]
_buttons: list[Callable[[HttpRequest], Iterable[Button]]] = []
_list_sections: list[tuple[str, ListContext]] = []
_person_sections: list[tuple[str, PersonContext]] = []


def add_button(source: Callable[[HttpRequest], Iterable[Button]]) -> None:
    """Put buttons beside the heading of the list of people."""
    _buttons.append(source)


def add_list_section(template: str, context: ListContext) -> None:
    """Put a section under the list of people."""
    _list_sections.append((template, context))


def add_person_section(template: str, context: PersonContext) -> None:
    """Put a section on the page of a person."""
    _person_sections.append((template, context))


def buttons(request: HttpRequest) -> list[Button]:
    """Return the buttons that this person may see."""
    holder = holder_of(request)
    return [button for source in _buttons for button in source(request) if holder.holds(button.perm)]


def list_sections(request: HttpRequest) -> list[SafeString]:
    """Return the sections under the list, rendered."""
    contexts = [(template, context(request)) for template, context in _list_sections]
    return _rendered(request, contexts)


def person_sections(request: HttpRequest, person: User) -> list[SafeString]:
    """Return the sections of a person's page, rendered."""
    contexts = [(template, context(request, person)) for template, context in _person_sections]
    return _rendered(request, contexts)


def _rendered(request: HttpRequest, contexts: list[tuple[str, Mapping[str, Any] | None]]) -> list[SafeString]:
    return [
        render_to_string(template, dict(context), request)
        for template, context in contexts
        if context is not None
    ]
