"""`manage.py migrate_fleet`: bring every organisation's schema to the current migrations."""

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from config.startup import refuse_or_start
from operations.actions.fleet import FleetStopped, behind, migrate_fleet
from tenants.models import Organisation
from tenants.schema import wanted_version


class Command(BaseCommand):
    """Migrates all organisations; one that fails stops nobody, and the command ends with an error."""

    help = "Migrate every organisation on every shard. Needs the owner's login."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--status", action="store_true", help="show the state of each and change nothing")
        parser.add_argument("--only", metavar="SLUG", help="migrate one organisation")

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.DEVELOPMENT:
            refuse_or_start()
        if options["status"]:
            self._show_status()
            return
        if options["only"] and not Organisation.objects.placed().filter(slug=options["only"]).exists():
            raise CommandError(f"There is no organisation at the address {options['only']}.")
        failed = 0
        try:
            for state in migrate_fleet(only=options["only"]):
                failed += bool(state.error)
                self.stdout.write(
                    f"{state.organisation.slug}: {state.error or 'migrated'} ({state.took_ms} ms)"
                )
        except FleetStopped as stopped:
            raise CommandError(f"Stopped: {stopped}") from stopped
        if failed:
            raise CommandError(f"{failed} organisations were not migrated; see --status.")

    def _show_status(self) -> None:
        late = behind(wanted_version())
        self.stdout.write(f"{len(late)} organisations are behind.")
        for organisation in late:
            state = getattr(organisation, "fleet_state", None)
            self.stdout.write(f"{organisation.slug}: {state.error if state and state.error else 'waiting'}")
