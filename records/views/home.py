"""The organisation's first page."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from accounts.actions.answering import open_questions
from jobs.models import Job, Lane
from jobs.views.showing import shown
from permissions import perms
from permissions.access import signed_in
from permissions.holder import holder_of
from permissions.policies import policy_for
from records.imports.actions import OPEN
from records.models import Collection, Import
from records.views.import_shown import listed
from records.views.listing import FILES
from records.views.seen import address_of, counts_are_known, visible_collections

LATELY = 5


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
        "jobs": _lately(request),
        "waiting": _waiting(request),
        "questions": open_questions() if holder.holds(perms.SETTINGS_CHANGE) else [],
    }
    return render(request, "records/home.html", context)


def _lately(request: HttpRequest) -> list[dict[str, Any]]:
    """Return the last jobs that the person sees."""
    holder = holder_of(request)
    jobs = policy_for(Job).visible_to(holder, holder.at).exclude(queue=Lane.MAIL).order_by("-id")
    return [shown(job, at=holder.at, may_change=False) for job in jobs[:LATELY]]


def _waiting(request: HttpRequest) -> list[dict[str, Any]]:
    """Return the person's own files that wait for a decision: who left the page finds them here."""
    own = Import.objects.filter(created_by=holder_of(request).user_id, state__in=OPEN).select_related(
        "collection"
    )
    return [listed(row) for row in own[:LATELY]]


def _shown(collection: Collection, counted: bool) -> dict[str, Any]:
    return {
        "name": collection.name,
        "icon": collection.icon,
        "description": collection.description,
        "url": reverse("records:list", args=[collection.key]),
        "count": collection.record_count() if counted else None,
    }
