"""Collections: what an organisation keeps, designed by itself."""

from typing import TYPE_CHECKING, Self
from uuid import UUID

from django.db import models
from django.db.models import Q, Sum
from django.db.models.functions import Now

from permissions.perms import on_model
from records.perms import ON_COLLECTION
from records.values import FieldSpec
from tenants.models.base import TenantRow

if TYPE_CHECKING:
    from django.db.models.fields.related_descriptors import RelatedManager

    from records.models.field import Field

NAME_LENGTH = 100


class CollectionQuerySet(models.QuerySet["Collection"]):
    """Questions about many collections."""

    def live(self) -> Self:
        """Collections that are not in the bin."""
        return self.filter(deleted_at=None)

    def with_counts(self) -> Self:
        """Add `live_count`: what `record_count` answers, for a whole list in the same query."""
        return self.annotate(live_count=Sum("tallies__live", default=0))


class Collection(TenantRow):
    """A set of records of one design.

    `key` names it in addresses and never changes; `title_key` is the field whose value names a record;
    `design` counts the changes of its fields, so that compiled designs can be kept by it.
    """

    name = models.CharField(max_length=NAME_LENGTH)
    key = models.SlugField(max_length=60, db_index=False)
    icon = models.CharField(max_length=60, default="table-cells")
    description = models.TextField(blank=True)
    title_key = models.CharField(max_length=63, blank=True)
    default_sort = models.CharField(max_length=64, blank=True)
    position = models.IntegerField(default=0)
    design = models.PositiveIntegerField(default=1)
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    created_by = models.UUIDField(null=True, editable=False)
    deleted_at = models.DateTimeField(null=True, editable=False)
    deleted_by = models.UUIDField(null=True, editable=False)

    objects = CollectionQuerySet.as_manager()

    if TYPE_CHECKING:
        fields: RelatedManager[Field]

    class Meta:
        ordering = ("position", "name")
        permissions = tuple(on_model(*ON_COLLECTION))
        constraints = [
            models.UniqueConstraint(name="collection_key_once", fields=["key"]),
            models.CheckConstraint(name="collection_has_name", condition=~Q(name="")),
        ]

    def __str__(self) -> str:
        return self.name

    def live_fields(self) -> "list[Field]":
        """Return the fields in their order. One query, or none if they were prefetched."""
        kept = [field for field in self.fields.all() if field.deleted_at is None]
        return sorted(kept, key=lambda field: (field.position, str(field.pk)))

    def specs(self) -> list[FieldSpec]:
        """Return the design as the validator takes it."""
        return [field.spec() for field in self.live_fields()]

    def record_count(self) -> int:
        """Return how many records it has outside the bin, without counting them."""
        return self._tallied("live")

    def binned_count(self) -> int:
        """Return how many of its records lie in the bin, without counting them."""
        return self._tallied("binned")

    def _tallied(self, column: str) -> int:
        counted: int | None = getattr(self, "live_count", None) if column == "live" else None
        if counted is not None:
            return counted
        return int(self.tallies.aggregate(total=Sum(column, default=0))["total"])

    if TYPE_CHECKING:
        tallies: RelatedManager[models.Model]
        pk: UUID
