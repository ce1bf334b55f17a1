"""An organisation that becomes part of another one."""

from datetime import datetime, timedelta
from typing import ClassVar, Self

from django.db import models

from operations.models.leaving import LeavingRow
from tenants.models import Organisation

# Until then it can be undone, unless somebody closes it before.
UNDONE_WITHIN = timedelta(days=30)


class MergeStep(models.TextChoices):
    """How far a merge is. From `closed` on there is no way back."""

    ASKED = "asked", "Looking for clashes"
    FOUND = "found", "Waits for a second operator"
    APPROVED = "approved", "Approved"
    STAGED = "staged", "Under way"
    DONE = "done", "Merged, can be undone"
    CLOSED = "closed", "Merged for good"
    UNDOING = "undoing", "Being undone"
    UNDONE = "undone", "Undone"
    FAILED = "failed", "Failed"
    CANCELLED = "cancelled", "Cancelled"


ENDED = (MergeStep.CLOSED, MergeStep.UNDONE, MergeStep.FAILED, MergeStep.CANCELLED)
AT_WORK = (MergeStep.ASKED, MergeStep.APPROVED, MergeStep.STAGED, MergeStep.UNDOING)
# In which the absorbed organisation is closed to its people.
TAKEN = (MergeStep.APPROVED, MergeStep.STAGED, MergeStep.DONE, MergeStep.UNDOING)


class MergeQuerySet(models.QuerySet["Merge"]):
    """Sets of merges."""

    def open(self) -> Self:
        """Return those that have come to no end."""
        return self.exclude(step__in=ENDED)

    def at_work(self) -> Self:
        """Return those that a process has something to do for."""
        return self.filter(step__in=AT_WORK)

    def under_way(self) -> Self:
        """Return those that were approved and whose rows have not all come, or gone back."""
        return self.filter(step__in=[MergeStep.APPROVED, MergeStep.STAGED, MergeStep.UNDOING])

    def of(self, organisation: Organisation) -> Self:
        """Return those in which an organisation has a part."""
        return self.filter(models.Q(absorbed=organisation) | models.Q(into=organisation))

    def due(self, *, at: datetime) -> Self:
        """Return those that can be undone no longer."""
        return self.filter(step=MergeStep.DONE, undo_until__lte=at)


class Merge(LeavingRow):
    """One merge: `absorbed` becomes part of `into`, through the copy `staged` on the shard `shard`.

    `result` has the clashes that were found and how many rows came; `began_at` is when they began to.
    """

    absorbed = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="merges_away")
    into = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="merges")
    step = models.CharField(max_length=10, choices=MergeStep.choices, default=MergeStep.ASKED)
    reason = models.CharField(max_length=300)
    approved_by = models.CharField(max_length=254, blank=True, default="")
    approved_at = models.DateTimeField(null=True)
    began_at = models.DateTimeField(null=True)
    undo_until = models.DateTimeField(null=True)
    staged = models.CharField(max_length=22, unique=True)
    shard = models.CharField(max_length=40)
    state_before = models.CharField(max_length=12, blank=True, default="")
    progress = models.CharField(max_length=120, blank=True, default="")

    objects: ClassVar[MergeQuerySet] = MergeQuerySet.as_manager()  # type: ignore[assignment]  # a manager with the queryset's methods

    class Meta:
        ordering = ("-asked_at",)
        constraints = [
            models.CheckConstraint(name="merge_has_reason", condition=~models.Q(reason="")),
            models.CheckConstraint(
                name="merge_of_two_organisations", condition=~models.Q(absorbed=models.F("into"))
            ),
            models.CheckConstraint(
                name="merge_needs_a_second_person", condition=~models.Q(approved_by=models.F("asked_by"))
            ),
            models.UniqueConstraint(
                name="merge_one_open_per_absorbed",
                fields=["absorbed"],
                condition=~models.Q(step__in=[step.value for step in ENDED]),
            ),
            models.UniqueConstraint(
                name="merge_one_open_per_survivor",
                fields=["into"],
                condition=~models.Q(step__in=[step.value for step in ENDED]),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.absorbed} into {self.into}: {self.get_step_display()}"
