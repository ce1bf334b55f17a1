"""How far each organisation is with a question that only it can answer."""

from typing import ClassVar

from django.db import models

from tenants.models.base import ControlRow
from tenants.models.organisation import Organisation


class QuestionProgress(models.TextChoices):
    """What became of a question."""

    ASKED = "asked", "Asked"
    ANSWERED = "answered", "Answered"
    DEFAULTED = "defaulted", "Default taken"


class QuestionState(ControlRow):
    """One question to one organisation. The answer itself is the organisation's, in its schema."""

    organisation = models.ForeignKey(Organisation, on_delete=models.CASCADE, related_name="questions")
    key = models.CharField(max_length=60)
    progress = models.CharField(
        max_length=12, choices=QuestionProgress.choices, default=QuestionProgress.ASKED
    )
    asked_at = models.DateTimeField()
    settled_at = models.DateTimeField(null=True, blank=True)

    objects: ClassVar[models.Manager["QuestionState"]] = models.Manager()

    class Meta:
        ordering = ("key", "progress", "asked_at")
        verbose_name = "question to an organisation"
        verbose_name_plural = "questions to organisations"
        constraints = [
            models.UniqueConstraint(name="question_once", fields=["organisation", "key"]),
            models.CheckConstraint(
                name="question_progress_is_known",
                condition=models.Q(progress__in=QuestionProgress.values),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.key}: {self.progress}"
