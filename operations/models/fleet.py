"""How far each organisation's schema has come, and the runs that brought it there."""

from django.db import models
from django.utils import timezone

from tenants.models import ControlRow, Organisation
from tenants.placement import Ring


class FleetState(models.Model):
    """The last migration of one organisation's schema: to what, when, how long, and what went wrong.

    The fingerprint is taken apart from migrations: a digest of everything that the catalogue says of the
    schema. `differs` names what is otherwise than in the template of the same version.
    """

    organisation = models.OneToOneField(
        Organisation, primary_key=True, on_delete=models.CASCADE, related_name="fleet_state"
    )
    version = models.CharField(max_length=64, help_text="Digest of the migrations that the schema has.")
    migrated_at = models.DateTimeField(null=True)
    took_ms = models.PositiveIntegerField(default=0)
    error = models.TextField(blank=True, default="")
    waits = models.TextField(
        blank=True,
        default="",
        db_default="",
        help_text="What it waits for: a run passed it over, and the next one looks again.",
    )
    fingerprint = models.CharField(max_length=64, blank=True, default="", db_default="")
    looked_at = models.DateTimeField(null=True, db_index=True)
    differs = models.TextField(blank=True, default="", db_default="")

    class Meta:
        verbose_name = "state of a schema"
        verbose_name_plural = "states of schemas"

    def __str__(self) -> str:
        return f"{self.organisation_id}: {self.version[:12]}"


class FleetRun(ControlRow):
    """One run through the fleet: how far it is, and whether somebody wants it to stop."""

    class State(models.TextChoices):
        """What a run is doing, or how it ended."""

        RUNNING = "running", "Running"
        PAUSING = "pausing", "Pausing"
        DONE = "done", "Done"
        STOPPED = "stopped", "Stopped"
        BROKEN_OFF = "broken off", "Broken off"

    aim = models.CharField(max_length=64)
    state = models.CharField(max_length=12, choices=State.choices, default=State.RUNNING)
    ring = models.CharField(max_length=12, choices=[(ring.value, ring.value.capitalize()) for ring in Ring])
    total = models.PositiveIntegerField()
    migrated = models.PositiveIntegerField(default=0)
    failed = models.PositiveIntegerField(default=0)
    began_at = models.DateTimeField(default=timezone.now)
    goes_on_at = models.DateTimeField(null=True, help_text="When the pause between two rings ends.")
    ended_at = models.DateTimeField(null=True)
    stop_asked_at = models.DateTimeField(null=True)
    said = models.TextField(blank=True, default="", help_text="Why it stopped.")

    class Meta:
        ordering = ("-began_at",)
        verbose_name = "run of migrations"
        verbose_name_plural = "runs of migrations"
        constraints = [
            models.CheckConstraint(
                name="run_has_ended_or_not",
                condition=models.Q(state__in=["running", "pausing"], ended_at=None)
                | models.Q(state__in=["done", "stopped", "broken off"], ended_at__isnull=False),
            )
        ]

    def __str__(self) -> str:
        return f"{self.began_at:%d %b %Y %H:%M}: {self.migrated} of {self.total}"

    @property
    def is_at_work(self) -> bool:
        """Return whether it has not ended."""
        return self.ended_at is None


class SchemaVersion(models.Model):
    """A version of a schema that some release makes; `number` counts the releases before that one."""

    version = models.CharField(max_length=64, primary_key=True)
    number = models.PositiveIntegerField()
    noted_at = models.DateTimeField(auto_now=True)

    def __str__(self) -> str:
        return f"{self.version[:12]}: {self.number}"
