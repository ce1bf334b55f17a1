"""`manage.py merge SLUG --into SLUG`: one organisation becomes a part of another one, or is itself again."""

import sys
from argparse import ArgumentParser
from collections.abc import Callable
from typing import Any

import psycopg
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from operations.actions import merging
from operations.joining import merging as joining
from operations.joining.telling import grouped, in_words
from operations.management.following import to_its_end
from operations.management.operators import operator_named
from operations.models import Merge, MergeStep
from tenants.models import Organisation
from tenants.refusals import Refusal

_DRY = "A dry run: nothing else was asked for."


class Command(BaseCommand):
    """Asks for a merge and finds its clashes; with --approve, --undo and the others goes on with one."""

    help = "Make an organisation a part of another one. Needs the owner's login."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("slug", nargs="?", help="the address of the one that becomes a part, never an id")
        parser.add_argument("--into", metavar="SLUG", help="the address of the one that it becomes a part of")
        parser.add_argument("--reason", default="")
        parser.add_argument("--by", metavar="EMAIL", help="the operator who asks, approves, undoes or closes")
        parser.add_argument(
            "--dry-run",
            action="store_true",
            help="find all clashes and take it back; status 1 if one stops it",
        )
        does = parser.add_mutually_exclusive_group()
        does.add_argument("--approve", action="store_true", help="approve what was asked for, and do it")
        does.add_argument("--cancel", action="store_true", help="take it back, before it is approved")
        does.add_argument("--undo", action="store_true", help="take the two apart again")
        does.add_argument("--close", action="store_true", help="let it be for good before its time")
        does.add_argument("--resume", action="store_true", help="go on with all that were interrupted")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            self._handle(options)
        except Refusal as problem:
            raise CommandError(str(problem)) from problem
        except psycopg.OperationalError as problem:
            raise CommandError(f"A server does not answer; it goes on with --resume: {problem}") from problem

    def _handle(self, options: dict[str, Any]) -> None:
        if options["resume"]:
            self.stdout.write(f"{joining.run_all(at=timezone.now())} went on.")
            return
        absorbed = _organisation(options["slug"])
        acts: dict[str, Callable[[Organisation, dict[str, Any]], None]] = {
            "approve": self._approve,
            "cancel": self._cancel,
            "undo": self._undo,
            "close": self._close,
        }
        act = next((does for name, does in acts.items() if options[name]), self._ask)
        act(absorbed, options)

    def _ask(self, absorbed: Organisation, options: dict[str, Any]) -> None:
        into, by = _organisation(options["into"]), operator_named(options["by"])
        merge = merging.ask(absorbed, into, reason=options["reason"], by=by)
        to_its_end(merge, self.stdout)
        self._show(merge)
        if options["dry_run"] and merge.step == MergeStep.FOUND:
            merging.cancel(merge, by=by, reason=_DRY)
        _refuse_failed(merge)
        if not options["dry_run"]:
            self.stdout.write("Another operator approves it with --approve and the address typed again.")

    def _show(self, merge: Merge) -> None:
        """Print all clashes under their headings, and how many rows come."""
        for kind, clashes in grouped(merge.result):
            self.stdout.write(f"{kind.heading} ({len(clashes):,})")
            for clash in clashes:
                self.stdout.write(f"  {clash['noun']} {clash['name']}: {clash['becomes']}")
        rows = in_words(merge.result.get("rows", {}))
        if "rows" in merge.result:
            self.stdout.write(f"{sum(rows.values()):,} rows come")
        for what, count in rows.items():
            self.stdout.write(f"  {count:,} {what}")

    def _approve(self, absorbed: Organisation, options: dict[str, Any]) -> None:
        by, merge = operator_named(options["by"]), _latest(absorbed, MergeStep.FOUND)
        typed = self._typed(
            f"{absorbed.name} becomes a part of {merge.into}, and nobody gets into it any more."
        )
        merging.approve(merge, by=by, typed=typed)
        to_its_end(merge, self.stdout)
        _refuse_failed(merge)
        if merge.undo_until is None:
            return
        came = sum(merge.result.get("came", {}).values())
        self.stdout.write(
            f"{came:,} rows came. It can be undone until {merge.undo_until:%Y-%m-%d %H:%M} UTC."
        )

    def _cancel(self, absorbed: Organisation, options: dict[str, Any]) -> None:
        by = operator_named(options["by"])
        merging.cancel(_latest(absorbed, MergeStep.ASKED, MergeStep.FOUND), by=by, reason=options["reason"])

    def _undo(self, absorbed: Organisation, options: dict[str, Any]) -> None:
        by, merge = operator_named(options["by"]), _latest(absorbed, MergeStep.DONE)
        typed = self._typed(f"{absorbed.name} becomes what it was when it became a part of {merge.into}.")
        if typed != absorbed.slug:
            raise CommandError(f"{typed} is not the address of the organisation that was absorbed.")
        merging.undo(merge, by=by, reason=options["reason"])
        to_its_end(merge, self.stdout)
        _refuse_failed(merge)
        if merge.step != MergeStep.UNDONE:
            return
        stay = in_words(merge.result.get("stay", {}))
        self.stdout.write(
            f"It is undone; {sum(stay.values()):,} rows stay, because people have worked on them."
        )
        for what, count in stay.items():
            self.stdout.write(f"  {count:,} {what}")

    def _close(self, absorbed: Organisation, options: dict[str, Any]) -> None:
        by, merge = operator_named(options["by"]), _latest(absorbed, MergeStep.DONE)
        merging.close(merge, by=by, reason=options["reason"])
        to_its_end(merge, self.stdout)
        self.stdout.write(f"{absorbed.slug}: {merge.get_step_display()}")

    def _typed(self, what: str) -> str:
        """Return the address that somebody types who has read what will happen."""
        self.stdout.write(f"{what} Type its address to say that you mean it:")
        self.stdout.flush()
        return sys.stdin.readline().strip()


def _refuse_failed(merge: Merge) -> None:
    """Raise CommandError for a merge that something stops, or has stopped."""
    if merge.error:
        raise CommandError(f"{merge.absorbed.slug}: {merge.get_step_display()}, {merge.error}")


def _organisation(slug: str | None) -> Organisation:
    if not slug:
        raise CommandError("Say which organisation becomes a part, and of which with --into.")
    organisation = Organisation.objects.filter(slug=slug).first()
    if organisation is None:
        raise CommandError(f"There is no organisation at the address {slug}.")
    return organisation


def _latest(absorbed: Organisation, *steps: MergeStep) -> Merge:
    merge = Merge.objects.filter(absorbed=absorbed, step__in=steps).select_related("into").first()
    if merge is None:
        raise CommandError(f"No merge of {absorbed.slug} is in that state.")
    return merge
