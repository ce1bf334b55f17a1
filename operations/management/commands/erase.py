"""`manage.py erase SLUG`: the end of the data of who is gone; one operator asks, another one approves."""

import json
import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from operations.actions import leaving
from operations.leaving import erasing
from operations.leaving.problems import CannotLeave
from operations.management.operators import operator_named
from operations.models import Erasure, ErasureStep
from operations.restoring.problems import CannotRestore
from tenants.models import Organisation


class Command(BaseCommand):
    """Asks for an erasure; with --approve, --cancel, --resume or --proof goes on with one."""

    help = "Erase the data of an organisation that is gone. Needs the owner's login."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("slug", nargs="?", help="the address of one organisation, never an id")
        parser.add_argument("--reason", default="")
        parser.add_argument("--by", metavar="EMAIL", help="the operator who asks, approves or cancels")
        parser.add_argument("--at-once", action="store_true", help="and not 30 days after it became gone")
        parser.add_argument("--dry-run", action="store_true", help="say what would happen, and write nothing")
        does = parser.add_mutually_exclusive_group()
        does.add_argument("--approve", action="store_true", help="approve it, and do it if its day has come")
        does.add_argument("--cancel", action="store_true", help="take it back, before it begins")
        does.add_argument(
            "--resume", action="store_true", help="do all whose day has come, or that broke off"
        )
        does.add_argument(
            "--proof", action="store_true", help="print what was there and that nothing is left"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            self._handle(options)
        except (CannotLeave, CannotRestore) as problem:
            raise CommandError(str(problem)) from problem

    def _handle(self, options: dict[str, Any]) -> None:
        if options["resume"]:
            done = erasing.run_due(at=timezone.now())
            self.stdout.write(f"{done} erased.")
            return
        organisation = Organisation.objects.filter(slug=options["slug"]).first()
        if organisation is None:
            raise CommandError(f"There is no organisation at the address {options['slug']}.")
        if options["proof"]:
            self._proof(organisation)
        elif options["approve"]:
            self._approve(organisation, options)
        elif options["cancel"]:
            by = operator_named(options["by"])
            leaving.cancel(_open(organisation), by=by, reason=options["reason"])
        else:
            self._ask(organisation, options)

    def _ask(self, organisation: Organisation, options: dict[str, Any]) -> None:
        planned = leaving.plan(organisation, at_once=options["at_once"])
        last = planned.last_export
        back = (
            f"Its last export is of {last.asked_at.isoformat()}, with SHA-256 {last.sha256}: "
            "whoever has it can come back."
            if last is not None
            else "No export of it was ever written: nothing can bring it back."
        )
        self.stdout.write(
            f"All data of {organisation.name} ({organisation.slug}) is erased, not before "
            f"{planned.not_before.isoformat()}: its rows, its trail, its files, its exports and its bundles. "
            f"{back}"
        )
        if not options["dry_run"]:
            by = operator_named(options["by"])
            leaving.ask(organisation, reason=options["reason"], by=by, at_once=options["at_once"])
            self.stdout.write("Another operator approves it with --approve and the address typed again.")

    def _approve(self, organisation: Organisation, options: dict[str, Any]) -> None:
        by, erasure = operator_named(options["by"]), _open(organisation)
        self.stdout.write(
            f"All data of {organisation.name} is erased. Type its address to say that you mean it:"
        )
        self.stdout.flush()
        leaving.approve(erasure, by=by, typed=sys.stdin.readline().strip())
        if erasure.not_before > timezone.now():
            self.stdout.write(f"It begins on {erasure.not_before.isoformat()}.")
            return
        erasing.run(erasure)
        self.stdout.write(f"{organisation.slug}: {erasure.get_step_display()}")

    def _proof(self, organisation: Organisation) -> None:
        erasure = Erasure.objects.filter(organisation=organisation, step=ErasureStep.DONE).first()
        if erasure is None:
            raise CommandError(f"{organisation.slug} was not erased.")
        said = {
            "organisation": {
                "id": str(organisation.pk),
                "slug": organisation.slug,
                "name": organisation.name,
            },
            "reason": erasure.reason,
            "asked_by": erasure.asked_by,
            "approved_by": erasure.approved_by,
            "ended_at": erasure.ended_at.isoformat() if erasure.ended_at else None,
            **erasure.result,
        }
        self.stdout.write(json.dumps(said, indent=2, sort_keys=True))


def _open(organisation: Organisation) -> Erasure:
    erasure = Erasure.objects.open().filter(organisation=organisation).first()
    if erasure is None:
        raise CommandError(f"No erasure of {organisation.slug} is open.")
    return erasure
