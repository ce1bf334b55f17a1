"""What merges and splits have in common: steps, who asked and approved, and the way back."""

from datetime import datetime, timedelta
from typing import ClassVar, Self, TypeVar, cast

from django.db import models

from operations.models.leaving import LeavingRow
from tenants.models import Organisation

# Until then it can be undone, unless somebody closes it before.
UNDONE_WITHIN = timedelta(days=30)


class JoiningStep(models.TextChoices):
    """How far a merge or a split is. From `closed` on there is no way back."""

    ASKED = "asked", "Being looked at"
    FOUND = "found", "Waits for approval"
    APPROVED = "approved", "Approved"
    STAGED = "staged", "Under way"
    DONE = "done", "Done, can be undone"
    CLOSED = "closed", "Done for good"
    UNDOING = "undoing", "Being undone"
    UNDONE = "undone", "Undone"
    FAILED = "failed", "Failed"
    CANCELLED = "cancelled", "Cancelled"


# In which nobody has approved it yet.
WAITING = (JoiningStep.ASKED, JoiningStep.FOUND)
# In which rows are on their way, or are about to be.
UNDER_WAY = (JoiningStep.APPROVED, JoiningStep.STAGED, JoiningStep.UNDOING)
# In which an organisation that is absorbed is closed to its people.
TAKEN = (*UNDER_WAY, JoiningStep.DONE)
# In which a process has something to do.
AT_WORK = (JoiningStep.ASKED, *UNDER_WAY)
ENDED = (JoiningStep.CLOSED, JoiningStep.UNDONE, JoiningStep.FAILED, JoiningStep.CANCELLED)

_Row = TypeVar("_Row", bound="JoiningRow")


class JoiningQuerySet(models.QuerySet[_Row]):
    """Sets of merges, or of splits."""

    def open(self) -> Self:
        """Return those that have come to no end."""
        return self.exclude(step__in=ENDED)

    def at_work(self) -> Self:
        """Return those that a process has something to do for."""
        return self.filter(step__in=AT_WORK)

    def under_way(self) -> Self:
        """Return those that were approved and whose rows have not all come, or gone back."""
        return self.filter(step__in=UNDER_WAY)

    def of(self, organisation: Organisation) -> Self:
        """Return those in which an organisation has a part."""
        one, other = (models.Q(**{part: organisation}) for part in self.model.parts)
        return self.filter(one | other)

    def due(self, *, at: datetime) -> Self:
        """Return those that can be undone no longer."""
        return self.filter(step=JoiningStep.DONE, undo_until__lte=at)


class JoiningRow(LeavingRow):
    """One piece of this work. `staged` is the schema, on the shard `shard`, that its rows come from.

    `result` has what was found and how many rows came.
    """

    # What one is called, and the command and the pages of the console with it.
    noun: ClassVar[str]
    # The columns of the organisations that have a part in it; it is asked for by the address of the first.
    parts: ClassVar[tuple[str, str]]

    step = models.CharField(max_length=10, choices=JoiningStep.choices, default=JoiningStep.ASKED)
    reason = models.CharField(max_length=300)
    approved_by = models.CharField(max_length=254, blank=True, default="")
    approved_at = models.DateTimeField(null=True)
    undo_until = models.DateTimeField(null=True)
    staged = models.CharField(max_length=22, unique=True)
    shard = models.CharField(max_length=40)
    progress = models.CharField(max_length=120, blank=True, default="")

    class Meta:
        abstract = True
        ordering = ("-asked_at",)

    def named(self) -> Organisation:
        """Return the organisation by whose address it is asked for and approved."""
        return cast(Organisation, getattr(self, self.parts[0]))

    def organisations(self) -> list[Organisation]:
        """Return the organisations that have a part in it, as far as they are there."""
        return [one for part in self.parts if (one := getattr(self, part)) is not None]
