"""Counts that cost little: exact when known or few, "over 10,000" otherwise."""

from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet

COUNTED = 10_000


@dataclass(frozen=True, slots=True)
class Count:
    """How many rows; `exact` is False when there are more than `number`."""

    number: int
    exact: bool = True

    def __str__(self) -> str:
        return f"{self.number:,}" if self.exact else f"over {self.number:,}"


def count_up_to(rows: "QuerySet[Any]", most: int = COUNTED) -> Count:
    """Count the rows, but no further than `most`."""
    found = rows.order_by()[: most + 1].count()
    return Count(most, exact=False) if found > most else Count(found)
