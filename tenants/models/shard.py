"""A shard: one database on a PostgreSQL server, in which organisations have their schemas."""

from django.db import models


class Shard(models.Model):
    """One database for tenants. Its address and logins come from the environment, never from here."""

    alias = models.CharField(primary_key=True, max_length=40)
    region = models.CharField(max_length=40, default="local")
    capacity = models.PositiveIntegerField(default=5000, help_text="How many organisations may live here.")
    reserved_for = models.CharField(
        max_length=40,
        blank=True,
        default="",
        db_default="",
        help_text="The customer whose own server it is; empty for one that all share.",
    )
    is_open = models.BooleanField(default=True, help_text="Whether new organisations are placed here.")

    class Meta:
        ordering = ("alias",)

    def __str__(self) -> str:
        return self.alias
