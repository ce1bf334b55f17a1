"""Gives the example app the column that its later release has, so that the trail captures it too."""

from django.apps import AppConfig
from django.conf import settings
from django.db import models


class LaterConfig(AppConfig):
    """Stands after the example app in INSTALLED_APPS."""

    name = "benchmarks.fleet_migrations"
    label = "later"

    def ready(self) -> None:
        if getattr(settings, "LATER", "") == "column":
            from records import rooms
            from tests.rooms.gear.models import Speaker

            Speaker.add_to_class("colour", models.CharField(max_length=20, null=True))  # as the migration
            rooms.register(Speaker, title="Speakers", icon="speaker-wave")
