"""`manage.py check_migrations`: whether what the next release brings can be applied while this one serves."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from operations.fleet.safety.releases import (
    BadReleases,
    judge_release,
    next_release,
    read_releases,
    write_releases,
)


class Command(BaseCommand):
    """Judges every migration that stands in no release yet. Needs no database."""

    help = "Refuse migrations that would break the release before, rewrite large tables or lock for long."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--cut", metavar="NAME", help="write down what is new as a release of this name")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            releases = read_releases()
            verdicts = judge_release(releases)
        except BadReleases as problem:
            raise CommandError(str(problem)) from problem
        for verdict in verdicts:
            self.stdout.write(f"{verdict.migration}: {verdict.kind}")
            for wrong in verdict.problems:
                self.stderr.write(f"{verdict.migration}, {wrong}")
        refused = sum(bool(verdict.problems) for verdict in verdicts)
        if refused:
            raise CommandError(
                f"{refused} migrations are refused; docs/migrations.md shows how to split them."
            )
        if options["cut"]:
            if options["cut"] in {release.name for release in releases.all}:
                raise CommandError(f"There is a release {options['cut']} already.")
            write_releases(next_release(options["cut"], releases))
