"""`manage.py backfill NAME`: start a backfill for all organisations, look at it, pause it, let it go on."""

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from config.startup import refuse_or_start
from jobs import backfills
from operations.actions.backfills import pause, resume, share_of, start, started
from operations.models import Backfill, Progress
from tenants.models import Organisation
from tenants.refusals import Refusal


class Command(BaseCommand):
    """The work is done by the workers; this only says what they may do."""

    help = "Start a backfill in all organisations, show how far it is, pause it or let it go on."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", help="such as gear.loudness")
        parser.add_argument("--status", action="store_true", help="show how far each organisation is")
        parser.add_argument(
            "--only", metavar="SLUG", help="one organisation; started so, the others are paused"
        )
        which = parser.add_mutually_exclusive_group()
        which.add_argument("--pause", action="store_true", help="let nobody go on; what is done stays")
        which.add_argument("--resume", action="store_true", help="go on, and try again where it failed")
        parser.add_argument("--reason", default="", help="why; kept with the act")

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.DEVELOPMENT:
            refuse_or_start()
        name, only = options["name"], options["only"]
        if backfills.find(name) is None and not Backfill.objects.filter(name=name).exists():
            known = ", ".join(backfills.names()) or "none"
            raise CommandError(f"There is no backfill {name}. This release has: {known}.")
        if only and not Organisation.objects.placed().filter(slug=only).exists():
            raise CommandError(f"There is no organisation at the address {only}.")
        if (options["pause"] or options["resume"]) and not options["reason"].strip():
            raise CommandError("Say why, with --reason.")
        try:
            self._act(name, only, options)
            self._show(started(name), only, each=options["status"])
        except Refusal as refusal:
            raise CommandError(str(refusal)) from refusal

    def _act(self, name: str, only: str | None, options: dict[str, Any]) -> None:
        if options["status"] and not (options["pause"] or options["resume"]):
            return
        reason = options["reason"] or "Started by a command"
        if options["pause"]:
            pause(backfill=started(name), reason=reason, by=None, only=only)
        elif options["resume"]:
            resume(backfill=started(name), reason=reason, by=None, only=only)
        elif not Backfill.objects.filter(name=name).exists():
            start(name=name, reason=reason, by=None, only=only)

    def _show(self, backfill: Backfill, only: str | None, *, each: bool) -> None:
        share = share_of(backfill)
        ended = f"{share.paused} paused, {share.failed} failed.{' Paused.' if backfill.is_paused else ''}"
        self.stdout.write(
            f"{backfill.name}: {share.done} of {share.organisations} organisations done, "
            f"{share.running} running, {share.waiting} waiting, {ended}"
        )
        states = backfill.states.select_related("organisation").order_by("organisation__slug")
        if only:
            states = states.filter(organisation__slug=only)
        for state in states if each or only else states.filter(state=Progress.FAILED):
            said = state.error or state.note
            rows = f" {state.done:,} of {state.total:,} rows" if state.total else ""
            self.stdout.write(f"{state.organisation.slug}: {state.state}{rows}{f' ({said})' if said else ''}")
