"""A part of an organisation that becomes an organisation of its own."""

from datetime import datetime
from typing import ClassVar, Self

from django.db import models

from operations.models.leaving import LeavingRow
from tenants.models import Organisation


class SplitStep(models.TextChoices):
    """How far a split is. From `closed` on there is no way back."""

    ASKED = "asked", "Looking for what has two claims"
    FOUND = "found", "Waits for a second operator"
    APPROVED = "approved", "Approved"
    STAGED = "staged", "Under way"
    DONE = "done", "Split, can be undone"
    CLOSED = "closed", "Split for good"
    UNDOING = "undoing", "Being undone"
    UNDONE = "undone", "Undone"
    FAILED = "failed", "Failed"
    CANCELLED = "cancelled", "Cancelled"


ENDED = (SplitStep.CLOSED, SplitStep.UNDONE, SplitStep.FAILED, SplitStep.CANCELLED)
AT_WORK = (SplitStep.ASKED, SplitStep.APPROVED, SplitStep.STAGED, SplitStep.UNDOING)


class SplitQuerySet(models.QuerySet["Split"]):
    """Sets of splits."""

    def open(self) -> Self:
        """Return those that have come to no end."""
        return self.exclude(step__in=ENDED)

    def at_work(self) -> Self:
        """Return those that a process has something to do for."""
        return self.filter(step__in=AT_WORK)

    def under_way(self) -> Self:
        """Return those that were approved and whose rows have not all come, or gone back."""
        return self.filter(step__in=[SplitStep.APPROVED, SplitStep.STAGED, SplitStep.UNDOING])

    def of(self, organisation: Organisation) -> Self:
        """Return those in which an organisation has a part."""
        return self.filter(models.Q(source=organisation) | models.Q(made=organisation))

    def due(self, *, at: datetime) -> Self:
        """Return those that can be undone no longer."""
        return self.filter(step=SplitStep.DONE, undo_until__lte=at)


class Split(LeavingRow):
    """One split: what `picks` names leaves `source` and becomes `made`, called `name`, at the address `slug`.

    `picks` has ids alone: of collections and people that go, of people who are in both, and of its first
    owner. It counts as another organisation from `effective_at` on; `staged` is the copy that its rows come
    from.
    """

    source = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="splits")
    made = models.ForeignKey(Organisation, null=True, on_delete=models.PROTECT, related_name="split_off_by")
    step = models.CharField(max_length=10, choices=SplitStep.choices, default=SplitStep.ASKED)
    reason = models.CharField(max_length=300)
    name = models.CharField(max_length=120)
    slug = models.CharField(max_length=40)
    picks = models.JSONField(default=dict)
    effective_at = models.DateTimeField()
    approved_by = models.CharField(max_length=254, blank=True, default="")
    approved_at = models.DateTimeField(null=True)
    undo_until = models.DateTimeField(null=True)
    staged = models.CharField(max_length=22, unique=True)
    shard = models.CharField(max_length=40)
    progress = models.CharField(max_length=120, blank=True, default="")

    objects: ClassVar[SplitQuerySet] = SplitQuerySet.as_manager()  # type: ignore[assignment]  # a manager with the queryset's methods

    class Meta:
        ordering = ("-asked_at",)
        constraints = [
            models.CheckConstraint(name="split_has_reason", condition=~models.Q(reason="")),
            models.CheckConstraint(
                name="split_needs_a_second_person", condition=~models.Q(approved_by=models.F("asked_by"))
            ),
            models.UniqueConstraint(
                name="split_one_open_per_source",
                fields=["source"],
                condition=~models.Q(step__in=[step.value for step in ENDED]),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} out of {self.source}: {self.get_step_display()}"
