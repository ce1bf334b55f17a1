"""One record: its page and panel, adding one, changing it as a whole, the bin."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.cache import patch_vary_headers
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from audit.queries import Cursor
from permissions import perms
from permissions.access import signed_in
from permissions.holder import holder_of
from permissions.policies import policy_for
from records.actions import records
from records.actions.refusals import Invalid
from records.models import Record
from records.tables import Row, to_python
from records.tables.columns import CREATED, CREATED_BY, UPDATED, UPDATED_BY
from records.values import Canonical, FieldType
from records.views import beside, conflicts, touching
from records.views.answers import here_before, person, say_done, way_back
from records.views.cells import cells_of
from records.views.history import history, trail_url
from records.views.inputs import Options, ValuesForm, posted
from records.views.places import Place, at_place, find_row, may_do, page_part
from records.views.touching import Clash


@require_safe
@signed_in
def anywhere(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Lead to a record whose collection the one who links does not know."""
    holder = holder_of(request)
    seen = policy_for(Record).visible_to(holder, holder.at).select_related("collection")
    found = seen.filter(pk=pk).first()
    if found is None:
        raise Http404
    return HttpResponseRedirect(reverse("records:record", args=[found.collection.key, pk]))


@require_safe
@at_place()
def record(request: HttpRequest, place: Place, pk: UUID) -> HttpResponse:
    """Show a record, as a page or beside its list."""
    row = find_row(place, pk)
    may_change = may_do(place, pk, perms.RECORDS_CHANGE)
    part = page_part(request)
    context = {
        "place": place,
        "row": row,
        "title": row.title,
        "url": place.url("record", pk),
        "facts": facts(request, place, row, may_change=may_change),
        "made": made(place, row),
        "crumbs": [{"label": place.table.title, "url": place.url("list")}],
        "may_change": may_change,
        "menu": _menu(place, row, may_change=may_change),
        "edit_url": place.url("record-edit", pk),
        **beside.around(request, place, row, may_change=may_change),
    }
    name = "records/_record_panel.html" if part == "panel" else "records/record_detail.html"
    response = render(request, name, context)
    patch_vary_headers(response, ["HX-Request", "HX-Target"])
    return response


@require_safe
@at_place()
def record_history(request: HttpRequest, place: Place, pk: UUID) -> HttpResponse:
    """Show what happened to a record before a place in its history; only the entries when htmx asks."""
    row = find_row(place, pk)
    entries, older = history(place, row, after=Cursor.parse(request.GET.get("after", "")))
    context = {
        "entries": entries,
        "older_url": f"{place.url('history', pk)}?after={older}" if older else "",
        "title": row.title,
        "crumbs": [
            {"label": place.table.title, "url": place.url("list")},
            {"label": row.title, "url": place.url("record", pk)},
        ],
    }
    name = "components/timeline_entries.html" if page_part(request) else "records/record_history.html"
    response = render(request, name, context)
    patch_vary_headers(response, ["HX-Request", "HX-Target"])
    return response


def facts(request: HttpRequest, place: Place, row: Row, *, may_change: bool) -> list[dict[str, Any]]:
    """Return the fields of a record in reading order."""
    cells = cells_of(request, place, place.table.labels([row]))
    base = place.url("record", row.id)
    typed = {column.key for column in place.in_place()}
    return [
        {
            "label": column.name,
            "help": column.spec.help,
            "html": cells.whole(column.spec, row.values.get(column.key), row=row.id),
            "sensitive": column.spec.sensitive,
            "edit_url": f"{base}edit/{column.key}/" if may_change and column.key in typed else "",
        }
        for column in place.table.columns.values()
        if not column.system
    ]


def made(place: Place, row: Row) -> list[dict[str, Any]]:
    """Return who added and who changed a record, and when, as far as its table keeps that."""
    labels = place.table.labels([row])
    found = []
    for words, at, by in (("Added", CREATED, CREATED_BY), ("Changed", UPDATED, UPDATED_BY)):
        if at in row.values and at in place.table.columns and place.table.columns[at].system:
            moment = to_python(FieldType.DATETIME, row.values[at])
            found.append({"words": words, "by": labels.get(str(row.values.get(by, "")), ""), "at": moment})
    return found[:1] if len(found) > 1 and found[0]["at"] == found[1]["at"] else found


