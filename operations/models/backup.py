"""Base back-ups of servers, and organisations brought back from them."""

from datetime import datetime, timedelta
from typing import ClassVar, Self

from django.db import models

from operations.models.noted import NotedRow
from tenants.models import ControlRow, Organisation

# What was replaced by a restore can be had back for so long.
KEPT_FOR = timedelta(days=30)
OLD_AFTER = timedelta(days=1)


class BaseBackup(NotedRow):
    """One copy of a whole server, from which with its archived log any later moment can be had back."""

    class State(models.TextChoices):
        """How far the copy is."""

        RUNNING = "running", "Running"
        GOOD = "good", "Good"
        FAILED = "failed", "Failed"
        PRUNED = "pruned", "Deleted"

    system = models.CharField(max_length=20, help_text="The server's own number, the same for its copies.")
    shards = models.JSONField(default=list, help_text="Aliases of the shards on that server.")
    state = models.CharField(max_length=8, choices=State.choices, default=State.RUNNING)
    folder = models.CharField(max_length=400)
    began_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    first_segment = models.CharField(max_length=24, blank=True, default="")
    size_bytes = models.BigIntegerField(default=0)
    error = models.TextField(blank=True, default="")

    class Meta:
        ordering = ("-began_at",)
        verbose_name = "base back-up"

    def __str__(self) -> str:
        return f"{', '.join(self.shards)} of {self.began_at:%Y-%m-%d %H:%M}"


class RestoreStep(models.TextChoices):
    """How far a restore is; each step is written before the next begins."""

    ASKED = "asked", "Waits for a second operator"
    APPROVED = "approved", "Approved"
    READ = "read", "Read from the back-up"
    LOADED = "loaded", "Loaded and compared"
    SWAPPED = "swapped", "In place"
    DONE = "done", "Done"
    FAILED = "failed", "Failed"
    UNDONE = "undone", "Undone"
    DECLINED = "declined", "Declined"


ENDED = (RestoreStep.DONE, RestoreStep.FAILED, RestoreStep.UNDONE, RestoreStep.DECLINED)


class RestoreQuerySet(models.QuerySet["Restore"]):
    """Sets of restores."""

    def unfinished(self) -> Self:
        """Return those that were approved and have come to no end, and those that shall be undone."""
        under_way = ~models.Q(step__in=[RestoreStep.ASKED, *ENDED])
        return self.filter(under_way | models.Q(step=RestoreStep.DONE, result__has_key="undo"))

    def open(self) -> Self:
        """Return those that wait for somebody or are under way."""
        return self.exclude(step__in=ENDED)

    def overdue(self, *, at: datetime) -> Self:
        """Return those whose replaced schema was kept for long enough, and shall not be put back."""
        return self.filter(kept_until__lt=at).exclude(other_schema="").exclude(result__has_key="undo")


class Restore(NotedRow):
    """One organisation brought back to how it was at `to_time`, from a base back-up or from a bundle.

    `other_schema` is loaded beside the live schema and then holds what was replaced, until `kept_until`.
    `result` counts what was done; its "undo" says who wants that taken back and why, until it is.
    """

    organisation = models.ForeignKey(Organisation, on_delete=models.CASCADE, related_name="restores")
    to_time = models.DateTimeField()
    bundle = models.CharField(max_length=400, blank=True, default="", help_text="Empty: from a base back-up.")
    reason = models.CharField(max_length=300)
    asked_by = models.CharField(max_length=254)
    asked_at = models.DateTimeField()
    approved_by = models.CharField(max_length=254, blank=True, default="")
    approved_at = models.DateTimeField(null=True)
    step = models.CharField(max_length=10, choices=RestoreStep.choices, default=RestoreStep.ASKED)
    other_schema = models.CharField(max_length=22, blank=True, default="")
    result = models.JSONField(default=dict, blank=True)
    error = models.TextField(blank=True, default="")
    ended_at = models.DateTimeField(null=True)
    kept_until = models.DateTimeField(null=True)

    objects: ClassVar[RestoreQuerySet] = RestoreQuerySet.as_manager()  # type: ignore[assignment]  # a manager with the queryset's methods

    class Meta:
        ordering = ("-asked_at",)
        constraints = [
            models.CheckConstraint(name="restore_has_reason", condition=~models.Q(reason="")),
            models.CheckConstraint(
                name="restore_needs_a_second_person", condition=~models.Q(approved_by=models.F("asked_by"))
            ),
            models.UniqueConstraint(
                name="restore_one_open_per_organisation",
                fields=["organisation"],
                condition=~models.Q(step__in=["done", "failed", "undone", "declined"]),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.organisation} to {self.to_time:%Y-%m-%d %H:%M:%S}: {self.get_step_display()}"


class RestoreDrill(ControlRow):
    """One rehearsal: organisations restored beside the live ones, compared, and dropped."""

    to_time = models.DateTimeField()
    began_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    wanted = models.PositiveIntegerField()
    equal = models.PositiveIntegerField(default=0)
    rows = models.BigIntegerField(default=0)
    took_seconds = models.FloatField(default=0)
    error = models.TextField(blank=True, default="")

    class Meta:
        ordering = ("-began_at",)

    def __str__(self) -> str:
        return f"{self.equal} of {self.wanted}"
