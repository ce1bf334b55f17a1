"""The table of a registered model."""

from collections.abc import Mapping, Sequence
from datetime import datetime, tzinfo
from functools import cached_property
from typing import Any

from django.db.models import Model, Q, QuerySet
from django.db.models.functions import Lower
from django.utils import timezone

from accounts.identity.models import User
from permissions.holder import Who, holder_for
from permissions.policies import NoPolicy, policy_for
from records.perms import ON_ROOM
from records.rooms.registry import Room, get
from records.tables import expressions as sql
from records.tables.base import Row, Table
from records.tables.columns import Column, ModelPlace, served, to_canonical, unserved
from records.tables.operators import TEXT_LIKE, UNSORTED
from records.tables.query import Sort
from records.values import Canonical, FieldSpec, FieldType, display

MOST_WORDS = 10


def table_of(key: str, who: Who, *, at: datetime | None = None, zone: tzinfo | None = None) -> "RoomTable":
    """Return the table of a room for a person. Raises NoRoom, which is a 404."""
    moment = at or timezone.now()
    return RoomTable(get(key), who, at=moment, zone=zone or timezone.get_current_timezone())


class RoomTable(Table):
    """A registered model as one person sees it at one moment."""

    kind = "room"

    def __init__(self, room: Room, who: Who, *, at: datetime, zone: tzinfo) -> None:
        super().__init__(holder_for(who, at=at), at=at, zone=zone)
        self.room = room

    @property
    def key(self) -> str:
        return self.room.key

    @property
    def title(self) -> str:
        return self.room.title

    @property
    def title_key(self) -> str:
        return self.room.title_key

    @property
    def specs(self) -> Mapping[str, FieldSpec]:
        """The design, as the model says it."""
        return self.room.specs

    @cached_property
    def permissions(self) -> frozenset[str]:
        return self.holder.under_ceiling(self.holder.held & frozenset(ON_ROOM))

    @cached_property
    def columns(self) -> Mapping[str, Column]:
        return {key: self._column(key, spec) for key, spec in self.specs.items()}

    def _column(self, key: str, spec: FieldSpec) -> Column:
        field: Any = self.room.model._meta.get_field(key)
        place = ModelPlace(field.attname, getattr(field, "target_field", field), spec.type)
        sortable = spec.type not in UNSORTED and spec.type is not FieldType.LONG_TEXT
        state = served if field.db_index or field.unique else unserved
        return Column(spec, place, state, sortable=sortable)

    def rows(self, *, to: str | None = None) -> "QuerySet[Any]":
        return policy_for(self.room.model).visible_to(self.holder, self.at, to=to)

    def default_sort(self) -> Sort:
        return Sort("", True)

    def search(self, typed: str) -> Q:
        texts = [column.place.text() for column in self.columns.values() if column.type in TEXT_LIKE]
        words = typed.replace("\x00", " ").split()[:MOST_WORDS]
        if not words or not texts:
            return Q(pk__in=())
        found = Q()
        for word in words:
            anywhere = Q()
            for text in texts:
                anywhere |= Q(sql.Compare(Lower(text), "LIKE", sql.pattern(word, inside=True)))
            found &= anywhere
        return found

    def known_count(self) -> int | None:
        return None

    def row(self, obj: Model) -> Row:
        values: dict[str, Canonical] = {}
        for key, spec in self.specs.items():
            field: Any = obj._meta.get_field(key)
            value = to_canonical(spec.type, getattr(obj, field.attname))
            if value is not None:
                values[key] = value
        spec_of_title = self.specs.get(self.title_key)
        title = display(spec_of_title, values.get(self.title_key)) if spec_of_title else str(obj)
        return Row(str(obj.pk), title or "Untitled", values, 0, obj)

    def labels(self, rows: Sequence[Row]) -> dict[str, str]:
        found: dict[str, str] = {}
        for key, spec in self.specs.items():
            ids = {str(row.values[key]) for row in rows if key in row.values}
            if spec.type.is_reference and ids:
                found.update(self._names(key, ids))
        return found

    def _names(self, key: str, ids: set[str]) -> dict[str, str]:
        related: Any = self.room.model._meta.get_field(key).related_model
        if related is User:
            seen = User.objects.filter(pk__in=ids)
        else:
            try:
                seen = policy_for(related).visible_to(self.holder, self.at).filter(pk__in=ids)
            except NoPolicy:
                return {}
        return {str(one.pk): str(one) for one in seen}
