"""`manage.py fingerprint_fleet`: compare every organisation's schema with the template."""

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from config.startup import refuse_or_start
from operations.actions.fingerprints import take
from operations.models import FleetState


class Command(BaseCommand):
    """Looks at all organisations, or one; ends with an error where something differs."""

    help = "Compare the schema of every organisation with the template. Needs the owner's login."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--only", metavar="SLUG", help="look at one organisation")

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.DEVELOPMENT:
            refuse_or_start()
        states = FleetState.objects.exclude(organisation__state="gone").select_related("organisation")
        if options["only"]:
            states = states.filter(organisation__slug=options["only"])
            if not states:
                raise CommandError(f"There is no organisation at the address {options['only']}.")
        looked = list(take(states.order_by("organisation__slug"), at=timezone.now()))
        differing = [state for state in looked if state.differs]
        for state in differing:
            self.stdout.write(f"{state.organisation.slug} differs from the template in: {state.differs}")
        self.stdout.write(f"{len(looked)} organisations were looked at, {len(differing)} differ.")
        if differing:
            raise CommandError("A schema was changed by something else than migrations.")
