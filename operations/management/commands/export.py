"""`manage.py export SLUG`: write everything of one organisation into one file, for it to keep."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from operations.actions.exports import ask_export
from operations.leaving import exporting
from operations.leaving.problems import CannotLeave
from operations.leaving.shelf import path_of
from operations.models import ExportStep
from operations.restoring.alone import alone_with
from operations.restoring.bundle import Differs
from operations.restoring.problems import Busy
from tenants.models import Organisation


class Command(BaseCommand):
    """Writes an export where its owners can fetch it, or into a file."""

    help = "Write everything of one organisation into one file. Needs the owner's login."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("slug")
        parser.add_argument("--to", type=Path, metavar="FILE", help="a file that is not there yet")

    def handle(self, *args: Any, **options: Any) -> None:
        organisation = Organisation.objects.filter(slug=options["slug"]).first()
        if organisation is None:
            raise CommandError(f"There is no organisation at the address {options['slug']}.")
        try:
            self._write(organisation, options["to"])
        except (CannotLeave, Busy, Differs) as problem:
            raise CommandError(str(problem)) from problem

    def _write(self, organisation: Organisation, target: Path | None) -> None:
        if target is not None:
            if target.exists():
                raise CommandError(f"{target} is there already.")
            with alone_with(str(organisation.shard_id), str(organisation.schema_name)):
                written = exporting.write(organisation, target)
            self.stdout.write(f"{target}: {written['result']}, SHA-256 {written['sha256']}")
            return
        waiting = organisation.exports.filter(step=ExportStep.ASKED).first()
        asked = waiting or ask_export(organisation, by="Command line")
        exporting.run(asked)
        if asked.step != ExportStep.DONE:
            raise CommandError(asked.error or "Another process writes it.")
        self.stdout.write(f"{path_of(asked)}: {asked.result}, SHA-256 {asked.sha256}")
