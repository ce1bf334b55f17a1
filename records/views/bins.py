"""The recycle bin of a collection: what was moved there, back again or gone for good."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from permissions import perms
from records.actions import records
from records.actions.done import some
from records.models import Record
from records.views.answers import person, say_done
from records.views.bulk import ids_of
from records.views.places import Place, at_place, page_part

SIZE = 50
# So many at most are deleted for good without their collection's name being typed.
WITHOUT_NAME = 1


@require_safe
@at_place(perms.RECORDS_DELETE)
def bin_list(request: HttpRequest, place: Place) -> HttpResponse:
    """Show what lies in the bin, the last that was moved there first."""
    rows = Record.objects.binned().filter(collection=place.design).order_by("-deleted_at", "-pk")
    after = request.GET.get("after", "")
    if after and (last := Record.objects.filter(pk__in=ids_of([after]), collection=place.design).first()):
        rows = rows.filter(deleted_at__lte=last.deleted_at).exclude(
            deleted_at=last.deleted_at, pk__gte=last.pk
        )
    found = list(rows[: SIZE + 1])
    shown = [place.table.row(record) for record in found[:SIZE]]
    context: dict[str, Any] = {
        "place": place,
        "rows": [{"id": row.id, "title": row.title, "at": row.obj.deleted_at} for row in shown],  # type: ignore[attr-defined]  # rows of a collection are records
        "more_url": f"?after={shown[-1].id}" if len(found) > SIZE else "",
        "count": place.design.binned_count(),
        "crumbs": [{"label": place.table.title, "url": place.url("list")}],
        "actions": [
            {"label": "Take out of the bin", "url": place.url("bin-restore"), "icon": "arrow-uturn-left"},
            {"label": "Delete for good", "url": place.url("bin-purge"), "icon": "trash", "tone": "danger"},
        ],
    }
    part = page_part(request)
    return render(request, "records/_bin_rows.html" if part else "records/bin_list.html", context)


@require_POST
@at_place(perms.RECORDS_DELETE)
def bin_restore(request: HttpRequest, place: Place) -> HttpResponse:
    """Take records out of the bin."""
    ids = ids_of(request.POST.getlist("pk"))
    if not ids:
        return _nothing(request, place)
    done = records.restore(collection=place.design, ids=ids, by=person(request), at=timezone.now())
    say_done(request, done)
    return HttpResponseRedirect(place.url("bin"))


@require_POST
@at_place(perms.RECORDS_DELETE)
def bin_purge(request: HttpRequest, place: Place) -> HttpResponse:
    """Delete records for good, after saying what goes with them."""
    ids = _there(place, ids_of(request.POST.getlist("pk")))
    if not ids:
        return _nothing(request, place)
    name = place.table.title if len(ids) > WITHOUT_NAME else ""
    sure = "sure" in request.POST and (not name or request.POST.get("confirm", "").strip() == name)
    if not sure:
        return _confirm(request, place, ids, name)
    done = records.purge(collection=place.design, ids=ids, by=person(request), at=timezone.now())
    say_done(request, done)
    return HttpResponseRedirect(place.url("bin"))


def _there(place: Place, ids: list[UUID]) -> list[UUID]:
    rows = Record.objects.binned().filter(collection=place.design, pk__in=ids)
    return list(rows.values_list("pk", flat=True))


def _nothing(request: HttpRequest, place: Place) -> HttpResponse:
    messages.warning(request, "Nothing is selected.")
    return HttpResponseRedirect(place.url("bin"))


def _confirm(request: HttpRequest, place: Place, ids: list[UUID], name: str) -> HttpResponse:
    words = some(len(ids))
    context = {
        "place": place,
        "title": f"Delete {words} for good",
        "label": f"Delete {words} for good",
        "tone": "danger",
        "type_name": name,
        "consequences": [f"{words} of {place.table.title}, with all files", "This cannot be undone."],
        "action": place.url("bin-purge"),
        "fields": [*(("pk", str(pk)) for pk in ids), ("sure", "1")],
        "cancel_url": place.url("bin"),
        "crumbs": [
            {"label": place.table.title, "url": place.url("list")},
            {"label": "Bin", "url": place.url("bin")},
        ],
    }
    return render(
        request, "records/bulk_confirm.html", context, status=422 if "sure" in request.POST else 200
    )
