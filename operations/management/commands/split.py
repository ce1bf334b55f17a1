"""`manage.py split SLUG`: a part of an organisation becomes an organisation of its own."""

import sys
from argparse import ArgumentParser
from datetime import UTC, datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from accounts.identity.models import User
from operations.actions import splitting
from operations.joining import splitting as doing
from operations.joining.picking import Picks
from operations.joining.problems import CannotJoin
from operations.management.following import to_its_end
from operations.management.joining import show, told
from operations.management.operators import operator_named
from operations.models import Split, SplitStep
from operations.restoring.problems import CannotRestore
from records.models import Collection
from tenants.context import Actor, enter
from tenants.models import Organisation
from tenants.refusals import Refusal


class Command(BaseCommand):
    """Looks what has two claims; with --approve, --cancel, --undo, --close, --show or --resume goes on."""

    help = "Split a part of an organisation off, as an organisation of its own. Needs the owner's login."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("slug", nargs="?", help="the address of the organisation that is split")
        parser.add_argument("--name", default="", help="what the new organisation is called")
        parser.add_argument("--address", default="", help="the address of the new one")
        parser.add_argument(
            "--owner", metavar="EMAIL", default="", help="its first owner, one of --person or --both"
        )
        parser.add_argument("--collection", action="append", default=[], metavar="KEY", help="one that goes")
        parser.add_argument(
            "--person", action="append", default=[], metavar="EMAIL", help="somebody who goes"
        )
        parser.add_argument(
            "--both", action="append", default=[], metavar="EMAIL", help="somebody who is in both"
        )
        parser.add_argument(
            "--as-of", default="", metavar="TIME", help="from when on it counts; default: now"
        )
        parser.add_argument("--reason", default="")
        parser.add_argument("--by", metavar="EMAIL", help="the operator who does this")
        parser.add_argument("--dry-run", action="store_true", help="look what it means, and ask for nothing")
        does = parser.add_mutually_exclusive_group()
        does.add_argument("--approve", action="store_true", help="approve it as another operator, and do it")
        does.add_argument("--cancel", action="store_true", help="take it back, before it is approved")
        does.add_argument("--undo", action="store_true", help="undo it, before it is closed")
        does.add_argument("--close", action="store_true", help="delete now what went, where it was")
        does.add_argument(
            "--show", action="store_true", help="print how far it is, and what was found by name"
        )
        does.add_argument("--resume", action="store_true", help="go on with all that broke off")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            self._handle(options)
        except (CannotJoin, CannotRestore, Refusal) as problem:
            raise CommandError(str(problem)) from problem

    def _handle(self, options: dict[str, Any]) -> None:
        if options["resume"]:
            self.stdout.write(f"{doing.run_all(at=timezone.now())} gone on with.")
            return
        source = Organisation.objects.filter(slug=options["slug"] or "").first()
        if source is None:
            raise CommandError(f"There is no organisation at the address {options['slug']}.")
        if options["show"]:
            split = Split.objects.filter(source=source).first()
            if split is None:
                raise CommandError(f"{source.slug} was never to be split.")
            show(self.stdout, split)
            if split.error:
                self.stdout.write(f"\n{split.error}")
            return
        by = operator_named(options["by"])
        split = self._acted(source, options, by)
        to_its_end(split, doing.run, self.stdout)
        show(self.stdout, split, with_clashes=split.step in (SplitStep.FOUND, SplitStep.FAILED))
        if split.error:
            raise CommandError(split.error)
        if options["dry_run"] and split.step == SplitStep.FOUND:
            splitting.cancel(split, by=by, reason="It was a dry run.")
        elif split.step == SplitStep.FOUND:
            self.stdout.write(told("split", source.slug))

    def _acted(self, source: Organisation, options: dict[str, Any], by: User) -> Split:
        reason = options["reason"]
        if not any(options[act] for act in ("approve", "undo", "close", "cancel")):
            return splitting.ask(
                source,
                name=options["name"],
                slug=options["address"],
                picks=_picks(source, options),
                effective_at=_moment(options["as_of"]),
                reason=reason,
                by=by,
            )
        split = Split.objects.open().filter(source=source).first()
        if split is None:
            raise CommandError(f"No split of {source.slug} is open.")
        if options["approve"]:
            self.stdout.write(f"{source.name} is split. Type its address to say that you mean it:")
            self.stdout.flush()
            splitting.approve(split, by=by, typed=sys.stdin.readline().strip())
        elif options["undo"]:
            splitting.undo(split, by=by, reason=reason)
        elif options["close"]:
            splitting.close(split, by=by, reason=reason)
        else:
            splitting.cancel(split, by=by, reason=reason)
        return split


def _picks(source: Organisation, options: dict[str, Any]) -> Picks:
    """Return what was chosen by keys and addresses as ids. Raises CommandError for what is not there."""
    with enter(source, actor=Actor.system("Command line")):
        keys = dict(Collection.objects.live().values_list("key", "id"))
        people = {email.lower(): key for email, key in User.objects.values_list("email", "id")}
    unknown = [key for key in options["collection"] if key not in keys]
    named = [*options["person"], *options["both"], options["owner"]]
    unknown += [email for email in named if email.lower() not in people]
    if unknown:
        raise CommandError(f"Not there: {', '.join(unknown)}.")
    return Picks(
        owner=str(people[options["owner"].lower()]),
        collections=[str(keys[key]) for key in options["collection"]],
        goes=[str(people[email.lower()]) for email in options["person"]],
        both=[str(people[email.lower()]) for email in options["both"]],
    )


def _moment(said: str) -> datetime:
    if not said:
        return timezone.now()
    try:
        moment = parse_datetime(said)
    except ValueError as problem:
        raise CommandError(f"{said} is no time: {problem}") from problem
    if moment is None:
        raise CommandError(f"{said} is no time. Write it as 2026-01-31 12:00.")
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
