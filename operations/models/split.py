"""A part of an organisation that becomes an organisation of its own."""

from typing import ClassVar

from django.db import models

from operations.models.joining import ENDED, JoiningQuerySet, JoiningRow
from tenants.models import Organisation


class Split(JoiningRow):
    """One split: what `picks` names leaves `source` and becomes `made`, called `name`, at the address `slug`.

    `picks` has ids alone: of collections and people that go, of people who are in both, and of its first
    owner. It counts as another organisation from `effective_at` on.
    """

    noun = "split"
    parts = ("source", "made")

    source = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="splits")
    made = models.ForeignKey(Organisation, null=True, on_delete=models.PROTECT, related_name="split_off_by")
    name = models.CharField(max_length=120)
    slug = models.CharField(max_length=40)
    picks = models.JSONField(default=dict)
    effective_at = models.DateTimeField()

    objects: ClassVar[JoiningQuerySet["Split"]] = JoiningQuerySet.as_manager()  # type: ignore[assignment]  # a manager with the queryset's methods

    class Meta(JoiningRow.Meta):
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
