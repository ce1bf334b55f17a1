"""Backfills of the fleet: what was started, and how far each organisation is."""

from django.db import models
from django.db.models import Q

from tenants.models import ControlRow, Organisation


class Backfill(ControlRow):
    """A backfill that was started for all organisations. While it is paused, none goes on."""

    name = models.CharField(max_length=80, unique=True)
    is_paused = models.BooleanField(default=False, db_default=False)
    reason = models.CharField(max_length=300, blank=True, default="", help_text="Of the last act.")
    started_at = models.DateTimeField()

    class Meta:
        ordering = ("name",)

    def __str__(self) -> str:
        return self.name


class Progress(models.TextChoices):
    """How far an organisation is with a backfill."""

    WAITING = "waiting", "Waiting"
    RUNNING = "running", "Running"
    PAUSED = "paused", "Paused"
    FAILED = "failed", "Failed"
    DONE = "done", "Done"


class BackfillState(ControlRow):
    """One backfill in one organisation, as last seen. The truth is in the organisation's own schema.

    `done` of `total` rows were looked at. `looked_at` orders those who wait.
    """

    backfill = models.ForeignKey(Backfill, on_delete=models.CASCADE, related_name="states")
    organisation = models.ForeignKey(Organisation, on_delete=models.CASCADE, related_name="backfills")
    state = models.CharField(max_length=8, choices=Progress.choices, default=Progress.WAITING)
    done = models.BigIntegerField(default=0, db_default=0)
    total = models.BigIntegerField(default=0, db_default=0)
    note = models.CharField(max_length=300, blank=True, default="", db_default="")
    error = models.TextField(blank=True, default="", db_default="")
    looked_at = models.DateTimeField(null=True, blank=True)
    began_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("backfill", "organisation")
        verbose_name = "backfill of an organisation"
        verbose_name_plural = "backfills of organisations"
        constraints = [
            models.UniqueConstraint(
                name="backfill_once_per_organisation", fields=["backfill", "organisation"]
            ),
            models.CheckConstraint(name="backfill_state_is_known", condition=Q(state__in=Progress.values)),
        ]
        indexes = [models.Index(name="backfill_by_state", fields=["backfill", "state", "looked_at"])]

    def __str__(self) -> str:
        return f"{self.backfill_id} in {self.organisation_id}: {self.state}"
