"""`manage.py prepare`: bring the installation to the current code."""

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from config.startup import refuse_or_start
from operations.actions.fleet import FleetBusy, FleetStopped, migrate_fleet
from operations.actions.preparing import prepare
from operations.actions.shards import ShardsMissing


class Command(BaseCommand):
    """Migrates the control plane, builds the template, keeps ready schemas, and migrates who is behind.

    An organisation that cannot be migrated is named and stops nobody; the console shows it too.
    """

    help = "Migrate the control plane, the template and all organisations. Needs the owner's login."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--ready", type=int, default=4, help="ready schemas to keep on each shard")

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.DEVELOPMENT:
            refuse_or_start()
        try:
            notes = prepare(ready=options["ready"], verbosity=max(0, options["verbosity"] - 1))
        except ShardsMissing as missing:
            raise CommandError(str(missing)) from missing
        for note in notes:
            self.stderr.write(note)
        self._take_along()

    def _take_along(self) -> None:
        """Migrate those who are there. The others are served also where some could not be."""
        try:
            for state in migrate_fleet(pause_s=settings.FLEET_PAUSE_S):
                if state.error:
                    self.stderr.write(f"{state.organisation.slug} was not migrated: {state.error}")
        except (FleetStopped, FleetBusy) as stopped:
            self.stderr.write(f"Organisations were left as they are: {stopped}")
