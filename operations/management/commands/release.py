"""`manage.py release SLUG --to NAME --reason WHY`: let another release serve an organisation."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from operations.actions.releasing import place_on_release
from tenants.models import Organisation
from tenants.refusals import Refusal


class Command(BaseCommand):
    """Upgrades one organisation, or takes the upgrade back."""

    help = "Let another release serve an organisation, from its next request on."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("slug")
        parser.add_argument("--to", required=True, metavar="NAME", help="the release")
        parser.add_argument("--reason", default="From the command line", help="kept with the act")

    def handle(self, *args: Any, **options: Any) -> None:
        organisation = Organisation.objects.placed().filter(slug=options["slug"]).first()
        if organisation is None:
            raise CommandError(f"There is no organisation at the address {options['slug']}.")
        try:
            place_on_release(organisation=organisation, to=options["to"], reason=options["reason"], by=None)
        except Refusal as refusal:
            raise CommandError(str(refusal)) from refusal
        self.stdout.write(f"{organisation.slug} is served by release {options['to']} within a second.")
