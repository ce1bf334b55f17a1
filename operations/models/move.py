"""The moves of organisations from shard to shard, step by step, so that each can go on or be taken back."""

from datetime import datetime
from typing import Any, ClassVar, Self

from django.db import models
from django.utils import timezone

from tenants.models import ControlRow, Organisation, Shard


class MoveStep(models.TextChoices):
    """How far a move has come; each step is written when it is done, before the next begins."""

    ASKED = "asked", "Asked for"
    CHECKED = "checked", "Checked"
    MADE = "made", "Schema made on the target"
    COPYING = "copying", "Copying"
    COPIED = "copied", "Copied and caught up"
    COMPARED = "compared", "Compared, row by row"
    SWITCHING = "switching", "Switching"
    SWITCHED = "switched", "Lives on the target"
    KEPT = "kept", "Done; the old copy is kept, closed"
    DONE = "done", "Done"
    REVERTING = "reverting", "Being taken back"
    REVERTED = "reverted", "Taken back"


# In the order in which a move that goes well reaches them.
WAY = [
    MoveStep.ASKED,
    MoveStep.CHECKED,
    MoveStep.MADE,
    MoveStep.COPYING,
    MoveStep.COPIED,
    MoveStep.COMPARED,
    MoveStep.SWITCHING,
    MoveStep.SWITCHED,
    MoveStep.KEPT,
    MoveStep.DONE,
]
UNDER_WAY = frozenset(WAY[:8]) | {MoveStep.REVERTING}
CAN_BE_CANCELLED = frozenset(WAY[:6])
ARRIVED = frozenset(WAY[7:])


class MoveQuerySet(models.QuerySet["Move"]):
    """Sets of moves."""

    def under_way(self) -> Self:
        """Return those that have neither arrived nor been taken back."""
        return self.filter(step__in=UNDER_WAY)

    def arrived(self) -> Self:
        """Return those after which the organisation lived on the target, oldest first."""
        return self.filter(step__in=ARRIVED).order_by("asked_at")

    def to_be_dropped(self, *, at: datetime) -> Self:
        """Return those whose old copy has been kept for long enough."""
        return self.filter(step=MoveStep.KEPT, keep_until__lt=at)


class Move(ControlRow):
    """One move of an organisation. `epoch` is that of its placement before the move."""

    organisation = models.ForeignKey(Organisation, on_delete=models.CASCADE, related_name="moves")
    source = models.ForeignKey(Shard, on_delete=models.PROTECT, related_name="+")
    target = models.ForeignKey(Shard, on_delete=models.PROTECT, related_name="+")
    schema_name = models.CharField(max_length=22)
    epoch = models.PositiveIntegerField()
    version = models.CharField(max_length=64, blank=True, default="")
    step = models.CharField(max_length=10, choices=MoveStep.choices, default=MoveStep.ASKED)
    reason = models.CharField(max_length=300)
    asked_by = models.CharField(max_length=254)
    asked_at = models.DateTimeField()
    cancel_asked_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    keep_until = models.DateTimeField(null=True)
    note = models.CharField(max_length=200, blank=True, default="")
    error = models.TextField(blank=True, default="")
    # Where in the trail both sides were compared; a list of [step, moment]; and what was counted.
    position = models.JSONField(default=dict)
    history = models.JSONField(default=list)
    figures = models.JSONField(default=dict)

    objects: ClassVar[MoveQuerySet] = MoveQuerySet.as_manager()  # type: ignore[assignment]  # a manager with the queryset's methods

    class Meta:
        ordering = ("-asked_at",)
        constraints = [
            models.UniqueConstraint(
                name="move_one_under_way",
                fields=["organisation"],
                condition=models.Q(step__in=sorted(step.value for step in UNDER_WAY)),
            ),
            models.CheckConstraint(name="move_has_reason", condition=~models.Q(reason="")),
        ]

    def __str__(self) -> str:
        return f"{self.organisation_id}: {self.source_id} to {self.target_id}, {self.step}"

    @property
    def link_name(self) -> str:
        """The name of publication, slot and subscription."""
        return f"move_{self.schema_name[2:]}_{self.epoch}"

    @property
    def switched_at(self) -> datetime | None:
        """When the organisation began to live on the target; None before."""
        at = dict(self.history).get(MoveStep.SWITCHED.value)
        return datetime.fromisoformat(at) if at else None

    def reach(self, step: MoveStep, **columns: object) -> None:
        """Write down that `step` was reached, with the columns that became known by it."""
        history = [*self.history, [step.value, timezone.now().isoformat()]]
        self.note_columns(step=step.value, history=history, note="", **columns)

    def say(self, note: str) -> None:
        """Write down what is being done, for whoever follows."""
        self.note_columns(note=note[:200])

    def count(self, **figures: Any) -> None:
        """Write down what was counted or measured."""
        self.note_columns(figures={**self.figures, **figures})

    def note_columns(self, **columns: object) -> None:
        """Write these columns and no others."""
        for name, value in columns.items():
            setattr(self, name, value)
        type(self).objects.filter(pk=self.pk).update(**columns)
