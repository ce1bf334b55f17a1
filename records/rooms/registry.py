"""The one registration, and what it sets up."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.db.models import Model, UUIDField
from django.http import Http404

from audit.registry import trail
from permissions import perms, policies
from records.perms import ON_RECORD
from records.rooms.fields import spec_of
from records.tables.operators import TEXT_LIKE
from records.values import FieldSpec, FieldType
from tenants.capabilities import lacks
from tenants.joining import comes, has_rule
from tenants.sizes import large


class NoRoom(Http404):
    """No room is registered under this key."""


@dataclass(frozen=True, slots=True)
class Room:
    """A registered model. `key` names it in addresses, `title_key` is the field that names a row."""

    key: str
    title: str
    icon: str
    model: type[Model]
    all_specs: Mapping[str, FieldSpec]
    title_key: str

    @property
    def specs(self) -> Mapping[str, FieldSpec]:
        """Return the shown fields, without those that the organisation's schema does not have yet."""
        missing = [name for name in self.all_specs if lacks(self.model._meta.get_field(name))]
        if not missing:
            return self.all_specs
        return MappingProxyType({name: spec for name, spec in self.all_specs.items() if name not in missing})


_rooms: dict[str, Room] = {}


def register(
    model: type[Model],
    *,
    title: str,
    fields: Sequence[str] = (),
    key: str = "",
    icon: str = "cube",
    personal: Sequence[str] | None = None,
    is_large: bool = True,
) -> Room:
    """Give a model of the tenant plane everything that collections have. Call it below the model.

    `fields` are the shown fields in order (default: all that a table can show), `personal` those whose
    values the trail keeps apart and can erase (default: all texts). `is_large` says that migrations must
    not read or write all rows at once. Raises ImproperlyConfigured for a
    model without a UUID key, an unknown field, or a key that another model has.
    """
    if not isinstance(model._meta.pk, UUIDField):
        raise ImproperlyConfigured(f"{model._meta.label} needs a UUID key: inherit tenants.models.TenantRow.")
    specs = _specs(model, fields)
    room = Room(
        key=key or str(model._meta.model_name),
        title=title,
        icon=icon,
        model=model,
        all_specs=MappingProxyType(specs),
        title_key=next((name for name, spec in specs.items() if spec.type is FieldType.TEXT), ""),
    )
    known = _rooms.setdefault(room.key, room)
    if known.model is not model:
        raise ImproperlyConfigured(f"The key {room.key!r} belongs to {known.model._meta.label}.")
    _rooms[room.key] = room
    _permit(model)
    texts = [name for name, spec in specs.items() if spec.type in TEXT_LIKE]
    trail.register(model, personal=texts if personal is None else personal)
    if not has_rule(model):
        comes(model)
    if is_large:
        large(model, because="People import files of any length into it.")
    return room


def _specs(model: type[Model], names: Sequence[str]) -> dict[str, FieldSpec]:
    shown = {field.name: field for field in model._meta.local_concrete_fields if not field.primary_key}
    unknown = set(names) - set(shown)
    if unknown:
        raise ImproperlyConfigured(f"{model._meta.label} has no fields {sorted(unknown)}.")
    found = {name: spec_of(shown[name]) for name in (names or shown)}
    return {name: spec for name, spec in found.items() if spec is not None}


def _permit(model: type[Model]) -> None:
    """Register the policy, and let migrations make the permissions that grants point to."""
    name = str(model._meta.verbose_name)
    policy: type[policies.ObjectPolicy[Any]] = type(
        f"{model.__name__}Policy",
        (policies.ObjectPolicy,),
        {
            "view": perms.RECORDS_VIEW,
            "grantable": ON_RECORD,
            "noun": name,
            "every_noun": f"every {name}",
        },
    )
    policies.register(model, policy)
    kept = dict(model._meta.permissions)
    model._meta.permissions = [
        *kept.items(),
        *(one for one in perms.on_model(*ON_RECORD) if one[0] not in kept),
    ]


def get(key: str) -> Room:
    """Return a room; raise NoRoom (a 404) for an unknown key."""
    try:
        return _rooms[key]
    except KeyError:
        raise NoRoom(f"No room is called {key!r}.") from None


def registered() -> list[Room]:
    """Return every room, by title."""
    return sorted(_rooms.values(), key=lambda room: room.title)
