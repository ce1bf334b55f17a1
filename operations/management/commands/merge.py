"""`manage.py merge SLUG --into SLUG`: one organisation becomes a part of another one."""

import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from operations.actions import merging
from operations.joining import merging as doing
from operations.joining.problems import CannotJoin
from operations.management.following import to_its_end
from operations.management.joining import show, told
from operations.management.operators import operator_named
from operations.models import Merge, MergeStep
from operations.restoring.problems import CannotRestore
from tenants.models import Organisation


class Command(BaseCommand):
    """Looks for clashes; with --approve, --cancel, --undo, --close, --show or --resume goes on with one."""

    help = "Make one organisation a part of another one. Needs the owner's login."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("slug", nargs="?", help="the address of the organisation that becomes a part")
        parser.add_argument("--into", metavar="SLUG", help="the address of the one that it becomes a part of")
        parser.add_argument("--reason", default="")
        parser.add_argument("--by", metavar="EMAIL", help="the operator who does this")
        parser.add_argument("--dry-run", action="store_true", help="look for clashes, and ask for nothing")
        does = parser.add_mutually_exclusive_group()
        does.add_argument("--approve", action="store_true", help="approve it as another operator, and do it")
        does.add_argument("--cancel", action="store_true", help="take it back, before it is approved")
        does.add_argument("--undo", action="store_true", help="undo it, before it is closed")
        does.add_argument(
            "--close", action="store_true", help="let it be for good, before its 30 days are over"
        )
        does.add_argument("--show", action="store_true", help="print how far it is, and every clash by name")
        does.add_argument("--resume", action="store_true", help="go on with all that broke off")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            self._handle(options)
        except (CannotJoin, CannotRestore) as problem:
            raise CommandError(str(problem)) from problem

    def _handle(self, options: dict[str, Any]) -> None:
        if options["resume"]:
            self.stdout.write(f"{doing.run_all(at=timezone.now())} gone on with.")
            return
        absorbed = _named(options["slug"])
        if options["show"]:
            merge = Merge.objects.filter(absorbed=absorbed).first()
            if merge is None:
                raise CommandError(f"{absorbed.slug} was never to be a part of another one.")
            show(self.stdout, merge)
            if merge.error:
                self.stdout.write(f"\n{merge.error}")
            return
        by = operator_named(options["by"])
        if options["approve"]:
            self.stdout.write(
                f"{absorbed.name} becomes a part of another organisation, and nobody gets into it any more. "
                "Type its address to say that you mean it:"
            )
            self.stdout.flush()
            merge = _open(absorbed)
            merging.approve(merge, by=by, typed=sys.stdin.readline().strip())
        elif options["undo"]:
            merge = _open(absorbed)
            merging.undo(merge, by=by, reason=options["reason"])
        elif options["close"]:
            merge = _open(absorbed)
            merging.close(merge, by=by, reason=options["reason"])
        elif options["cancel"]:
            merge = _open(absorbed)
            merging.cancel(merge, by=by, reason=options["reason"])
        else:
            merge = merging.ask(absorbed, _named(options["into"]), reason=options["reason"], by=by)
        to_its_end(merge, doing.run, self.stdout)
        show(self.stdout, merge, with_clashes=merge.step in (MergeStep.FOUND, MergeStep.FAILED))
        if merge.error:
            raise CommandError(merge.error)
        if options["dry_run"] and merge.step == MergeStep.FOUND:
            merging.cancel(merge, by=by, reason="It was a dry run.")
        elif merge.step == MergeStep.FOUND:
            self.stdout.write(told("merge", absorbed.slug))


def _named(slug: str | None) -> Organisation:
    organisation = Organisation.objects.filter(slug=slug or "").first()
    if organisation is None:
        raise CommandError(f"There is no organisation at the address {slug}.")
    return organisation


def _open(absorbed: Organisation) -> Merge:
    merge = Merge.objects.open().filter(absorbed=absorbed).first()
    if merge is None:
        raise CommandError(f"No merge of {absorbed.slug} is open.")
    return merge
