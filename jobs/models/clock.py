"""The database's clock. Leases and due times never depend on the clocks of workers, which may differ."""

from datetime import timedelta
from typing import Any

from django.db import models
from django.db.models import Func, Value
from django.db.models.expressions import CombinedExpression, ExpressionWrapper


class ClockTime(Func):
    """`clock_timestamp()`: the time now, not the time at which the transaction began."""

    function = "clock_timestamp"
    template = "clock_timestamp()"
    output_field = models.DateTimeField()


def from_now(seconds: float) -> Any:
    """Return the expression for `seconds` from now by the database's clock."""
    moment: CombinedExpression = ClockTime() + Value(
        timedelta(seconds=seconds), output_field=models.DurationField()
    )
    return ExpressionWrapper(moment, output_field=models.DateTimeField())
