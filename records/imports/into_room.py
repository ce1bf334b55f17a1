"""Rooms of teams as what files go into. Their models make the rules, and know of no import."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import polars as pl
from django.core.exceptions import ValidationError
from django.db import IntegrityError, connections, transaction
from django.db.models import Exists, Func, Model, OuterRef, QuerySet, TextField

from permissions.holder import Holder
from records.importing import Checked, Refused
from records.importing.convert import EXCERPT
from records.imports.designs import ColumnChoice, spec_to_json
from records.imports.destination import Removed
from records.imports.room_links import RoomFinder, linked_room
from records.models import ImportedRow
from records.rooms.actions import instance_of, load, typed_specs
from records.rooms.registry import Room
from records.rooms.table import RoomTable
from records.tables.columns import to_canonical, to_python
from records.values import Canonical, FieldSpec, FieldType, loads
from tenants.context import required

ROWS = 2_000  # a transaction: a model's rows are made one by one


@dataclass(frozen=True, slots=True)
class IntoRoom:
    """A registered room. What it brought is noted beside it, so that it can be undone."""

    room: Room

    @property
    def name(self) -> str:
        """Return its title."""
        return self.room.title

    @property
    def version(self) -> object:
        """Return its fields: they change with a release."""
        return [spec_to_json(spec) for spec in self.specs()]

    @property
    def step(self) -> int:
        """Return how many rows go in at once."""
        return ROWS

    def specs(self) -> list[FieldSpec]:
        """Return the fields that people fill in, and that a cell of a table can fill."""
        able = typed_specs(self.room)
        return [spec for spec in able if spec.type is not FieldType.RECORD or linked_room(self.room, spec)]

    def perms_of(self, holder: Holder) -> frozenset[str]:
        """Return what the holder's role allows."""
        return RoomTable(self.room, holder, at=holder.at, zone=UTC).permissions

    def finder(self, holder: Holder, choices: Sequence[ColumnChoice]) -> RoomFinder:
        """Return who finds linked rows and people."""
        return RoomFinder(self.room, holder)

    def judge(self, piece: Checked, columns: Mapping[str, str]) -> None:
        """Ask the model's own fields: lengths, digits, validators."""
        # Links were found already; the field would ask for each row anew.
        judged = {spec.key for spec in self.specs() if not spec.type.is_reference}
        beyond = [field.name for field in self.room.model._meta.fields if field.name not in judged]
        bad: set[int] = set()
        for number, document in piece.good:
            values = loads(document)
            try:
                instance_of(self.room, values).clean_fields(exclude=beyond)
            except ValidationError as problem:
                bad.add(number)
                for key, said in problem.message_dict.items():
                    shown = str(values.get(key, ""))[:EXCERPT]
                    piece.refused.append(Refused(number, columns.get(key, ""), shown, " ".join(said)))
        if bad:
            piece.refused.sort(key=lambda one: one.row)
            piece.frame = piece.frame.filter(~pl.col("row").is_in(sorted(bad)))

    def used(self, key: str, values: Sequence[Canonical]) -> Collection[Canonical]:
        """Return the values that rows have, whether or not the person sees them."""
        spec, field = self.room.specs[key], self._field(key)
        if not spec.unique or not values:
            return ()
        wanted = [to_python(spec.type, value) for value in values]
        rows = self.room.model._base_manager.filter(**{f"{field.attname}__in": wanted})
        found = (to_canonical(spec.type, value) for value in rows.values_list(field.attname, flat=True))
        return {value for value in found if value is not None and not isinstance(value, list)}

    def add_fields(self, choices: Sequence[ColumnChoice], *, at: datetime) -> None:
        """Do nothing: only a release gives a model fields."""

    def put(self, rows: Sequence[bytes], *, import_id: UUID, by: UUID | None, at: datetime) -> None:
        """Add the rows, and note which they are and what they hold."""
        made = load(room=self.room, rows=rows, by=by, at=at)
        kept = self._digested().filter(pk__in=[obj.pk for obj in made]).order_by("pk")
        ImportedRow.objects.bulk_create(
            [
                ImportedRow(import_of_id=import_id, row=pk, digest=digest)
                for pk, digest in kept.values_list("pk", "holds")
            ]
        )

    def finish(self) -> None:
        """Do nothing: the model's indexes are there."""

    def links_made_possible(self, holder: Holder) -> list[dict[str, Any]]:
        """Return none: collections link to collections."""
        return []

    def count(self, import_id: UUID) -> int:
        """Count the rows that are left of an import."""
        return self._of(import_id).count()

    def changed(self, import_id: UUID) -> int:
        """Count those that hold something else than they came with."""
        return self._of(import_id).exclude(_as_it_came()).count()

    def take_out(self, import_id: UUID, *, after: str, limit: int, unchanged_only: bool) -> Removed:
        """Delete the next rows. Those that other rows need stay."""
        some = ImportedRow.objects.filter(import_of=import_id).order_by("pk")
        if after:
            some = some.filter(pk__gt=UUID(after))
        found = list(some.values_list("pk", "row")[:limit])
        if not found:
            return Removed(0, None)
        rows = self._digested().filter(pk__in=[row for _, row in found])
        keys = list((rows.filter(_as_it_came()) if unchanged_only else rows).values_list("pk", flat=True))
        return Removed(self._delete(keys), str(found[-1][0]))

    def told_of(self, subject: Model) -> Model:
        """Return the import: a room as a whole is no row that the trail could name."""
        return subject

    def _delete(self, keys: Sequence[UUID]) -> int:
        try:
            with transaction.atomic():
                _, gone = self.room.model._base_manager.filter(pk__in=keys).delete()
                return gone.get(self.room.model._meta.label, 0)
        except IntegrityError:
            if len(keys) == 1:
                return 0
        middle = len(keys) // 2
        return self._delete(keys[:middle]) + self._delete(keys[middle:])

    def _field(self, key: str) -> Any:
        return self.room.model._meta.get_field(key)

    def _digested(self) -> "QuerySet[Any]":
        table = connections[required().alias].ops.quote_name(self.room.model._meta.db_table)
        holds = Func(template=f"md5({table}::text)", output_field=TextField())
        return self.room.model._base_manager.annotate(holds=holds)

    def _of(self, import_id: UUID) -> "QuerySet[Any]":
        return self._digested().filter(pk__in=ImportedRow.objects.filter(import_of=import_id).values("row"))


def _as_it_came() -> Exists:
    return Exists(ImportedRow.objects.filter(row=OuterRef("pk"), digest=OuterRef("holds")))
