"""An example of a row for each registered model: what the probes of walls and rights are made with."""

from decimal import Decimal
from typing import Any
from uuid import uuid4

from django.db.models import Model

from records.rooms.actions import instance_of, typed_specs
from records.rooms.registry import Room, registered
from records.values import Canonical, FieldSpec, FieldType

_VALUES: dict[FieldType, Canonical] = {
    FieldType.INTEGER: 7,
    FieldType.DECIMAL: Decimal("7.5"),
    FieldType.YES_NO: True,
    FieldType.DATE: "2026-11-23",
    FieldType.TIME: "18:30:00",
    FieldType.DATETIME: "2026-11-23T18:30:00.000000Z",
    FieldType.EMAIL: "example@example.org",
    FieldType.LINK: "https://example.org/",
}


def values_for(room: Room, *, marker: str) -> dict[str, Canonical]:
    """Return values for a row, with `marker` in its texts. References stay empty."""
    found: dict[str, Canonical] = {}
    for spec in typed_specs(room):
        value = _value(room, spec, marker)
        if value is not None:
            found[spec.key] = value
    return found


def _value(room: Room, spec: FieldSpec, marker: str) -> Canonical | None:
    if spec.choices:
        return spec.choices[0].code
    if spec.type in (FieldType.TEXT, FieldType.LONG_TEXT):
        field: Any = room.model._meta.get_field(spec.key)
        text = f"{marker}-{uuid4().hex[:8]}" if spec.unique else marker
        return text[: field.max_length or 1000]
    return _VALUES.get(spec.type)


def make(room: Room, *, marker: str) -> Model:
    """Add an example in the organisation entered; rows that it must refer to are made first."""
    obj = instance_of(room, values_for(room, marker=marker))
    for field in room.model._meta.local_concrete_fields:
        related: Any = field.related_model
        if related is not None and not field.null:
            setattr(obj, field.name, _related(related, marker))
    obj.save()
    return obj


def _related(model: type[Model], marker: str) -> Model:
    there = model._base_manager.first()
    if there is not None:
        return there
    room = next(one for one in registered() if one.model is model)
    return make(room, marker=marker)
