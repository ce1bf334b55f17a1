"""The switcher: the other organisations in which one has an account."""

from urllib.parse import urlencode

from allauth.account.models import EmailAddress
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts.identity.models import User
from permissions.access import signed_in
from tenants.addresses import site_url
from tenants.context import current_tenant
from tenants.models import DirectoryEntry, Organisation
from tenants.placement import Stop


@require_safe
@signed_in
def organisations(request: HttpRequest) -> HttpResponse:
    """List them. Crossing over is a fresh sign-in there: no session is valid on two hosts."""
    assert isinstance(request.user, User)
    verified = EmailAddress.objects.filter(user=request.user, verified=True).values_list("email", flat=True)
    found: dict[object, dict[str, str]] = {}
    for address in verified:
        for entry in DirectoryEntry.objects.of(address):
            if entry.organisation_id != current_tenant().id and _is_open(entry.organisation):
                found[entry.organisation_id] = _line(entry.organisation, address)
    others = sorted(found.values(), key=lambda line: line["name"].casefold())
    return render(request, "accounts/organisation_list.html", {"others": others})


def _is_open(organisation: Organisation) -> bool:
    return not organisation.placement().stops(Stop.REQUESTS)


def _line(organisation: Organisation, address: str) -> dict[str, str]:
    host = organisation.primary_host
    query = urlencode({"address": address})
    return {"name": str(organisation), "host": host, "url": f"{site_url(host)}/accounts/login/?{query}"}
