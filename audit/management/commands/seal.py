"""Seals the trail of organisations by hand, or prints it for the verifier."""

from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connections, transaction

from audit.exporting import lines
from audit.sealing import seal_everything
from tenants.context import as_owner, control_plane
from tenants.models import Organisation
from tenants.staying import LivesElsewhere, staying


class Command(BaseCommand):
    """Needs the owner's login (ENCLAVE_LOGIN=owner)."""

    help = "Seals what is finished in the trail of each organisation named, or of all."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("slugs", nargs="*")
        parser.add_argument("--export", action="store_true", help="print the canonical lines afterwards")
        parser.add_argument(
            "--of",
            metavar="ID",
            type=UUID,
            help="print those of another organisation's trail that is kept here, by the id of that one",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        for organisation in self._wanted(options["slugs"]):
            try:
                self._seal(organisation, export=options["export"], of=options["of"])
            except LivesElsewhere:
                # It moved since it was looked up, or does so at this moment.
                (again,) = self._wanted([organisation.slug])
                self._seal(again, export=options["export"], of=options["of"])

    def _seal(self, organisation: Organisation, *, export: bool, of: UUID | None) -> None:
        tenant = organisation.placement()
        with as_owner(tenant.alias, tenant.schema), staying(tenant.alias, tenant.schema):
            with transaction.atomic(using=tenant.alias), connections[tenant.alias].cursor() as cursor:
                count = seal_everything(cursor, log_id=organisation.pk)
                self.stderr.write(f"{tenant.slug}: sealed {count} entries")
            if not export:
                return
            with transaction.atomic(using=tenant.alias), connections[tenant.alias].cursor() as cursor:
                # One moment for all three kinds of lines, whatever is written meanwhile. The path is the
                # session's already, so this is the first word of the transaction.
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
                for line in lines(cursor, source=of):
                    self.stdout.write(line)

    def _wanted(self, slugs: list[str]) -> list[Organisation]:
        with control_plane():
            chosen = Organisation.objects.filter(slug__in=slugs) if slugs else Organisation.objects.all()
            found = list(chosen.order_by("slug"))
        if missing := set(slugs) - {organisation.slug for organisation in found}:
            raise CommandError(f"There is no organisation {', '.join(sorted(missing))}.")
        return found
