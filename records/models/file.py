"""Files of records. Their content lies outside the database."""

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from records.models.record import Record
from tenants.models.base import TenantRow


class RecordFile(TenantRow):
    """A file of a record, in a file field (`field_key`) or simply attached.

    `path` is made by the server and relative to the organisation's own folder; `name` is what it was
    called when it came; `content_type` was found in its content; `size` is in bytes.
    """

    record = models.ForeignKey(Record, on_delete=models.CASCADE, related_name="files")
    field_key = models.CharField(max_length=63, blank=True)
    name = models.CharField(max_length=255)
    content_type = models.CharField(max_length=100)
    size = models.BigIntegerField()
    sha256 = models.CharField(max_length=64)
    path = models.CharField(max_length=120, editable=False)
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    created_by = models.UUIDField(null=True, editable=False)
    deleted_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        ordering = ("created_at", "id")
        constraints = [
            models.UniqueConstraint(name="file_path_once", fields=["path"]),
            models.CheckConstraint(name="file_size_counts_bytes", condition=Q(size__gte=0)),
        ]

    def __str__(self) -> str:
        return self.name
