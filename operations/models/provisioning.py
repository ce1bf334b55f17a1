"""The making of an organisation, step by step, so that a sweeper can finish or undo it."""

from datetime import datetime, timedelta
from typing import ClassVar, Self

from django.db import models

from operations.models.noted import NotedRow
from tenants.models import Organisation, Shard

STALE_AFTER = timedelta(minutes=2)


class Step(models.TextChoices):
    """How far the making has come; each step is written before the next begins."""

    STARTED = "started", "Started"
    PLACED = "placed", "Schema claimed"
    FILLED = "filled", "Owner and settings written"
    DONE = "done", "Done"
    UNDONE = "undone", "Undone"


class ProvisioningQuerySet(models.QuerySet["Provisioning"]):
    """Sets of makings."""

    def stuck(self, *, at: datetime) -> Self:
        """Return what somebody began and nobody finished."""
        return self.exclude(step__in=[Step.DONE, Step.UNDONE]).filter(begun_at__lt=at - STALE_AFTER)


class Provisioning(NotedRow):
    """One attempt to make an organisation."""

    slug = models.CharField(max_length=40)
    name = models.CharField(max_length=120)
    shard = models.ForeignKey(Shard, on_delete=models.PROTECT)
    schema_name = models.CharField(max_length=22, blank=True, default="")
    organisation = models.ForeignKey(
        Organisation, null=True, on_delete=models.SET_NULL, related_name="makings"
    )
    step = models.CharField(max_length=10, choices=Step.choices, default=Step.STARTED)
    was_ready = models.BooleanField(default=False)
    error = models.TextField(blank=True, default="")
    begun_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    objects: ClassVar[ProvisioningQuerySet] = ProvisioningQuerySet.as_manager()  # type: ignore[assignment]  # a manager with the queryset's methods

    class Meta:
        ordering = ("-begun_at",)
        constraints = [
            models.UniqueConstraint(
                name="provisioning_one_open_per_slug",
                fields=["slug"],
                condition=~models.Q(step__in=["done", "undone"]),
            )
        ]

    def __str__(self) -> str:
        return f"{self.slug}: {self.step}"

    def reach(self, step: Step, **columns: object) -> None:
        """Write down that `step` was reached, with the columns that became known by it."""
        self.note(step=step, **columns)
