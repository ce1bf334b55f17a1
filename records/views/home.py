"""The organisation's first page."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from permissions import perms
from permissions.access import signed_in
from permissions.holder import holder_of
from records.models import Collection
from records.views.listing import FILES
from records.views.seen import address_of, counts_are_known, visible_collections


@require_safe
@signed_in
def home(request: HttpRequest) -> HttpResponse:
    """Show the collections with their counts, or a place to drop a file when there are none."""
    holder = holder_of(request)
    collections = visible_collections(request)
    counted = counts_are_known(request)
    may_design = holder.holds(perms.COLLECTIONS_DESIGN)
    context = {
        "collections": [_shown(collection, counted) for collection in collections],
        "may_design": may_design,
        "may_import": holder.holds(perms.RECORDS_IMPORT),
        "new_url": address_of("records:collection-new") if may_design else "",
        "start_url": address_of("records:import-start") if may_design else "",
        "accept": FILES,
        "is_guest": holder.role is not None and holder.role.is_guest,
        "jobs": [],
    }
    return render(request, "records/home.html", context)


def _shown(collection: Collection, counted: bool) -> dict[str, Any]:
    return {
        "name": collection.name,
        "icon": collection.icon,
        "description": collection.description,
        "url": reverse("records:list", args=[collection.key]),
        "count": collection.record_count() if counted else None,
    }
