"""`manage.py migrate_fleet`: bring every organisation's schema to the current migrations."""

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from config.startup import refuse_or_start
from operations.actions.fleet import FleetBusy, FleetStopped, migrate_fleet
from operations.fleet.status import status_lines
from tenants.models import Organisation
from tenants.placement import Ring


class Command(BaseCommand):
    """Migrates all organisations; one that fails stops nobody, and the command ends with an error.

    Those that are being moved or wait for a backfill are no error: they are named, and have their turn later.
    """

    help = "Migrate every organisation on every shard. Needs the owner's login."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--status", action="store_true", help="show the state of each and change nothing")
        parser.add_argument("--only", metavar="SLUG", help="migrate one organisation")
        parser.add_argument(
            "--up-to",
            choices=[ring.value for ring in Ring],
            default=Ring.EVERYBODY.value,
            help="the last ring to migrate now; run it again for the rest",
        )
        parser.add_argument(
            "--pause",
            type=float,
            metavar="SECONDS",
            default=settings.FLEET_PAUSE_S,
            help="how long to wait between two rings (default: %(default)s)",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.DEVELOPMENT:
            refuse_or_start()
        if options["status"]:
            for line in status_lines():
                self.stdout.write(line)
            return
        if options["only"] and not Organisation.objects.placed().filter(slug=options["only"]).exists():
            raise CommandError(f"There is no organisation at the address {options['only']}.")
        failed, waiting = self._migrate(options["only"], Ring(options["up_to"]), options["pause"])
        if waiting:
            self.stdout.write(f"{waiting} organisations wait; the next run looks again.")
        if failed:
            raise CommandError(f"{failed} organisations were not migrated; see --status.")

    def _migrate(self, only: str | None, up_to: Ring, pause_s: float) -> tuple[int, int]:
        """Migrate, and return how many failed and how many wait."""
        failed = waiting = 0
        try:
            for state in migrate_fleet(only=only, up_to=up_to, pause_s=pause_s):
                failed += bool(state.error)
                waiting += bool(state.waits)
                said = state.error or state.waits or "migrated"
                self.stdout.write(f"{state.organisation.slug}: {said} ({state.took_ms} ms)")
        except FleetStopped as stopped:
            raise CommandError(f"Stopped: {stopped}") from stopped
        except FleetBusy as busy:
            raise CommandError(str(busy)) from busy
        return failed, waiting
