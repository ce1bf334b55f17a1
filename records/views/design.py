"""The design of a collection: its fields in order, how it is named and sorted."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.cache import patch_vary_headers
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from jobs.models import Job
from jobs.views.showing import shown as job_shown
from permissions import perms
from records.actions import collections, fields
from records.actions.holding import DesignMoved, check_order, hold_design, shown_mark
from records.forms.design import ShownForm
from records.forms.words import WITH_CHOICES
from records.indexes.rules import index_name, kind_for
from records.models import Collection, Field, IndexState
from records.models.index import IndexStatus
from records.perms import RECORDS_SENSITIVE
from records.values import FieldType
from records.views.answers import person
from records.views.places import Place, at_place, page_part
from records.views.seen import address_of, visible_collections

_QUICK = {
    IndexStatus.WANTED: ("Being prepared", "info"),
    IndexStatus.READY: ("Quick to filter", "ok"),
    IndexStatus.FAILED: ("Could not be prepared", "bad"),
}
# Long text and files are searched, or opened; nobody sorts by them.
_UNSORTED = frozenset({FieldType.LONG_TEXT, FieldType.FILE, FieldType.CHOICES})


@dataclass(frozen=True, slots=True)
class Line:
    """One field as the page shows it. The addresses are "" for who may not change a sensitive field."""

    key: str
    name: str
    help: str
    type: str
    detail: str
    rules: tuple[str, ...]
    names_records: bool
    quick: str
    quick_tone: str
    edit_url: str
    remove_url: str


@require_safe
@at_place(to=perms.COLLECTIONS_DESIGN)
def collection_design(request: HttpRequest, place: Place) -> HttpResponse:
    """Show the design, or the jobs under way on it."""
    if page_part(request) == "under-way":
        context = _under_way(request, place.design)
        response = render(request, "records/_collection_jobs.html", context)
        if not context["jobs"]:
            # What they prepared stands in the list now.
            response["HX-Refresh"] = "true"
        return response
    return show(request, place, place.design)


def show(
    request: HttpRequest,
    place: Place,
    collection: Collection,
    *,
    refused: str = "",
    moved: str = "",
    shown_form: ShownForm | None = None,
    status: int = 200,
) -> HttpResponse:
    """Draw the page, or its list of fields alone where htmx asks for that."""
    context: dict[str, Any] = {
        "collection": collection,
        "lines": lines_of(request, place, collection),
        "refused": refused,
        "moved": moved,
        "order_url": reverse("records:collection-order", args=[collection.key]),
        "add_url": reverse("records:field-new", args=[collection.key]),
    }
    if page_part(request) == "fields":
        response = render(request, "records/_collection_fields.html", context)
        patch_vary_headers(response, ["HX-Request", "HX-Target"])
        return response
    context |= head_of(collection, "design") | _under_way(request, collection)
    context |= {
        "shown_form": shown_form or form_of_shown(collection),
        "shown_url": reverse("records:collection-shown", args=[collection.key]),
        "shown_mark": shown_mark(collection),
        "removed": _removed(place, collection),
        "sensitive_hidden": RECORDS_SENSITIVE not in place.table.permissions,
    }
    response = render(request, "records/collection_design.html", context, status=status)
    patch_vary_headers(response, ["HX-Request", "HX-Target"])
    return response


def head_of(collection: Collection, here: str) -> dict[str, Any]:
    """Return the crumbs and tabs above every page about a collection's design."""
    pages = (("Fields", "design"), ("Settings", "settings"))
    tabs = [
        {
            "label": label,
            "url": reverse(f"records:collection-{page}", args=[collection.key]),
            "current": page == here,
        }
        for label, page in pages
    ]
    return {"crumbs": [{"label": collection.name, "url": list_url(collection)}], "tabs": tabs}


def list_url(collection: Collection) -> str:
    """Return where a collection's records are."""
    return reverse("records:list", args=[collection.key])


def design_url(collection: Collection) -> str:
    """Return where a collection is designed."""
    return reverse("records:collection-design", args=[collection.key])


def lines_of(request: HttpRequest, place: Place, collection: Collection) -> list[Line]:
    """Return the fields as the page shows them; a constant number of queries."""
    names = {str(seen.pk): seen.name for seen in visible_collections(request)}
    states = {state.name: state for state in IndexState.objects.filter(collection=collection)}
    sees_all = RECORDS_SENSITIVE in place.table.permissions
    return [_line(collection, field, names, states, sees_all) for field in collection.live_fields()]


def _line(
    collection: Collection,
    field: Field,
    names: Mapping[str, str],
    states: Mapping[str, IndexState],
    sees_all: bool,
) -> Line:
    state = states.get(index_name(collection, kind_for(field), field))
    quick, tone = _QUICK.get(IndexStatus(state.status), ("", "")) if state else ("", "")
    if field.indexed and not state:
        quick, tone = _QUICK[IndexStatus.WANTED]
    may = sees_all or not field.sensitive
    return Line(
        key=field.key,
        name=field.name,
        help=field.help,
        type=FieldType(field.type).label,
        detail=_detail(field, names),
        rules=tuple(
            word
            for word, holds in (
                ("Required", field.required),
                ("Unique", field.unique),
                ("Sensitive", field.sensitive),
            )
            if holds
        ),
        names_records=field.key == collection.title_key,
        quick=quick,
        quick_tone=tone,
        edit_url=reverse("records:field-design", args=[collection.key, field.key]) if may else "",
        remove_url=reverse("records:field-remove", args=[collection.key, field.key]) if may else "",
    )


