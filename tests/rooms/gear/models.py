"""A room of an engineering team: the sound gear of the organisers."""

from django.db import models

from records import rooms
from tenants.models.base import TenantRow


class Speaker(TenantRow):
    """A loudspeaker."""

    name = models.CharField(max_length=100)
    serial = models.CharField(max_length=40, unique=True)
    watts = models.IntegerField(null=True, blank=True)
    state = models.CharField(max_length=10, choices=[("ok", "In order"), ("broken", "Broken")], default="ok")
    bought_on = models.DateField(null=True, blank=True)
    notes = models.TextField(blank=True)

    class Meta:
        ordering = ("name",)

    def __str__(self) -> str:
        return self.name


rooms.register(Speaker, title="Speakers", icon="speaker-wave")
