"""Which backfills are done here. It lies with the rows it speaks of, and is moved and restored with them."""

from django.db import models

from jobs.models.clock import ClockTime
from tenants.models import TenantRow


class Backfilled(TenantRow):
    """One backfill that found nothing left to do, and how many rows it had filled."""

    name = models.CharField(max_length=80, unique=True)
    rows = models.BigIntegerField(default=0, db_default=0)
    done_at = models.DateTimeField(db_default=ClockTime(), editable=False)

    class Meta:
        verbose_name = "finished backfill"

    def __str__(self) -> str:
        return self.name
