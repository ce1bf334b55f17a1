"""Saved views: filters, sort and columns under a name."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower, Now

from records.models.collection import Collection
from tenants.models.base import TenantRow


class SavedView(TenantRow):
    """A way of looking at a table: a collection's, or the one of a registered room (`room`).

    Its maker sees it, everybody who sees the table does when it is shared. `filters` is a list of
    `[field, operator, [values]]`, `columns` the shown keys in order (empty: all).
    """

    collection = models.ForeignKey(Collection, on_delete=models.CASCADE, null=True, related_name="views")
    room = models.CharField(max_length=63, blank=True)
    name = models.CharField(max_length=100)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    is_shared = models.BooleanField(default=False)
    search = models.CharField(max_length=200, blank=True)
    filters = models.JSONField(default=list, blank=True)
    sort = models.CharField(max_length=64, blank=True)
    columns = models.JSONField(default=list, blank=True)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        ordering = ("name",)
        constraints = [
            models.CheckConstraint(
                name="view_of_one_table",
                condition=Q(collection=None) & ~Q(room="") | Q(collection__isnull=False, room=""),
            ),
            models.UniqueConstraint(
                "collection",
                "room",
                "owner",
                Lower("name"),
                name="view_name_once",
                nulls_distinct=False,
            ),
        ]

    def __str__(self) -> str:
        return self.name
