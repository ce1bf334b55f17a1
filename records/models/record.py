"""Records: the values that an organisation keeps."""

from typing import Self

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from permissions.perms import on_model
from records.models.collection import Collection
from records.perms import ON_RECORD
from records.values import ExactDecoder, ExactEncoder
from tenants.models.base import TenantRow


class RecordQuerySet(models.QuerySet["Record"]):
    """Questions about many records."""

    def live(self) -> Self:
        """Records outside the bin."""
        return self.filter(deleted_at=None)

    def binned(self) -> Self:
        """Records in the bin."""
        return self.exclude(deleted_at=None)


class Record(TenantRow):
    """One record. `values` maps keys of fields to canonical values (records.values); empty ones are absent.

    `version` grows with each change and settles who was first. The reference to the collection is
    held by statement triggers (see the migration and ADR 0020): a check for each row would cost a
    tenth of an import. `created_by` and `updated_by` outlive the people they name.
    """

    collection = models.ForeignKey(
        Collection, on_delete=models.CASCADE, related_name="records", db_constraint=False, db_index=False
    )
    values = models.JSONField(default=dict, encoder=ExactEncoder, decoder=ExactDecoder)
    version = models.PositiveIntegerField(default=1, db_default=1)
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    created_by = models.UUIDField(null=True, editable=False)
    updated_at = models.DateTimeField(db_default=Now(), editable=False)
    updated_by = models.UUIDField(null=True, editable=False)
    deleted_at = models.DateTimeField(null=True, editable=False)
    import_id = models.UUIDField(null=True, editable=False)

    objects = RecordQuerySet.as_manager()

    class Meta:
        permissions = tuple(on_model(*ON_RECORD))
        indexes = [
            models.Index(name="record_live", fields=["collection", "id"], condition=Q(deleted_at=None)),
            models.Index(
                name="record_binned",
                fields=["collection", "deleted_at", "id"],
                condition=Q(deleted_at__isnull=False),
            ),
            models.Index(name="record_import", fields=["import_id"], condition=Q(import_id__isnull=False)),
        ]
        constraints = [models.CheckConstraint(name="record_version_counts_up", condition=Q(version__gte=1))]

    def __str__(self) -> str:
        return str(self.pk)
