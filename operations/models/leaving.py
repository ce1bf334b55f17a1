"""What an organisation takes with it when it leaves, the end of its data, and its coming back."""

from datetime import datetime, timedelta
from typing import ClassVar, Self

from django.db import models

from operations.models.noted import NotedRow
from tenants.models import Organisation

# How long an export can be fetched.
FETCHED_WITHIN = timedelta(days=30)
# Data of who is gone stays for so long, unless two operators say that it goes at once.
ERASED_AFTER = timedelta(days=30)


class LeavingRow(NotedRow):
    """One piece of this work: who asked for it and when, how far it is, and what became of it."""

    asked_by = models.CharField(max_length=254)
    asked_at = models.DateTimeField()
    result = models.JSONField(default=dict, blank=True)
    error = models.TextField(blank=True, default="")
    ended_at = models.DateTimeField(null=True)

    class Meta:
        abstract = True


class ExportStep(models.TextChoices):
    """How far an export is."""

    ASKED = "asked", "Being written"
    DONE = "done", "Ready"
    FAILED = "failed", "Failed"
    REMOVED = "removed", "No longer kept"


class Export(LeavingRow):
    """Everything of an organisation in one file, for it to keep. `sha256` and `size_bytes` are the file's."""

    organisation = models.ForeignKey(Organisation, on_delete=models.CASCADE, related_name="exports")
    step = models.CharField(max_length=10, choices=ExportStep.choices, default=ExportStep.ASKED)
    sha256 = models.CharField(max_length=64, blank=True, default="")
    size_bytes = models.BigIntegerField(default=0)
    kept_until = models.DateTimeField(null=True)

    class Meta:
        ordering = ("-asked_at",)
        constraints = [
            models.UniqueConstraint(
                name="export_one_open_per_organisation",
                fields=["organisation"],
                condition=models.Q(step="asked"),
            ),
        ]

    def __str__(self) -> str:
        return f"Export of {self.organisation} of {self.asked_at:%Y-%m-%d %H:%M}"


class ErasureStep(models.TextChoices):
    """How far an erasure is; from `erasing` on there is no way back."""

    ASKED = "asked", "Waits for a second operator"
    APPROVED = "approved", "Approved, and waits for its day"
    ERASING = "erasing", "Erasing"
    DONE = "done", "Erased"
    CANCELLED = "cancelled", "Cancelled"


class ErasureQuerySet(models.QuerySet["Erasure"]):
    """Sets of erasures."""

    def open(self) -> Self:
        """Return those that have come to no end."""
        return self.exclude(step__in=[ErasureStep.DONE, ErasureStep.CANCELLED])

    def past_return(self, organisation: Organisation) -> Self:
        """Return those after which an organisation has no data any more, where it lives now."""
        begun = [ErasureStep.ERASING, ErasureStep.DONE]
        return self.filter(organisation=organisation, schema_name=organisation.schema_name, step__in=begun)

    def due(self, *, at: datetime) -> Self:
        """Return those whose day has come, and those that were begun."""
        approved = models.Q(step=ErasureStep.APPROVED, not_before__lte=at)
        return self.filter(approved | models.Q(step=ErasureStep.ERASING))


class Erasure(LeavingRow):
    """The end of an organisation's data. `result` is the proof: what was there, and that nothing is left."""

    # The proof outlives whatever it is about.
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="erasures")
    schema_name = models.CharField(max_length=22)
    step = models.CharField(max_length=10, choices=ErasureStep.choices, default=ErasureStep.ASKED)
    reason = models.CharField(max_length=300)
    not_before = models.DateTimeField()
    approved_by = models.CharField(max_length=254, blank=True, default="")
    approved_at = models.DateTimeField(null=True)

    objects: ClassVar[ErasureQuerySet] = ErasureQuerySet.as_manager()  # type: ignore[assignment]  # a manager with the queryset's methods

    class Meta:
        ordering = ("-asked_at",)
        constraints = [
            models.CheckConstraint(name="erasure_has_reason", condition=~models.Q(reason="")),
            models.CheckConstraint(
                name="erasure_needs_a_second_person", condition=~models.Q(approved_by=models.F("asked_by"))
            ),
            models.UniqueConstraint(
                name="erasure_one_open_per_organisation",
                fields=["organisation"],
                condition=~models.Q(step__in=["done", "cancelled"]),
            ),
        ]

    def __str__(self) -> str:
        return f"Erasure of {self.organisation}: {self.get_step_display()}"


class ReturnStep(models.TextChoices):
    """How far a return is."""

    LAYING = "laying", "Being laid out"
    ASKED = "asked", "Laid out"
    LOADED = "loaded", "Loaded and compared"
    DONE = "done", "Done"
    FAILED = "failed", "Failed"


class ReturnQuerySet(models.QuerySet["Return"]):
    """Sets of returns."""

    def open(self) -> Self:
        """Return those that have come to no end."""
        return self.exclude(step__in=[ReturnStep.DONE, ReturnStep.FAILED])


class Return(LeavingRow):
    """An organisation that came back from its export; it lives in `schema_name` on `shard` then."""

    organisation = models.ForeignKey(Organisation, on_delete=models.CASCADE, related_name="returns")
    step = models.CharField(max_length=10, choices=ReturnStep.choices, default=ReturnStep.LAYING)
    reason = models.CharField(max_length=300)
    export_sha256 = models.CharField(max_length=64)
    schema_name = models.CharField(max_length=22, unique=True)
    shard = models.CharField(max_length=40)

    objects: ClassVar[ReturnQuerySet] = ReturnQuerySet.as_manager()  # type: ignore[assignment]  # a manager with the queryset's methods

    class Meta:
        ordering = ("-asked_at",)
        constraints = [
            models.UniqueConstraint(
                name="return_one_open_per_organisation",
                fields=["organisation"],
                condition=~models.Q(step__in=["done", "failed"]),
            ),
        ]

    def __str__(self) -> str:
        return f"Return of {self.organisation}: {self.get_step_display()}"
