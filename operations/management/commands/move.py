"""`manage.py move`: move one organisation to another shard while it works."""

import re
from argparse import ArgumentParser
from collections.abc import Sequence
from typing import Any

import psycopg
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from config.startup import refuse_or_start
from operations.actions import moves
from operations.models import Move, MoveStep
from operations.moves import checks, describing, machine
from operations.moves.problems import CannotMove
from tenants.models import Organisation, Shard
from tenants.names import SCHEMA_PATTERN

_LOOKS_LIKE_AN_ID = re.compile(r"[0-9]+|[0-9a-fA-F]{8}-?([0-9a-fA-F]{4}-?){3}[0-9a-fA-F]{12}")
_BY = "manage.py move"


class Command(BaseCommand):
    """Moves an organisation, or goes on with a move that broke off."""

    help = "Move an organisation to another shard. Needs the logins of the owner and of the mover."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("slugs", metavar="SLUG", nargs="+", help="the organisation: one for each call")
        parser.add_argument("--to", metavar="SHARD", help="the shard on which it shall live")
        parser.add_argument("--reason", default="", help="why, for the acts of operators")
        parser.add_argument(
            "--check",
            action="store_true",
            help="only say whether it could move there, and what would be done",
        )
        parser.add_argument("--yes", metavar="SLUG", help="the same address again, instead of typing it")
        parser.add_argument("--status", action="store_true", help="show its moves and change nothing")
        parser.add_argument("--cancel", action="store_true", help="take back the move that is under way")
        parser.add_argument("--resume", action="store_true", help="go on with the move that is under way")

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.DEVELOPMENT:
            refuse_or_start()
        try:
            self._do(_the_one(options["slugs"]), options)
        except CannotMove as problem:
            raise CommandError(str(problem)) from problem
        except psycopg.OperationalError as problem:
            raise CommandError(
                f"A server does not answer; the move goes on when it does: {problem}"
            ) from problem

    def _do(self, organisation: Organisation, options: dict[str, Any]) -> None:
        under_way = Move.objects.under_way().filter(organisation=organisation).first()
        if options["status"]:
            self._show(organisation)
        elif options["cancel"]:
            self._cancel(under_way)
        elif options["resume"]:
            if under_way is None:
                raise CannotMove(f"{organisation.name} is not being moved.")
            self._run(under_way)
        else:
            self._begin(organisation, options)

    def _begin(self, organisation: Organisation, options: dict[str, Any]) -> None:
        target = Shard.objects.filter(pk=options["to"] or "").first()
        if target is None:
            raise CannotMove("Say where to, with --to and the alias of a shard.")
        if options["check"]:
            for line in describing.plan(organisation, target):
                self.stdout.write(line)
            return
        checks.places(organisation, target)
        self._confirm(organisation, target, options["yes"])
        reason = options["reason"] or "Moved by manage.py"
        self._run(
            moves.ask(organisation=organisation, target=target, reason=reason, by=_BY, at=timezone.now())
        )

    def _confirm(self, organisation: Organisation, target: Shard, said: str | None) -> None:
        """Ask for the address once more where real people work. Raises CannotMove for another one."""
        if said is None and settings.DEVELOPMENT:
            return
        if said is None:
            self.stdout.write(
                f"{organisation.name} moves to {target.pk}. Type {organisation.slug} to go on: "
            )
            try:
                said = input()
            except EOFError:
                raise CannotMove(
                    f"Nothing was moved. Say --yes {organisation.slug} if you mean it."
                ) from None
        if said.strip() != organisation.slug:
            raise CannotMove(f"Nothing was moved: “{said.strip()}” is not “{organisation.slug}”.")

    def _run(self, move: Move) -> None:
        said: list[str] = []

        def watch(now: Move) -> None:
            label = MoveStep(now.step).label
            if said[-1:] != [label]:
                said.append(label)
                self.stdout.write(f"{label}.")

        machine.run(move, watch=watch)
        if move.step == MoveStep.REVERTED:
            raise CannotMove(f"Everything was put back: {move.error}")
        pause = move.figures.get("pause_ms", 0)
        self.stdout.write(f"Writers waited for {pause:.0f} ms.")

    def _cancel(self, move: Move | None) -> None:
        if move is None:
            raise CannotMove("There is no move to cancel.")
        moves.cancel(move, by=_BY, at=timezone.now())
        self.stdout.write("It is taken back.")

    def _show(self, organisation: Organisation) -> None:
        moves = Move.objects.filter(organisation=organisation)
        if not moves:
            self.stdout.write(f"{organisation.name} has never moved; it lives on {organisation.shard_id}.")
        for move in moves:
            way = f"{move.asked_at:%d %b %Y %H:%M} {move.source_id} to {move.target_id}"
            self.stdout.write(f"{way}: {MoveStep(move.step).label}. {move.note}".rstrip())
            if move.error:
                self.stdout.write(f"  {move.error}")


def _the_one(slugs: Sequence[str]) -> Organisation:
    """Return the organisation that is named. Raises CannotMove for several, and for what is no address."""
    listed = [part for slug in slugs for part in re.split(r"[,;\s]+", slug) if part]
    if len(listed) != 1:
        raise CannotMove(f"One organisation moves at a time; {len(listed)} were named.")
    (slug,) = listed
    organisation = Organisation.objects.filter(slug=slug).first()
    if organisation is not None:
        return organisation
    if _LOOKS_LIKE_AN_ID.fullmatch(slug):
        raise CannotMove(f"{slug} is an id. Name the organisation by its address, such as pulse.")
    if SCHEMA_PATTERN.fullmatch(slug):
        raise CannotMove(f"{slug} is a schema. Name the organisation by its address, such as pulse.")
    raise CannotMove(f"There is no organisation at the address {slug}.")
