"""The filters of the trail page. The address of the page holds them all."""

from datetime import datetime, time, timedelta
from typing import Any
from uuid import UUID

from django import forms
from django.contrib.auth import get_user_model
from django.utils import timezone

from audit import codes, labels
from audit.queries import Filters
from audit.registry import trail

_MOST_PEOPLE = 500
_ROW_VERBS = {"added": "Added", "changed": "Changed", "removed": "Deleted"}


def _kinds() -> list[tuple[str, str]]:
    words = {str(one.type_id): one.label for one in trail.captured()}
    named = [(number, _name_of(label)) for number, label in words.items() if trail.model_of(label)]
    return sorted(named, key=lambda pair: pair[1])


def _name_of(label: str) -> str:
    words = labels.kind_of_label(label, many=True)
    return words[:1].upper() + words[1:]


class FilterForm(forms.Form):
    """Person, kind of thing, one thing, action and period; all optional."""

    person = forms.ChoiceField(required=False)
    kind = forms.ChoiceField(required=False, label="Kind of thing")
    action = forms.ChoiceField(required=False)
    since = forms.DateField(required=False, label="From", widget=forms.DateInput(attrs={"type": "date"}))
    until = forms.DateField(required=False, label="To", widget=forms.DateInput(attrs={"type": "date"}))
    every = forms.BooleanField(
        required=False,
        label="Every single row",
        help_text="Also those that another sentence stands for.",
    )
    object = forms.UUIDField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._words: dict[str, dict[str, str]] = {}
        people = get_user_model()._default_manager.order_by("name")[:_MOST_PEOPLE]
        self._choices("person", "Anybody", [(str(user.pk), str(user)) for user in people])
        self._choices("kind", "Anything", _kinds())
        intents = [(code.name, code.label[:1].upper() + code.label[1:]) for code in codes.declared()]
        self._choices("action", "Any action", [*_ROW_VERBS.items(), *intents])

    def _choices(self, name: str, anything: str, choices: list[tuple[str, str]]) -> None:
        field = self.fields[name]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [("", anything), *choices]
        self._words[name] = dict(choices)

    def filters(self) -> Filters:
        """Return what is asked for; wrong values count as none."""
        self.is_valid()
        asked = self.cleaned_data
        kind, action = asked.get("kind"), asked.get("action", "")
        rows = bool(kind or asked.get("object") or action in _ROW_VERBS or asked.get("every"))
        return Filters(
            actor=UUID(asked["person"]) if asked.get("person") else None,
            object_id=asked.get("object"),
            type_id=int(kind) if kind else None,
            codes=_codes(action, int(kind) if kind else None),
            since=_midnight(asked.get("since")),
            until=_midnight(asked.get("until"), days=1),
            every=rows,
        )

    def chips(self) -> list[tuple[str, str, str, str]]:
        """Return the filters that are set: name, words, condition and value."""
        found: list[tuple[str, str, str, str]] = []
        for name in ("person", "kind", "action", "since", "until"):
            if value := self.cleaned_data.get(name):
                words = self._words.get(name, {}).get(value, str(value))
                label = str(self.fields[name].label or name.capitalize())
                found.append((name, label, "is" if name in self._words else "", words))
        if self.cleaned_data.get("every"):
            found.append(("every", str(self.fields["every"].label), "", ""))
        return found


def _codes(action: str, type_id: int | None) -> tuple[str, ...]:
    if action in _ROW_VERBS:
        tables = [one for one in trail.captured() if type_id in (None, one.type_id)]
        return tuple(one.code(action) for one in tables)
    return (action,) if action else ()


def _midnight(day: Any, *, days: int = 0) -> datetime | None:
    """Return the beginning of a day in the current time zone, `days` later."""
    if day is None:
        return None
    return timezone.make_aware(datetime.combine(day + timedelta(days=days), time.min))
