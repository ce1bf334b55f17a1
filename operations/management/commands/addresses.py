"""`manage.py addresses`: where the organisations answer, and how to sign in to the demonstration."""

import json
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from operations.demo.everything import OPERATOR, SHOWS, is_loaded
from operations.demo.people import PASSWORD
from tenants.addresses import site_url
from tenants.models import Organisation


class Command(BaseCommand):
    """Prints addresses; passwords only those that everybody knows, and in development only."""

    help = "Show where the organisations and the console answer."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true")

    def handle(self, *args: Any, **options: Any) -> None:
        sites = [
            {"name": "Public site", "url": site_url(settings.BASE_DOMAIN) + "/", "people": []},
            *self._organisations(),
            {
                "name": "Operators' console",
                "url": site_url(settings.OPERATORS_HOST) + "/",
                # As long as somebody has not loaded the demonstration, nobody can sign in with this.
                "people": _known([(OPERATOR, "Operator")]) if is_loaded() else [],
            },
        ]
        if options["json"]:
            self.stdout.write(json.dumps(sites))
            return
        for site in sites:
            self.stdout.write(f"{site['name']}: {site['url']}")

    def _organisations(self) -> list[dict[str, Any]]:
        shown = {show.wish.slug: show for show in SHOWS}
        rows = []
        here = Organisation.objects.placed().exclude(domains=None).prefetch_related("domains")
        for organisation in here[:50]:
            show = shown.get(str(organisation.slug))
            people = [(show.wish.owner_email, "Owner")] if show else []
            people += [(person.email, person.role.capitalize()) for person in show.people] if show else []
            address = site_url(organisation.primary_host) + "/"
            rows.append({"name": str(organisation.name), "url": address, "people": _known(people)})
        return rows


def _known(people: list[tuple[str, str]]) -> list[dict[str, str]]:
    """Return sign-ins of the demonstration's people; nothing outside development."""
    if not getattr(settings, "DEVELOPMENT", False):
        return []
    return [{"email": email, "password": PASSWORD, "role": role} for email, role in people]
