"""Values of columns as people read them: names instead of keys, labels of choices, local times.

Rooms whose values need more than their model says (records, whose design is data) register a reader:
see `audit.labels.describe`.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.db.models import DateField, DateTimeField
from django.utils import timezone
from django.utils.formats import date_format

from audit import labels, origins
from audit.columns import GONE, Column, columns_of, is_person, key_of, type_of
from audit.labels import Named
from audit.queries import Entry

_WHOLE_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?[+-]\d\d:\d\d")


@dataclass(frozen=True, slots=True)
class Wording:
    """The names of everybody and everything that a whole page of entries speaks of."""

    people: Mapping[UUID, str]
    objects: Mapping[tuple[int, UUID], Named]

    def text(self, label: str, column: str, value: Any) -> str:
        """Return one value as it is shown; an empty text for none."""
        field = columns_of(label).get(column)
        if value is None or value == "" or field is None:
            return shown(value)
        if field.is_relation:
            return self._name(field, value)
        if field.choices:
            return str(dict(field.flatchoices).get(value, value))
        return _moment(field, value) or shown(value)

    def _name(self, field: Column, value: Any) -> str:
        key = key_of(value)
        if key is None:
            return shown(value)
        if is_person(field):
            return self.people.get(key, "somebody who was erased")
        named = self.objects.get((type_of(field), key))
        return named.label if named else GONE


def look_up(entries: Iterable[Entry]) -> Wording:
    """Look up who acted, on what, and what the values refer to: one query for each kind of thing."""
    people: dict[UUID | None, set[UUID]] = {}
    objects: dict[int, set[UUID]] = {}
    for entry in entries:
        named = people.setdefault(entry.origin_id, set())
        if entry.actor_id:
            named.add(entry.actor_id)
        if entry.count > 1:
            continue
        if entry.object_id:
            objects.setdefault(entry.type_id, set()).add(entry.object_id)
        for field, key in _references(entry):
            (named if is_person(field) else objects.setdefault(type_of(field), set())).add(key)
    return Wording(_names(people), labels.names_for(objects))


def _names(people: Mapping[UUID | None, set[UUID]]) -> dict[UUID, str]:
    """Return the names of people, by the trails that speak of them: each knows whom it saw deleted."""
    everybody = set[UUID]().union(*people.values())
    names = labels.people(everybody) if everybody else {}
    for source, ids in people.items():
        missing = ids - names.keys()
        origin = origins.find(str(source)) if source and missing else None
        if origin is not None and origin != origins.current():
            with origins.reading(origin):
                names.update(labels.deleted_people(missing))
    return names


def _references(entry: Entry) -> Iterable[tuple[Column, UUID]]:
    fields = columns_of(entry.label)
    for values in (entry.before, entry.after):
        for column, value in values.items():
            field = fields.get(column)
            key = key_of(value) if field is not None and field.is_relation else None
            if field is not None and key is not None:
                yield field, key


def _moment(field: Column, value: Any) -> str:
    """Return a date or a moment in the current time zone; an empty text for anything else."""
    try:
        if isinstance(field, DateTimeField):
            return date_format(timezone.localtime(datetime.fromisoformat(str(value))), "j M Y H:i:s")
        return date_format(date.fromisoformat(str(value)), "j M Y") if isinstance(field, DateField) else ""
    except ValueError:
        return ""


def told(value: Any) -> str:
    """Return a detail of an intent as people read it: a whole moment in the current time zone."""
    if isinstance(value, str) and _WHOLE_MOMENT.fullmatch(value):
        return date_format(timezone.localtime(datetime.fromisoformat(value)), "j M Y H:i:s")
    return shown(value)


def shown(value: Any) -> str:
    """Return a value as people read it; an empty text for none."""
    if value is None or value == "":
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float):
        return f"{value:,}"
    if isinstance(value, list):
        return ", ".join(shown(one) for one in value)
    if isinstance(value, dict):
        return ", ".join(f"{key}: {shown(inner)}" for key, inner in value.items())
    return str(value)
