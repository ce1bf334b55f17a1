"""`manage.py restore`: bring organisations back to a moment; one operator asks, another one approves."""

import sys
from argparse import ArgumentParser
from datetime import datetime
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from operations.actions import bringing_back, restores
from operations.management.operators import operator_named
from operations.models import Restore, RestoreStep
from operations.models.backup import ENDED, KEPT_FOR
from operations.restoring.bundle import Differs
from operations.restoring.places import CannotBackUp
from operations.restoring.problems import CannotRestore
from tenants.models import Organisation


class Command(BaseCommand):
    """Asks for a restore; with --approve, --resume, --decline or --undo goes on with one."""

    help = "Bring organisations back to a moment. Needs the logins of the owner and of back-ups."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("slugs", nargs="*", metavar="SLUG", help="addresses of organisations, never ids")
        parser.add_argument(
            "--at", type=datetime.fromisoformat, metavar="TIME", help="with its offset from UTC"
        )
        parser.add_argument("--from-bundle", type=Path, metavar="FOLDER")
        parser.add_argument("--reason", default="")
        parser.add_argument("--by", metavar="EMAIL", help="the operator who asks, approves or undoes")
        parser.add_argument(
            "--count", type=int, default=0, metavar="N", help="how many, where they are more than five"
        )
        parser.add_argument("--dry-run", action="store_true", help="say what would happen, and write nothing")
        does = parser.add_mutually_exclusive_group()
        does.add_argument("--approve", action="store_true", help="approve what was asked for, and do it")
        does.add_argument("--decline", action="store_true", help="drop what was asked for")
        does.add_argument("--undo", action="store_true", help="put back what a restore replaced")
        does.add_argument("--resume", action="store_true", help="finish restores that were interrupted")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            self._handle(options)
        except (CannotRestore, CannotBackUp, Differs) as problem:
            raise CommandError(str(problem)) from problem

    def _handle(self, options: dict[str, Any]) -> None:
        if options["resume"]:
            self._told(bringing_back.resume())
            return
        organisations = _organisations(options["slugs"], options["count"])
        if options["approve"]:
            self._approve(organisations, options)
        elif options["decline"]:
            for one in organisations:
                restores.decline(_latest(one, RestoreStep.ASKED), by=operator_named(options["by"]))
        elif options["undo"]:
            self._undo(organisations, options)
        else:
            self._ask(organisations, options)

    def _approve(self, organisations: list[Organisation], options: dict[str, Any]) -> None:
        operator = operator_named(options["by"])
        waiting = [_latest(one, RestoreStep.ASKED) for one in organisations]
        for restore in waiting:
            typed = self._typed(f"{restore.organisation.name} goes back to {restore.to_time.isoformat()}.")
            restores.approve(restore, by=operator, typed=typed)
        self._told(bringing_back.run_all(waiting))

    def _undo(self, organisations: list[Organisation], options: dict[str, Any]) -> None:
        if not options["reason"]:
            raise CommandError("Say why with --reason: it is written down.")
        operator = operator_named(options["by"])
        done = [_latest(one, RestoreStep.DONE) for one in organisations]
        for restore in done:
            typed = self._typed(f"{restore.organisation.name} becomes what it was before it was restored.")
            restores.ask_undo(restore, reason=options["reason"], by=operator, typed=typed)
        self._told(bringing_back.run_all(done))

    def _typed(self, what: str) -> str:
        """Return the address that somebody types who has read what will happen."""
        self.stdout.write(f"{what} Type its address to say that you mean it:")
        self.stdout.flush()
        return sys.stdin.readline().strip()

    def _ask(self, organisations: list[Organisation], options: dict[str, Any]) -> None:
        at, given = options["at"], options["from_bundle"]
        if at is not None and at.tzinfo is None:
            raise CommandError("Say the time with its offset from UTC, such as 2026-01-31T12:00:00+00:00.")
        if given is not None and len(organisations) != 1:
            raise CommandError("A bundle is of one organisation.")
        most = max(restores.MOST_AT_ONCE, options["count"])
        for one in organisations:
            planned = restores.plan(one, to=at, from_bundle=given)
            self.stdout.write(
                f"{one.slug} ({one.name}) goes back to {planned.to.isoformat()}, "
                f"from {planned.source}. {planned.lost} entries of its trail are of later changes, "
                f"which are taken back; they are kept closed for {KEPT_FOR.days} days and can be put back. "
                "Everybody is signed out, waiting "
                "jobs, mails and invitations are held. Its trail and the acts of operators say so."
            )
            if not options["dry_run"]:
                operator = operator_named(options["by"])
                restores.ask(one, to=at, reason=options["reason"], by=operator, from_bundle=given, most=most)
        if not options["dry_run"]:
            self.stdout.write("Another operator approves it with --approve and the addresses typed again.")

    def _told(self, done: list[Restore]) -> None:
        for restore in done:
            said = restore.error or f"{restore.result.get('rows', 0)} rows"
            if not restore.error and (restore.step not in ENDED or "undo" in restore.result):
                said = "another process is at it, or it goes on with --resume"
            self.stdout.write(f"{restore.organisation.slug}: {restore.get_step_display()}, {said}")
        if any(restore.error for restore in done):
            raise CommandError("Not everything was done; what failed is as it was.")


def _organisations(slugs: list[str], count: int) -> list[Organisation]:
    if not slugs:
        raise CommandError("Say which organisations, by their addresses.")
    named = len(set(slugs))
    if count and named != count:
        raise CommandError(f"You said --count {count}, and named {named}.")
    if named > restores.MOST_AT_ONCE and not count:
        raise CommandError(
            f"At most {restores.MOST_AT_ONCE} organisations at once. "
            f"If all {named} are meant, say --count {named}."
        )
    if named > restores.MOST_AT_ALL:
        raise CommandError(f"Never more than {restores.MOST_AT_ALL} organisations at once.")
    found = {one.slug: one for one in Organisation.objects.placed().filter(slug__in=slugs)}
    for slug in slugs:
        if slug not in found:
            raise CommandError(f"There is no organisation at the address {slug}.")
    return [found[slug] for slug in dict.fromkeys(slugs)]


def _latest(organisation: Organisation, step: RestoreStep) -> Restore:
    restore = Restore.objects.filter(organisation=organisation, step=step).first()
    if restore is None:
        raise CommandError(f"No restore of {organisation.slug} is in that state.")
    return restore
