"""The table of a collection."""

from collections.abc import Mapping, Sequence
from datetime import datetime, tzinfo
from functools import cached_property, partial
from typing import Any
from uuid import UUID

from django.db.models import Model, Q, QuerySet
from django.utils import timezone

from permissions import perms
from permissions.holder import Who, holder_for
from permissions.policies import policy_for
from records import finding
from records.models import Collection, IndexState, Record
from records.models.index import IndexKind, IndexStatus
from records.perms import RECORDS_SENSITIVE
from records.tables import columns as names
from records.tables import search
from records.tables.base import Row, Table
from records.tables.columns import Column, ModelPlace, json_column, served, to_canonical, unserved
from records.tables.labels import name_references
from records.tables.query import Sort
from records.tables.refusals import NotPrepared
from records.titles import title_in
from records.values import Canonical, FieldSpec, FieldType

# Searching more records than this without the index would take longer than a page may.
SEARCHED_WITHOUT_INDEX = 20_000
_SYSTEM = (
    (names.CREATED, "Added", FieldType.DATETIME, "created_at"),
    (names.CREATED_BY, "Added by", FieldType.PERSON, "created_by"),
    (names.UPDATED, "Changed", FieldType.DATETIME, "updated_at"),
    (names.UPDATED_BY, "Changed by", FieldType.PERSON, "updated_by"),
)
_STATUS = {
    IndexStatus.WANTED: "preparing",
    IndexStatus.READY: "",
    IndexStatus.FAILED: "failed",
    IndexStatus.UNWANTED: "none",
}


def of_collection(
    collection: Collection,
    who: Who,
    *,
    at: datetime | None = None,
    zone: tzinfo | None = None,
    permissions: frozenset[str] | None = None,
) -> "CollectionTable":
    """Return the table of a collection for a person. Rights and days are those of `at` and `zone`.

    `permissions` are theirs on the collection, where they have been asked for already.
    """
    moment = at or timezone.now()
    table = CollectionTable(collection, who, at=moment, zone=zone or timezone.get_current_timezone())
    if permissions is not None:
        table.__dict__["permissions"] = permissions  # what the cached property would keep
    return table


class CollectionTable(Table):
    """A collection as one person sees it at one moment."""

    kind = "collection"

    def __init__(self, collection: Collection, who: Who, *, at: datetime, zone: tzinfo) -> None:
        super().__init__(holder_for(who, at=at), at=at, zone=zone)
        self.collection = collection

    @property
    def key(self) -> str:
        return self.collection.key

    @property
    def title(self) -> str:
        return self.collection.name

    @property
    def title_key(self) -> str:
        return self.collection.title_key if self.collection.title_key in self.columns else ""

    @cached_property
    def permissions(self) -> frozenset[str]:
        return policy_for(Collection).perms_of(self.holder, self.collection, self.at)

    @cached_property
    def specs(self) -> Mapping[str, FieldSpec]:
        """The whole design, also what this person may not read."""
        return {spec.key: spec for spec in self.collection.specs()}

    @cached_property
    def hidden(self) -> frozenset[str]:
        """Keys of fields that this person may not read."""
        if RECORDS_SENSITIVE in self.permissions:
            return frozenset()
        return frozenset(key for key, spec in self.specs.items() if spec.sensitive)

    @cached_property
    def columns(self) -> Mapping[str, Column]:
        found = {
            key: json_column(spec, state=partial(self._status, key))
            for key, spec in self.specs.items()
            if key not in self.hidden
        }
        for key, name, kind, attribute in _SYSTEM:
            place = ModelPlace(attribute, Record._meta.get_field(attribute), kind)
            spec = FieldSpec(key=key, name=name, type=kind)
            state = served if key == names.CREATED else unserved
            found[key] = Column(spec, place, state, system=True, sortable=kind is FieldType.DATETIME)
        return found

    @cached_property
    def indexes(self) -> Mapping[tuple[str, str], str]:
        """How far indexes are, by (kind, key of field)."""
        rows = IndexState.objects.filter(collection=self.collection)
        return {(kind, key): status for kind, key, status in rows.values_list("kind", "field_key", "status")}

    def _status(self, key: str) -> str:
        for kind in (IndexKind.ORDER, IndexKind.MEMBERS):
            if (kind, key) in self.indexes:
                return _STATUS[IndexStatus(self.indexes[kind, key])]
        return "none"

    @cached_property
    def sees_all(self) -> bool:
        """Whether this person sees every record of the collection."""
        return perms.RECORDS_VIEW in self.permissions

    def rows(self, *, to: str | None = None) -> "QuerySet[Any]":
        if (to or perms.RECORDS_VIEW) in self.permissions:
            # No condition on grants, no join: the index of the collection answers alone.
            return Record.objects.live().filter(collection=self.collection)
        return policy_for(Record).visible_within(self.holder, self.collection, self.at, to=to)

    def find(self, pk: UUID) -> Model | None:
        return finding.record_in(self.collection, pk) if self.sees_all else super().find(pk)

    def default_sort(self) -> Sort:
        kept = Sort.parse(self.collection.default_sort)
        column = self.columns.get(kept.key)
        return kept if column is not None and column.sortable else super().default_sort()

    def search(self, typed: str) -> Q:
        if not self.search_is_ready and self.collection.record_count() > SEARCHED_WITHOUT_INDEX:
            raise NotPrepared
        found = search.matches(typed, hidden=self.hidden)
        return found if found is not None else Q(pk__in=())

    @property
    def search_is_ready(self) -> bool:
        """Whether an index serves the search."""
        return self.indexes.get((IndexKind.SEARCH, "")) == IndexStatus.READY

    def known_count(self) -> int | None:
        return self.collection.record_count() if self.sees_all else None

    def row(self, obj: Model) -> Row:
        record: Any = obj
        record.collection = self.collection
        values: dict[str, Canonical] = {
            key: value for key, value in record.values.items() if key in self.columns
        }
        for key, _name, kind, attribute in _SYSTEM:
            value = to_canonical(kind, getattr(record, attribute))
            if value is not None:
                values[key] = value
        title = title_in(record, dict(self.specs))
        return Row(str(record.pk), title, values, record.version, record)

    def labels(self, rows: Sequence[Row]) -> dict[str, str]:
        return name_references([row.values for row in rows], list(self.columns.values()), self.holder)
