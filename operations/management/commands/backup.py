"""`manage.py backup`: copy the servers of the shards."""

from argparse import ArgumentParser
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from operations.actions import backups, bringing_back
from operations.restoring.places import CannotBackUp


class Command(BaseCommand):
    """Copies each server once, whichever shards are on it, and deletes what is no longer needed."""

    help = "Copy the servers of the shards. Needs the logins of the owner and of back-ups."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--shard", metavar="ALIAS", help="only the server of this shard")
        parser.add_argument(
            "--if-older", type=float, metavar="HOURS", help="only where the last good one is older than that"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        aliases = [options["shard"]] if options["shard"] else list(settings.SHARD_ALIASES)
        if not set(aliases) <= set(settings.SHARD_ALIASES):
            raise CommandError(f"There is no shard {options['shard']}.")
        began, failed = timezone.now(), False
        # A copy made in this run has the other shards of its server in it.
        oldest = began if options["if_older"] is None else began - timedelta(hours=options["if_older"])
        for alias in aliases:
            last = backups.newest(alias)
            if last is not None and last.began_at >= oldest:
                continue
            try:
                made = backups.back_up(alias)
            except CannotBackUp as problem:
                self.stderr.write(f"{alias}: {problem}")
                failed = True
                continue
            self.stdout.write(f"{', '.join(made.shards)}: {made.size_bytes / 1e6:.0f} MB in {made.folder}")
        bringing_back.drop_old(at=began)
        if failed:
            raise CommandError("Not every server was backed up.")
