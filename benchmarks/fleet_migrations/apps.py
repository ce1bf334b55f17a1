"""Gives the example app the column that its later release has, so that the trail captures it too."""

from django.apps import AppConfig
from django.conf import settings
from django.db import models


class LaterConfig(AppConfig):
    """Stands after the example app in INSTALLED_APPS."""

    name = "benchmarks.fleet_migrations"
    label = "later"

    def ready(self) -> None:
        later = getattr(settings, "LATER", "")
        if later in ("column", "personal"):
            from records import rooms
            from tests.rooms.gear.models import Speaker

            # As the migrations of that name.
            if later == "column":
                Speaker.add_to_class("weight", models.IntegerField(null=True))
            else:
                Speaker.add_to_class("colour", models.CharField(max_length=20, null=True))
            rooms.register(Speaker, title="Speakers", icon="speaker-wave")
