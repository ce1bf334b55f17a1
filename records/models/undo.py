"""What is needed to take a change back, for a while."""

from django.db import models
from django.db.models.functions import Now

from records.models.collection import Collection
from records.values import ExactDecoder, ExactEncoder
from tenants.models.base import TenantRow


class UndoStep(TenantRow):
    """A part of a change that can be taken back; all parts have the change's `token`.

    `kind` says how; `payload` holds the old and the new values of changed fields by record. Steps go
    after an hour, or when they are used.
    """

    token = models.UUIDField()
    kind = models.CharField(max_length=20)
    collection = models.ForeignKey(Collection, on_delete=models.CASCADE, related_name="+")
    owner_id = models.UUIDField(null=True)
    payload = models.JSONField(encoder=ExactEncoder, decoder=ExactDecoder)
    made_at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ("id",)
        indexes = [
            models.Index(name="undo_step_token", fields=["token"]),
            models.Index(name="undo_step_age", fields=["made_at"]),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.token}"
