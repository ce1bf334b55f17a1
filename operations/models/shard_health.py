"""What was last seen of a shard: whether it answers, and the figures of its server."""

from typing import ClassVar, Self

from django.db import models

from tenants.models import Shard


class ShardHealthQuerySet(models.QuerySet["ShardHealth"]):
    """Sets of what was seen."""

    def down(self) -> Self:
        """Return those of shards that do not answer."""
        return self.exclude(down_since=None)

    def full(self) -> Self:
        """Return those of shards whose server has no room left on a disk."""
        return self.exclude(full_since=None)


class ShardHealth(models.Model):
    """The last look at one shard. Figures stay as they were while it does not answer."""

    shard = models.OneToOneField(Shard, primary_key=True, on_delete=models.CASCADE, related_name="health")
    looked_at = models.DateTimeField(help_text="When somebody last looked.")
    answered_at = models.DateTimeField(null=True, help_text="When it last answered.")
    down_since = models.DateTimeField(
        null=True, help_text="Since when it does not answer; empty while it does."
    )
    down_why = models.CharField(max_length=300, blank=True, default="")
    full_since = models.DateTimeField(
        null=True, help_text="Since when a disk of it is full; empty while there is room."
    )
    server = models.CharField(max_length=200, blank=True, default="")
    version = models.CharField(max_length=40, blank=True, default="")
    size_bytes = models.BigIntegerField(null=True)
    archived_bytes = models.BigIntegerField(
        null=True, help_text="Log archived since the server began to count."
    )
    archive_fails = models.BooleanField(default=False, help_text="Whether the last try to archive failed.")
    connections = models.PositiveIntegerField(null=True)
    connections_most = models.PositiveIntegerField(null=True)
    oldest_transaction_s = models.FloatField(null=True, help_text="Seconds since the oldest one began.")

    objects: ClassVar[ShardHealthQuerySet] = ShardHealthQuerySet.as_manager()  # type: ignore[assignment]  # a manager with the queryset's methods

    class Meta:
        verbose_name = "state of a shard"
        verbose_name_plural = "states of shards"

    def __str__(self) -> str:
        return f"{self.shard_id}: {'does not answer' if self.down_since else 'answers'}"
