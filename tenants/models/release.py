"""A release: a name that organisations are placed on, and the pool of processes that serves it."""

from typing import ClassVar

from django.core.validators import RegexValidator
from django.db import models

RELEASE_NAME = r"^[a-z0-9](?:[a-z0-9.-]{0,38}[a-z0-9])?$"
POOL = r"^[A-Za-z0-9.-]+:[0-9]{1,5}$"


class ReleaseState(models.TextChoices):
    """Whether organisations are served by a release."""

    OPEN = "open", "Open"
    WITHDRAWN = "withdrawn", "Withdrawn"


class Release(models.Model):
    """One release that runs, or ran. Its processes know its name from their environment."""

    name = models.CharField(
        primary_key=True,
        max_length=40,
        validators=[
            RegexValidator(RELEASE_NAME, "Use lower-case letters, digits, dots and hyphens, up to 40.")
        ],
        help_text="What its processes have as ENCLAVE_RELEASE.",
    )
    state = models.CharField(max_length=12, choices=ReleaseState.choices, default=ReleaseState.OPEN)
    pool = models.CharField(
        max_length=200,
        blank=True,
        default="",
        validators=[RegexValidator(POOL, "Use host:port.")],
        help_text="Where its web processes answer, as the edge reaches them: host:port. Empty while only one "
        "release runs.",
    )

    objects: ClassVar[models.Manager["Release"]] = models.Manager()

    class Meta:
        ordering = ("name",)
        constraints = [
            models.CheckConstraint(
                name="release_state_is_known", condition=models.Q(state__in=ReleaseState.values)
            ),
        ]

    def __str__(self) -> str:
        return self.name
