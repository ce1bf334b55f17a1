"""`manage.py merge SLUG --into SLUG`: one organisation becomes a part of another one."""

from argparse import ArgumentParser
from typing import Any

from accounts.identity.models import User
from operations.actions import merging
from operations.joining import merging as doing
from operations.management.joining import JoiningCommand, organisation_at
from operations.models import Merge
from tenants.models import Organisation


class Command(JoiningCommand[Merge]):
    """Looks for clashes; with --approve, --cancel, --undo, --close, --show or --resume goes on with one."""

    help = "Make one organisation a part of another one. Needs the owner's login."
    model = Merge
    run = staticmethod(doing.run)
    approve = staticmethod(merging.approve)
    consequence = "{} becomes a part of another organisation, and nobody gets into it any more."
    closes = "let it be for good, before its 30 days are over"

    def add_wishes(self, parser: ArgumentParser) -> None:
        parser.add_argument("--into", metavar="SLUG", help="the address of the one that it becomes a part of")

    def ask(self, organisation: Organisation, options: dict[str, Any], *, by: User) -> Merge:
        into = organisation_at(options["into"])
        return merging.ask(organisation, into, reason=options["reason"], by=by)
