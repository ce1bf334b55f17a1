"""Indexes on designed fields, and how far their making is."""

from django.db import models
from django.db.models.functions import Now

from records.models.collection import Collection
from tenants.models.base import TenantRow


class IndexKind(models.TextChoices):
    """What an index serves: order and comparison, several choices, or search."""

    ORDER = "order", "Sorting and filtering"
    MEMBERS = "members", "Filtering"
    SEARCH = "search", "Search"


class IndexStatus(models.TextChoices):
    """How far it is."""

    WANTED = "wanted", "Being prepared"
    READY = "ready", "Ready"
    FAILED = "failed", "Could not be prepared"
    UNWANTED = "unwanted", "Being removed"


class IndexState(TenantRow):
    """One index `ux_…`. Made and dropped by the owner's worker; the row goes when the index is gone."""

    collection = models.ForeignKey(Collection, on_delete=models.CASCADE, related_name="indexes")
    field_key = models.CharField(max_length=63, blank=True)
    kind = models.CharField(max_length=10, choices=IndexKind.choices)
    name = models.CharField(max_length=40)
    status = models.CharField(max_length=10, choices=IndexStatus.choices, default=IndexStatus.WANTED)
    error = models.TextField(blank=True)
    asked_at = models.DateTimeField(db_default=Now(), editable=False)
    ready_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        ordering = ("asked_at",)
        constraints = [models.UniqueConstraint(name="index_name_once", fields=["name"])]

    def __str__(self) -> str:
        return self.name
