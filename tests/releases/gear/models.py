"""The example of tests/rooms/gear, one release later."""

from django.db import models

from records import rooms
from tenants.capabilities import capability
from tenants.models.base import TenantRow

capability(
    "gear.colour",
    since=("gear", "0002_colour"),
    brings=("Speaker.colour", "Speaker.lent_on"),
)


class Speaker(TenantRow):
    """A loudspeaker."""

    name = models.CharField(max_length=100)
    serial = models.CharField(max_length=40, unique=True)
    watts = models.IntegerField(null=True, blank=True)
    state = models.CharField(max_length=10, choices=[("ok", "In order"), ("broken", "Broken")], default="ok")
    bought_on = models.DateField(null=True, blank=True)
    notes = models.TextField(blank=True)
    colour = models.CharField(max_length=20, db_default="black")
    lent_on = models.DateField(null=True, blank=True)

    class Meta:
        ordering = ("name",)

    def __str__(self) -> str:
        return self.name


rooms.register(Speaker, title="Speakers", icon="speaker-wave")
