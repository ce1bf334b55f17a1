"""`manage.py come_back FILE`: an organisation that was erased lives again, from its own export."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from operations.actions.placing import NoRoom
from operations.leaving import returning
from operations.leaving.problems import CannotReturn
from operations.management.operators import operator_named
from operations.models import ReturnStep
from operations.restoring.problems import Busy


class Command(BaseCommand):
    """Brings an organisation back; with --resume finishes what was interrupted."""

    help = "Bring an organisation that was erased back from its export. Needs the owner's login."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", nargs="?", type=Path, help="the export")
        parser.add_argument(
            "--shard", default="", help="where it shall live; by default where there is most room"
        )
        parser.add_argument("--reason", default="")
        parser.add_argument("--by", metavar="EMAIL", help="the operator who does it")
        parser.add_argument("--resume", action="store_true", help="finish returns that were interrupted")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["resume"]:
            self.stdout.write(f"{returning.run_all()} came back.")
            return
        if options["file"] is None:
            raise CommandError("Say which file.")
        by = operator_named(options["by"]).email
        try:
            row = returning.ask(options["file"], reason=options["reason"], by=by, shard=options["shard"])
            returning.run(row)
        except (CannotReturn, NoRoom, Busy) as problem:
            raise CommandError(str(problem)) from problem
        if row.step != ReturnStep.DONE:
            raise CommandError(f"{row.organisation.slug} did not come back: {row.error}")
        self.stdout.write(f"{row.organisation.slug} is back on {row.shard}: {row.result}")
