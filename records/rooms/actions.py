"""Adding, changing, removing and loading the rows of a room."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, tzinfo
from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import Model, ProtectedError

from accounts.identity.models import User
from records.actions.done import Done
from records.actions.refusals import CannotDesign, Invalid, Taken
from records.rooms.fields import is_made_by_the_system
from records.rooms.registry import Room
from records.tables.columns import to_canonical, to_python
from records.values import Canonical, FieldSpec, compile_validator, loads
from tenants.refusals import Refusal

TAKEN = "Another row has this value already."
LOADED_AT_ONCE = 1_000


class RowConflict(Refusal):
    """Somebody changed the row since it was read: `theirs` is what stands now, `mine` what was typed."""

    code = "conflict"
    status = 409
    message = "Somebody else changed this meanwhile. Compare the two and choose."

    def __init__(
        self, *, theirs: Mapping[str, Canonical | None], mine: Mapping[str, Canonical | None]
    ) -> None:
        super().__init__()
        self.theirs, self.mine = dict(theirs), dict(mine)


def typed_specs(room: Room) -> list[FieldSpec]:
    """Return the fields that people fill in: not those that the system keeps."""
    return [
        spec for key, spec in room.specs.items() if not is_made_by_the_system(room.model._meta.get_field(key))
    ]


def create(
    *, room: Room, values: Mapping[str, object], by: User | None, at: datetime, zone: tzinfo = UTC
) -> Model:
    """Add a row with what people typed. Raises Invalid with a message for each field, Taken."""
    clean, errors = compile_validator(typed_specs(room), zone=zone).validate(values)
    if errors:
        raise Invalid(errors)
    return _saved(room, instance_of(room, clean))


def change(
    *,
    room: Room,
    pk: UUID,
    values: Mapping[str, object],
    seen: Mapping[str, Canonical | None],
    by: User | None,
    at: datetime,
    zone: tzinfo = UTC,
) -> Model:
    """Change some fields of a row; `seen` are the values that the person saw in them.

    Raises RowConflict when they are others by now, Invalid, Taken, and the model's DoesNotExist.
    """
    with transaction.atomic():
        obj = room.model._base_manager.select_for_update(of=("self",)).get(pk=pk)
        specs = {spec.key: spec for spec in typed_specs(room)}
        current = {key: _kept(obj, spec) for key, spec in specs.items()}
        whole = {key: value for key, value in current.items() if value is not None}
        merged, errors = compile_validator(list(specs.values()), zone=zone).merge(whole, values)
        if errors:
            raise Invalid(errors)
        mine = {key: merged.get(key) for key in values}
        if any(current[key] != seen.get(key) for key in values):
            raise RowConflict(theirs={key: current[key] for key in values}, mine=mine)
        for key, value in mine.items():
            _put(obj, specs[key], value)
        return _saved(room, obj)


def remove(*, room: Room, pk: UUID, by: User | None, at: datetime) -> Done:
    """Delete a row for good. Raises CannotDesign while other rows need it."""
    try:
        with transaction.atomic():
            gone, _ = room.model._base_manager.filter(pk=pk).delete()
    except (ProtectedError, IntegrityError):
        raise CannotDesign("Other rows refer to this one; change them first.") from None
    return Done("Deleted for good", count=gone)


def load(*, room: Room, rows: Iterable[bytes], by: UUID | None, at: datetime) -> int:
    """Add rows of canonical values as JSON and return how many: what imports use. Raises Taken."""
    made = [instance_of(room, loads(row)) for row in rows]
    try:
        with transaction.atomic():
            room.model._base_manager.bulk_create(made, batch_size=LOADED_AT_ONCE)
    except IntegrityError as problem:
        raise _taken(room, problem) from problem
    return len(made)


def instance_of(room: Room, values: Mapping[str, Canonical]) -> Model:
    """Return an unsaved row with canonical values."""
    obj = room.model()
    for key, value in values.items():
        _put(obj, room.specs[key], value)
    return obj


def _put(obj: Model, spec: FieldSpec, value: Canonical | None) -> None:
    field: Any = obj._meta.get_field(spec.key)
    empty = None if field.null else field.get_default()
    setattr(obj, field.attname, empty if value is None else to_python(spec.type, value))


def _kept(obj: Model, spec: FieldSpec) -> Canonical | None:
    field: Any = obj._meta.get_field(spec.key)
    return to_canonical(spec.type, getattr(obj, field.attname))


def _saved(room: Room, obj: Model) -> Model:
    try:
        # What only the model knows: lengths, digits, its own validators, what it points to.
        obj.clean_fields(exclude=[field.name for field in obj._meta.fields if field.name not in room.specs])
    except ValidationError as problem:
        raise Invalid({key: " ".join(said) for key, said in problem.message_dict.items()}) from problem
    try:
        with transaction.atomic():
            obj.save()
    except IntegrityError as problem:
        raise _taken(room, problem) from problem
    return obj


def _taken(room: Room, problem: IntegrityError) -> Taken:
    """Return the refusal for a unique value that another row has; re-raise anything else."""
    diagnosis: Any = getattr(problem.__cause__, "diag", None)
    if diagnosis is None or diagnosis.sqlstate != "23505":
        raise problem
    detail = diagnosis.message_detail or ""
    hit = {key: TAKEN for key in room.specs if f"({room.model._meta.get_field(key).name})" in detail}
    return Taken(hit or {key: TAKEN for key in [room.title_key] if key})
