"""Periods: from when until when something holds. The beginning belongs to it, the end does not."""

from datetime import datetime

from django.db import models
from django.db.models import Q


def holding(*, at: datetime, prefix: str = "") -> Q:
    """Return the condition of a period that holds at `at`; `prefix` leads to the row with the period."""
    return Q(**{f"{prefix}starts_at__lte": at}) & unended(at=at, prefix=prefix)


def unended(*, at: datetime, prefix: str = "") -> Q:
    """Return the condition of something that has not ended at `at`."""
    return Q(**{f"{prefix}ends_at": None}) | Q(**{f"{prefix}ends_at__gt": at})


class Period(models.Model):
    """A row that holds from `starts_at` until before `ends_at`, or without end."""

    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        abstract = True

    def holds(self, *, at: datetime) -> bool:
        """Return whether the period holds at `at`."""
        return self.starts_at <= at and (self.ends_at is None or at < self.ends_at)
