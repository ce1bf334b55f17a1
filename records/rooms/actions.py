"""Adding, changing, removing and loading the rows of a room."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, tzinfo
from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import DataError, IntegrityError, transaction
from django.db.models import Model, ProtectedError

from accounts.identity.models import User
from records.actions.done import Done
from records.actions.refusals import CannotDesign, Invalid, Taken
from records.rooms.fields import is_made_by_the_system
from records.rooms.registry import Room
from records.statements import fresh_keys
from records.tables.columns import to_canonical, to_python
from records.values import Canonical, FieldSpec, compile_validator, loads
from tenants.refusals import Refusal

TAKEN = "Another row has this value already."
NOT_TAKEN = "The database does not take this value."
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


def load(*, room: Room, rows: Iterable[bytes], by: UUID | None, at: datetime) -> list[Model]:
    """Add rows of canonical values as JSON and return them: what imports use.

    Raises Taken, or Invalid for what else the database refuses; the transaction stays usable.
    """
    made = [instance_of(room, loads(row)) for row in rows]
    for obj, key in zip(made, fresh_keys(len(made)), strict=True):
        obj.pk = key  # Django does not learn the keys that a column's default gives to many rows at once
    try:
        with transaction.atomic():
            room.model._base_manager.bulk_create(made, batch_size=LOADED_AT_ONCE)
    except (IntegrityError, DataError) as problem:
        raise _refusal(room, problem) from problem
    return made


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
    except (IntegrityError, DataError) as problem:
        raise _refusal(room, problem) from problem
    return obj


def _refusal(room: Room, problem: IntegrityError | DataError) -> Invalid:
    """Return the refusal in words for people: a value that another row has, or a rule of the model."""
    diagnosis: Any = getattr(problem.__cause__, "diag", None)
    if diagnosis is None:
        raise problem
    detail = diagnosis.message_detail or ""
    hit = [key for key in room.specs if f"({room.model._meta.get_field(key).name})" in detail]
    hit = hit or [key for key in (diagnosis.column_name, room.title_key) if key in room.specs][:1]
    if diagnosis.sqlstate == "23505":
        return Taken(dict.fromkeys(hit, TAKEN))
    rules = {rule.name: str(rule.get_violation_error_message()) for rule in room.model._meta.constraints}
    return Invalid(dict.fromkeys(hit, rules.get(diagnosis.constraint_name, NOT_TAKEN)))
