"""What the commands that join organisations, and take them apart, have in common."""

import sys
from abc import ABC, abstractmethod
from argparse import ArgumentParser
from collections.abc import Callable
from itertools import groupby
from typing import Any, ClassVar, Generic, TypeVar

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from accounts.identity.models import User
from operations.actions import joining
from operations.joining import clashes, machine
from operations.joining.telling import ORDER, in_words
from operations.management.following import to_its_end
from operations.management.operators import operator_named
from operations.models import JoiningStep, Merge, Split
from operations.restoring.problems import CannotRestore
from tenants.models import Organisation
from tenants.refusals import Refusal

_Work = TypeVar("_Work", Merge, Split)


class JoiningCommand(BaseCommand, ABC, Generic[_Work]):
    """A command that has something looked at, approved by somebody else, done, undone and closed.

    `run` does it; `consequence` is what whoever approves it reads first, with the organisation's name in it.
    """

    model: type[_Work]
    run: Callable[[_Work], None]
    approve: Callable[..., None]
    consequence: ClassVar[str]
    # What --close does before the 30 days are over.
    closes: ClassVar[str]

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("slug", nargs="?", help="the address of the organisation")
        self.add_wishes(parser)
        parser.add_argument("--reason", default="")
        parser.add_argument("--by", metavar="EMAIL", help="the operator who does this")
        parser.add_argument("--dry-run", action="store_true", help="look what it means, and ask for nothing")
        does = parser.add_mutually_exclusive_group()
        does.add_argument("--approve", action="store_true", help="approve it as another operator, and do it")
        does.add_argument("--cancel", action="store_true", help="take it back, before it is approved")
        does.add_argument("--undo", action="store_true", help="undo it, before it is closed")
        does.add_argument("--close", action="store_true", help=self.closes)
        does.add_argument(
            "--show", action="store_true", help="print how far it is, and what was found by name"
        )
        does.add_argument("--resume", action="store_true", help="go on with all that broke off")

    @abstractmethod
    def add_wishes(self, parser: ArgumentParser) -> None:
        """Add the options that say what is asked for."""

    @abstractmethod
    def ask(self, organisation: Organisation, options: dict[str, Any], *, by: User) -> _Work:
        """Ask for what the options say."""

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            self._handle(options)
        except (CannotRestore, Refusal) as problem:
            raise CommandError(str(problem)) from problem

    def _handle(self, options: dict[str, Any]) -> None:
        if options["resume"]:
            self.stdout.write(f"{machine.go_on(self.model, self.run, at=timezone.now())} gone on with.")
            return
        organisation = organisation_at(options["slug"])
        if options["show"]:
            self._show(organisation)
            return
        by = operator_named(options["by"])
        work = self._acted(organisation, options, by)
        to_its_end(work, self.run, self.stdout)
        show(self.stdout, work, with_clashes=work.step in (JoiningStep.FOUND, JoiningStep.FAILED))
        if work.error:
            raise CommandError(work.error)
        if work.step == JoiningStep.FOUND:
            if options["dry_run"]:
                joining.cancel(work, by=by, reason="It was a dry run.")
            else:
                self.stdout.write(_next(work))

    def _show(self, organisation: Organisation) -> None:
        work = self._of(organisation).first()
        if work is None:
            raise CommandError(f"No {self.model.noun} of {organisation.slug} was ever asked for.")
        show(self.stdout, work)
        if work.error:
            self.stdout.write(f"\n{work.error}")

    def _acted(self, organisation: Organisation, options: dict[str, Any], by: User) -> _Work:
        if not any(options[act] for act in ("approve", "undo", "close", "cancel")):
            return self.ask(organisation, options, by=by)
        work: _Work | None = self._of(organisation).open().first()
        if work is None:
            raise CommandError(f"No {self.model.noun} of {organisation.slug} is open.")
        if options["approve"]:
            said = self.consequence.format(organisation.name)
            self.stdout.write(f"{said} Type its address to say that you mean it:")
            self.stdout.flush()
            self.approve(work, by=by, typed=sys.stdin.readline().strip())
            return work
        act = next(do for name, do in _ACTS.items() if options[name])
        act(work, by=by, reason=options["reason"])
        return work

    def _of(self, organisation: Organisation) -> Any:
        return self.model._default_manager.filter(**{self.model.parts[0]: organisation})


_ACTS: dict[str, Callable[..., None]] = {
    "undo": joining.undo,
    "close": joining.close,
    "cancel": joining.cancel,
}


def organisation_at(slug: str | None) -> Organisation:
    """Return the organisation at an address. Raises CommandError."""
    organisation = Organisation.objects.filter(slug=slug or "").first()
    if organisation is None:
        raise CommandError(f"There is no organisation at the address {slug}.")
    return organisation


def show(out: Any, work: Merge | Split, *, with_clashes: bool = True) -> None:
    """Print how far a piece of work is, and what was found by name."""
    out.write(str(work))
    if with_clashes:
        found = sorted(clashes.listed(work.shard, work.pk), key=lambda one: ORDER.index(one.kind))
        for kind, ones in groupby(found, key=lambda one: one.kind):
            out.write(f"\n{kind.heading}:")
            for one in ones:
                out.write(f"  {one.noun}: {one.name}. {one.becomes}")
    for heading, said in (
        ("Comes", work.result.get("rows")),
        ("Came", work.result.get("came")),
        ("Stays, because people have worked on it", work.result.get("stay")),
    ):
        if said:
            words = ", ".join(f"{count:,} {what}" for what, count in in_words(said).items())
            out.write(f"\n{heading}: {words}")


def _next(work: Merge | Split) -> str:
    """Return what is to be done next with something that was looked at."""
    return (
        f"\nAnother operator approves it with manage.py {work.noun} {work.named().slug} --approve "
        "and the address typed again; --cancel takes it back."
    )
