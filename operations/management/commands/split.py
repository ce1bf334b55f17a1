"""`manage.py split SLUG`: a part of an organisation becomes an organisation of its own."""

from argparse import ArgumentParser
from datetime import UTC, datetime
from typing import Any

from django.core.management.base import CommandError
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from accounts.identity.models import User
from operations.actions import splitting
from operations.joining import splitting as doing
from operations.joining.picking import Picks
from operations.management.joining import JoiningCommand
from operations.models import Split
from records.models import Collection
from tenants.context import Actor, enter
from tenants.models import Organisation


class Command(JoiningCommand[Split]):
    """Looks what has two claims; with --approve, --cancel, --undo, --close, --show or --resume goes on."""

    help = "Split a part of an organisation off, as an organisation of its own. Needs the owner's login."
    model = Split
    run = staticmethod(doing.run)
    approve = staticmethod(splitting.approve)
    consequence = "{} is split."
    closes = "delete now what went, where it was"

    def add_wishes(self, parser: ArgumentParser) -> None:
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

    def ask(self, organisation: Organisation, options: dict[str, Any], *, by: User) -> Split:
        return splitting.ask(
            organisation,
            name=options["name"],
            slug=options["address"],
            picks=_picks(organisation, options),
            effective_at=_moment(options["as_of"]),
            reason=options["reason"],
            by=by,
        )


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
