"""What the references of a room lead to: rows of other rooms and people, found by what they are called."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from permissions.holder import Holder
from permissions.policies import policy_for
from records.imports.targets import NAMING, people
from records.rooms.registry import Room, registered
from records.values import FieldSpec, FieldType, Wrong, parser_for


def linked_room(room: Room, spec: FieldSpec) -> Room | None:
    """Return the room that a reference leads to, if its model is registered."""
    related = room.model._meta.get_field(spec.key).related_model
    return next((one for one in registered() if one.model is related), None)


@dataclass
class RoomFinder:
    """Resolves the references of a room for one person, to rows that this person sees."""

    room: Room
    holder: Holder
    used: set[str] = field(default_factory=set)  # the database itself refuses a reference that is gone

    def __call__(self, key: str, texts: set[str]) -> Mapping[str, str]:
        """Return the ids for the texts of the column that goes to the field `key`."""
        spec = self.room.specs[key]
        if spec.type is FieldType.PERSON:
            return people(texts, self.holder)
        there = linked_room(self.room, spec)
        if there is None:
            return {}
        found: dict[str, str] = {}
        for by in _naming(there):
            for text, pk in self._rows(there, by, texts - set(found)).items():
                found.setdefault(text, pk)
        return found

    def _rows(self, there: Room, by: FieldSpec, texts: set[str]) -> dict[str, str]:
        """Return the rows by one field. A value that several rows share names none of them."""
        parse, wanted = parser_for(by), {}
        for text in texts:
            try:
                wanted[parse(text)] = text
            except Wrong:
                continue
        rows = policy_for(there.model).visible_to(self.holder, self.holder.at)
        found: dict[str, str] = {}
        shared: set[str] = set()
        pairs: Any = rows.filter(**{f"{by.key}__in": list(wanted)}).values_list(by.key, "pk")
        for value, pk in pairs:
            text = wanted[value]
            if text in found:
                shared.add(text)
            found[text] = str(pk)
        return {text: pk for text, pk in found.items() if text not in shared}


def _naming(room: Room) -> list[FieldSpec]:
    """Return the fields that name a row, unique ones first."""
    able = [spec for spec in room.specs.values() if spec.type in NAMING]
    return [
        *(spec for spec in able if spec.unique),
        *(spec for spec in able if spec.key == room.title_key and not spec.unique),
    ]
