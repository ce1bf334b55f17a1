"""The table of the rival: what a record is, with Django's own fields."""

from typing import ClassVar

from auditlog.registry import auditlog
from django.db import models

from records.values import ExactDecoder, ExactEncoder


class Row(models.Model):
    """One record."""

    collection_id = models.UUIDField()
    values = models.JSONField(encoder=ExactEncoder, decoder=ExactDecoder)
    version = models.PositiveIntegerField(default=1)
    created_at = models.DateTimeField(auto_now_add=True)

    objects: ClassVar[models.Manager["Row"]] = models.Manager()

    class Meta:
        app_label = "stockrows"

    def __str__(self) -> str:
        return str(self.pk)


auditlog.register(Row)
