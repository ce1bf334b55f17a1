"""An organisation that becomes part of another one."""

from typing import ClassVar

from django.db import models

from operations.models.joining import ENDED, JoiningQuerySet, JoiningRow
from tenants.models import Organisation


class Merge(JoiningRow):
    """One merge: `absorbed` becomes part of `into`. Its rows began to come at `began_at`."""

    noun = "merge"
    parts = ("absorbed", "into")

    absorbed = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="merges_away")
    into = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="merges")
    began_at = models.DateTimeField(null=True)
    state_before = models.CharField(max_length=12, blank=True, default="")

    objects: ClassVar[JoiningQuerySet["Merge"]] = JoiningQuerySet.as_manager()  # type: ignore[assignment]  # a manager with the queryset's methods

    class Meta(JoiningRow.Meta):
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
