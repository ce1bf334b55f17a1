"""`manage.py cut_release NAME`: write down which migrations a release ends with."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from operations.fleet.releases import BadReleases, cut


class Command(BaseCommand):
    """Adds the release to operations/releases.json, which is committed with the release."""

    help = "Write down which migrations a release ends with."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", help="such as 2026.12")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            cut(options["name"])
        except BadReleases as refusal:
            raise CommandError(str(refusal)) from refusal
        self.stdout.write(
            f"Release {options['name']} is written down. Commit operations/releases.json with it."
        )
