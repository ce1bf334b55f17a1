"""`manage.py provision SLUG --name NAME --owner EMAIL`: make an organisation."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from operations.actions.provisioning import Wish, provision
from tenants.refusals import Refusal


class Command(BaseCommand):
    """Makes an organisation and prints its address."""

    help = "Make an organisation with its first owner."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("slug")
        parser.add_argument("--name", required=True)
        parser.add_argument("--owner", required=True, metavar="EMAIL")
        parser.add_argument("--owner-name", default="")
        parser.add_argument("--shard", default=None)
        parser.add_argument("--region", default="", help="only on a shard of this region")
        parser.add_argument("--customer", default="", help="on this customer's own server, and on no other")

    def handle(self, *args: Any, **options: Any) -> None:
        wish = Wish(
            slug=options["slug"],
            name=options["name"],
            owner_email=options["owner"],
            owner_name=options["owner_name"] or options["owner"].partition("@")[0],
            shard=options["shard"],
            region=options["region"],
            customer=options["customer"],
        )
        try:
            organisation = provision(wish)
        except Refusal as refusal:
            raise CommandError(str(refusal)) from refusal
        self.stdout.write(
            f"{organisation.slug} lives on {organisation.shard_id} as {organisation.schema_name}."
        )
        self.stdout.write(f"It answers at {organisation.primary_host}.")