def _detail(field: Field, names: Mapping[str, str]) -> str:
    """Return what the type alone does not say."""
    kind, spec = FieldType(field.type), field.spec()
    if kind in WITH_CHOICES:
        return f"{len(spec.choices)} choices" if len(spec.choices) != 1 else "1 choice"
    if kind is FieldType.MONEY:
        return spec.option("currency", "")
    if kind is FieldType.RECORD:
        return names.get(spec.option("collection", ""), "a collection you do not see")
    return ""


def _removed(place: Place, collection: Collection) -> list[dict[str, Any]]:
    sees_all = RECORDS_SENSITIVE in place.table.permissions
    gone = [
        field for field in collection.fields.all() if field.deleted_at and (sees_all or not field.sensitive)
    ]
    gone.sort(key=lambda field: str(field.deleted_at), reverse=True)
    return [
        {
            "name": field.name,
            "type": FieldType(field.type).label,
            "at": field.deleted_at,
            "url": reverse("records:field-restore", args=[collection.key, field.key]),
        }
        for field in gone
    ]


def _under_way(request: HttpRequest, collection: Collection) -> dict[str, Any]:
    keys = [str(field.pk) for field in collection.fields.all()]
    about = Job.objects.unfinished().filter(kind__in=("records.convert", "records.index"))
    mine = about.filter(payload__field__in=keys) | about.filter(payload__collection=str(collection.pk))
    now = timezone.now()
    jobs = [job_shown(job, at=now, may_change=False) for job in mine.order_by("id")]
    return {"jobs": jobs, "poll_url": design_url(collection) if jobs else ""}


@require_POST
@at_place(to=perms.COLLECTIONS_DESIGN)
def collection_order(request: HttpRequest, place: Place) -> HttpResponse:
    """Put the fields into another order: "up" or "down" moves one, otherwise as they were sent."""
    collection = hold_design(collection=place.design)
    seen, sent = request.POST.getlist("seen"), request.POST.getlist("key")
    try:
        check_order(collection=collection, seen=seen)
    except DesignMoved as refusal:
        return show(request, place, collection, refused=str(refusal), status=refusal.status)
    keys = _moved(sent or seen, request.POST.get("up", ""), request.POST.get("down", ""))
    if set(keys) == set(seen) and keys != seen:
        fields.reorder(collection=collection, keys=keys, by=person(request), at=timezone.now())
    if page_part(request) == "fields":
        return show(request, place, collection, moved=_said(collection, request))
    return HttpResponseRedirect(design_url(collection))


def _moved(keys: list[str], up: str, down: str) -> list[str]:
    key = up or down
    if key not in keys:
        return keys
    at = keys.index(key)
    rest = [other for other in keys if other != key]
    rest.insert(max(at - 1, 0) if up else at + 1, key)
    return rest


def _said(collection: Collection, request: HttpRequest) -> str:
    """Return where the moved field stands now, for who does not see it."""
    key = request.POST.get("up") or request.POST.get("down") or request.POST.get("dragged", "")
    now = collection.live_fields()
    for number, field in enumerate(now, start=1):
        if field.key == key:
            return f"{field.name} is number {number} of {len(now)}."
    return ""


def form_of_shown(collection: Collection, data: Any = None) -> ShownForm:
    """Return the form of what names and orders the records."""
    live = collection.live_fields()
    kept = collection.default_sort
    return ShownForm(
        data,
        initial={
            "title_key": collection.title_key,
            "sort_key": kept.lstrip("-"),
            "descending": "1" if kept.startswith("-") else "",
        },
        titles=[(field.key, field.name) for field in live if not field.sensitive],
        sorts=[(field.key, field.name) for field in live if FieldType(field.type) not in _UNSORTED],
    )


@require_http_methods(["POST"])
@at_place(to=perms.COLLECTIONS_DESIGN)
def collection_shown(request: HttpRequest, place: Place) -> HttpResponse:
    """Keep what names the records and how they are sorted."""
    collection = hold_design(collection=place.design)
    form = form_of_shown(collection, request.POST)
    if shown_mark(collection) != request.POST.get("seen"):
        form.add_error(
            None, "Somebody else changed this meanwhile. Compare, and save again if yours is right."
        )
        return show(request, place, collection, shown_form=form, status=409)
    if not form.is_valid():
        return show(request, place, collection, shown_form=form, status=422)
    collections.change(
        collection=collection,
        title_key=form.cleaned_data["title_key"],
        default_sort=form.sort(),
        by=person(request),
        at=timezone.now(),
    )
    messages.success(request, "Saved")
    return HttpResponseRedirect(design_url(collection))


def import_url() -> str:
    """Return where a file makes a collection, or ""."""
    return address_of("records:import-start")
