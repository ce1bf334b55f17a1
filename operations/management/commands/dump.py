"""`manage.py dump SLUG`: write one organisation into a bundle."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from operations.restoring import bundle, places
from tenants.models import Organisation
from tenants.schema import labels


class Command(BaseCommand):
    """Writes a bundle, from which the organisation can be restored. Files of records are not in it."""

    help = "Write one organisation into a bundle. Needs the owner's login."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("slug")
        parser.add_argument("--to", type=Path, metavar="FOLDER", help="a folder that is not there yet")

    def handle(self, *args: Any, **options: Any) -> None:
        organisation = Organisation.objects.placed().filter(slug=options["slug"]).first()
        if organisation is None:
            raise CommandError(f"There is no organisation at the address {options['slug']}.")
        name = f"{organisation.slug}-{timezone.now():%Y%m%dT%H%M%S}"
        target = options["to"] or places.folder() / "bundles" / name
        if target.exists():
            raise CommandError(f"{target} is there already.")
        address = places.owner_address(str(organisation.shard_id))
        try:
            made = bundle.write(address, str(organisation.schema_name), target, labels=labels())
        except bundle.Differs as problem:
            raise CommandError(str(problem)) from problem
        self.stdout.write(f"{target}: {len(made.tables)} tables, {made.rows} rows")
