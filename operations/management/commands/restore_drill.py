"""`manage.py restore_drill`: rehearse restoring, and compare."""

from argparse import ArgumentParser
from datetime import datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from operations.actions.drills import drill


class Command(BaseCommand):
    """Restores organisations beside the live ones, compares every table, and drops them."""

    help = "Rehearse restoring some organisations. Needs the logins of the owner and of back-ups."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--count", type=int, default=20)
        parser.add_argument("--at", type=datetime.fromisoformat, metavar="TIME", help="default: now")

    def handle(self, *args: Any, **options: Any) -> None:
        at = options["at"] or timezone.now()
        if at.tzinfo is None:
            raise CommandError("Say the time with its offset from UTC, such as 2026-01-31T12:00:00+00:00.")
        done = drill(count=options["count"], to=at)
        self.stdout.write(f"{done.equal} of {done.wanted} equal, {done.rows} rows, {done.took_seconds:.1f} s")
        if done.error or done.equal != done.wanted:
            raise CommandError(done.error or "Not all were equal.")