def _menu(place: Place, row: Row, *, may_change: bool) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    if may_change:
        found.append(
            {"label": "Change all fields", "url": place.url("record-edit", row.id), "icon": "pencil-square"}
        )
    if place.table.holder.holds(perms.TRAIL_VIEW):
        found.append({"label": "Look it up in the trail", "url": trail_url(row.obj), "icon": "clock"})
    if may_do(place, UUID(row.id), perms.RECORDS_DELETE):
        found.append(
            {
                "label": "Move to the bin" if place.collection else "Delete for good",
                "url": place.url("record-bin", row.id),
                "icon": "trash",
                "tone": "danger",
                "post": True,
                "divider": bool(found),
            }
        )
    return found


@require_http_methods(["GET", "HEAD", "POST"])
@at_place(perms.RECORDS_CHANGE)
def record_new(request: HttpRequest, place: Place) -> HttpResponse:
    """Add a record by hand."""
    columns, options = place.in_place(), Options(request, place)
    status, form = 200, ValuesForm(columns, options)
    if request.method == "POST":
        values = {column.key: posted(column.spec, request.POST, column.key) for column in place.typed()}
        try:
            done, made = touching.create(request, place, values)
        except Invalid as refusal:
            status, form = 422, ValuesForm(columns, options, sent=request.POST, errors=refusal.errors)
        else:
            say_done(request, done)
            return HttpResponseRedirect(
                place.url("new") if "another" in request.POST else place.url("record", made.id)
            )
    context = {
        "place": place,
        "form": form,
        "crumbs": [{"label": place.table.title, "url": place.url("list")}],
        "cancel_url": place.url("list"),
    }
    return render(request, "records/record_new.html", context, status=status)


@require_http_methods(["GET", "HEAD", "POST"])
@at_place()
def record_edit(request: HttpRequest, place: Place, pk: UUID) -> HttpResponse:
    """Change a record as a whole: the way without scripts, and where a conflict is settled."""
    row = find_row(place, pk, to=perms.RECORDS_CHANGE)
    columns, options = place.typed(), Options(request, place)
    seen: Mapping[str, Canonical | None] = row.values
    status, form = 200, ValuesForm(columns, options, values=row.values)
    expected = row.version
    if request.method == "POST":
        sent = touching.read(conflicts.settled(request.POST), columns, zone=place.table.zone)
        seen, expected = sent.seen, sent.expected
        try:
            done, _ = touching.save(request, place, row, sent)
        except Clash as clash:
            return conflicts.ask(request, place, clash, sent, action=place.url("record-edit", pk))
        except Invalid as refusal:
            shown = touching.filled(sent, columns, row.values)
            status, form = 422, ValuesForm(columns, options, sent=shown, errors=refusal.errors)
        else:
            say_done(request, done)
            return HttpResponseRedirect(way_back(request, place.url("record", pk)))
    context = {
        "place": place,
        "row": row,
        "form": form,
        "hidden": touching.hidden(columns, seen, expected),
        "crumbs": [
            {"label": place.table.title, "url": place.url("list")},
            {"label": row.title, "url": place.url("record", pk)},
        ],
        "cancel_url": place.url("record", pk),
    }
    return render(request, "records/record_edit.html", context, status=status)


@require_POST
@at_place()
def record_bin(request: HttpRequest, place: Place, pk: UUID) -> HttpResponse:
    """Move a record to the bin."""
    row = find_row(place, pk, to=perms.RECORDS_DELETE)
    if place.collection is None:
        return _delete(request, place, row)
    done = records.move_to_bin(
        collection=place.design,
        ids=[UUID(row.id)],
        by=person(request),
        at=timezone.now(),
    )
    say_done(request, done, text=f"{row.title} moved to the bin")
    # From beside its list one goes on with the list as it is filtered and sorted.
    there = here_before(request, "")
    is_list = there.partition("?")[0] == place.url("list")
    return HttpResponseRedirect(there if is_list else place.way_on())


def _delete(request: HttpRequest, place: Place, row: Row) -> HttpResponse:
    """Delete a row of a room for good: rooms keep no bin, so it is asked first."""
    if "sure" in request.POST:
        done = touching.remove(request, place, row)
        say_done(request, done, text=f"{row.title} deleted for good")
        return HttpResponseRedirect(place.url("list"))
    context = {
        "place": place,
        "title": f"Delete {row.title} for good",
        "label": f"Delete {row.title} for good",
        "tone": "danger",
        "consequences": ["This cannot be undone."],
        "action": place.url("record-bin", row.id),
        "fields": [("sure", "1")],
        "cancel_url": place.url("record", row.id),
        "crumbs": [{"label": place.table.title, "url": place.url("list")}],
    }
    return render(request, "records/bulk_confirm.html", context)
