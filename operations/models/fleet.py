"""How far each organisation's schema has come."""

from django.db import models

from tenants.models import Organisation


class FleetState(models.Model):
    """The last migration of one organisation's schema: to what, when, how long, and what went wrong."""

    organisation = models.OneToOneField(
        Organisation, primary_key=True, on_delete=models.CASCADE, related_name="fleet_state"
    )
    version = models.CharField(max_length=64, help_text="Digest of the migrations that the schema has.")
    migrated_at = models.DateTimeField(null=True)
    took_ms = models.PositiveIntegerField(default=0)
    error = models.TextField(blank=True, default="")

    class Meta:
        verbose_name = "state of a schema"
        verbose_name_plural = "states of schemas"

    def __str__(self) -> str:
        return f"{self.organisation_id}: {self.version[:12]}"


class SchemaVersion(models.Model):
    """A version of a schema that some release makes; `number` counts the releases before that one."""

    version = models.CharField(max_length=64, primary_key=True)
    number = models.PositiveIntegerField()
    noted_at = models.DateTimeField(auto_now=True)

    def __str__(self) -> str:
        return f"{self.version[:12]}: {self.number}"
