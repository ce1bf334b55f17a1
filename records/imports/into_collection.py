"""Collections as what files go into."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Model

from permissions.holder import Holder
from permissions.policies import policy_for
from records.actions import fields, loading
from records.importing import Checked
from records.imports.designs import ColumnChoice
from records.imports.destination import Removed
from records.imports.suggesting import possible_links
from records.imports.targets import LinkFinder
from records.indexes.rules import plan
from records.models import Collection as Designed
from records.models import Record
from records.values import Canonical, FieldSpec

ROWS = 12_000  # a transaction: a piece of usual rows fits, and at half of the target it takes a second


@dataclass(frozen=True, slots=True)
class IntoCollection:
    """A collection, filled by COPY."""

    collection: Designed

    @property
    def name(self) -> str:
        """Return its name."""
        return self.collection.name

    @property
    def version(self) -> object:
        """Return the number of its design."""
        return self.collection.design

    @property
    def step(self) -> int:
        """Return how many rows go in at once."""
        return ROWS

    def specs(self) -> list[FieldSpec]:
        """Return its fields."""
        return list(self.collection.specs())

    def perms_of(self, holder: Holder) -> frozenset[str]:
        """Return what the holder may do; nothing to what lies in the bin."""
        if self.collection.deleted_at is not None:
            return frozenset()
        return policy_for(Designed).perms_of(holder, self.collection, holder.at)

    def finder(self, holder: Holder, choices: Sequence[ColumnChoice]) -> LinkFinder:
        """Return who finds linked records and people."""
        return LinkFinder(holder, choices)

    def judge(self, piece: Checked, columns: Mapping[str, str]) -> None:
        """Say nothing: all rules of a collection are in its design."""

    def used(self, key: str, values: Sequence[Canonical]) -> Collection[Canonical]:
        """Return the values that live records have."""
        field = next((one for one in self.collection.live_fields() if one.key == key and one.unique), None)
        # In a field that is yet to be made nobody has a value.
        return loading.taken(field=field, values=values) if field is not None else ()

    def add_fields(self, choices: Sequence[ColumnChoice], *, at: datetime) -> None:
        """Make the new fields."""
        for one in choices:
            if one.is_new:
                fields.add(
                    collection=self.collection,
                    key=one.spec.key,
                    name=one.spec.name,
                    type=one.spec.type,
                    unique=one.spec.unique,
                    choices=one.spec.choices,
                    options=one.spec.options,
                    by=None,
                    at=at,
                )

    def put(self, rows: Sequence[bytes], *, import_id: UUID, by: UUID | None, at: datetime) -> None:
        """COPY the rows."""
        loading.copy_in(collection=self.collection, rows=rows, import_id=import_id, by=by, at=at)

    def finish(self) -> None:
        """Ask for the indexes that so many records want."""
        plan(self.collection)

    def links_made_possible(self, holder: Holder) -> list[dict[str, Any]]:
        """Look at the fields of other collections."""
        return possible_links(self.collection, holder)

    def count(self, import_id: UUID) -> int:
        """Count the records, those in the bin too."""
        return Record.objects.filter(import_id=import_id).count()

    def changed(self, import_id: UUID) -> int:
        """Count those with another version than the first."""
        return Record.objects.filter(import_id=import_id, version__gt=1).count()

    def take_out(self, import_id: UUID, *, after: str, limit: int, unchanged_only: bool) -> Removed:
        """Delete what is left; no place is needed for that."""
        gone = loading.take_out(
            collection=self.collection, import_id=import_id, limit=limit, unchanged_only=unchanged_only
        )
        return Removed(gone, "" if gone else None)

    def told_of(self, subject: Model) -> Model:
        """Return the collection."""
        return self.collection
