"""How many records a collection has, without counting them."""

from django.db import models

from records.models.collection import Collection
from tenants.models.base import TenantRow


class Tally(TenantRow):
    """A change of the count. The count is the sum.

    Statement triggers append a row for each statement that adds or takes records, so that writers of
    one collection never wait for each other, and fold the rows when there are 64. Nothing else writes it.
    """

    collection = models.ForeignKey(Collection, on_delete=models.CASCADE, related_name="tallies")
    live = models.BigIntegerField()
    binned = models.BigIntegerField()

    class Meta:
        db_table = "records_tally"

    def __str__(self) -> str:
        return f"{self.live:+}"
