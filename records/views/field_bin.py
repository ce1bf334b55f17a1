"""Removing a field from a design, with what goes with it said first, and bringing it back."""

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from permissions import perms
from records.actions import fields
from records.actions.holding import DesignMoved, field_mark, held_field, hold_design
from records.models import Collection, Field, Record
from records.perms import RECORDS_SENSITIVE
from records.views.answers import person
from records.views.design import design_url
from records.views.design_fields import field_of, render_field
from records.views.places import Place, at_place
from tenants.refusals import Refusal


@require_http_methods(["GET", "HEAD", "POST"])
@at_place(to=perms.COLLECTIONS_DESIGN)
def field_remove(request: HttpRequest, place: Place, field: str) -> HttpResponse:
    """Remove a field, after saying what goes with it."""
    found = field_of(place, field)
    refused, status = "", 200
    if request.method == "POST":
        try:
            with transaction.atomic():
                held = held_field(
                    collection=hold_design(collection=place.design),
                    key=found.key,
                    seen=request.POST.get("mark", ""),
                )
                done = fields.remove(field=held, by=person(request), at=timezone.now())
        except DesignMoved as moved:
            refused, status = str(moved), moved.status
        else:
            back = reverse("records:field-restore", args=[place.table.key, found.key])
            messages.success(request, done.sentence, extra_tags=f"undo:{back}")
            return HttpResponseRedirect(design_url(place.design))
    context = {
        "title": f"Remove {found.name}",
        "field": found,
        "refused": refused,
        "sentences": _goes_with(found),
        "kept": [("mark", field_mark(found))],
        "back_url": design_url(place.design),
    }
    return render_field(request, place, "field_remove", context, status=status)


def _goes_with(field: Field) -> list[str]:
    collection = field.collection
    filled = Record.objects.live().filter(collection=collection, values__has_key=field.key).count()
    total = collection.record_count()
    found = [f"{filled:,} of {total:,} records have a value in it. The values are kept, out of sight."]
    views = _views_with(collection, field.key)
    if views:
        found.append(
            f"{views} saved views use it; they no longer do."
            if views > 1
            else "A saved view uses it; it no longer does."
        )
    if collection.title_key == field.key:
        found.append("It names the records; they will be without a name until you choose another field.")
    if field.unique:
        found.append("When it is brought back, it is no longer unique.")
    return found


def _views_with(collection: Collection, key: str) -> int:
    rows = collection.views.values_list("filters", "sort", "columns")
    return sum(
        key in columns or sort.lstrip("-") == key or any(asked[:1] == [key] for asked in asked_for)
        for asked_for, sort, columns in rows
    )


@require_POST
@at_place(to=perms.COLLECTIONS_DESIGN)
def field_restore(request: HttpRequest, place: Place, field: str) -> HttpResponse:
    """Bring a removed field back, with the values it had."""
    collection = hold_design(collection=place.design)
    found = next((one for one in collection.fields.all() if one.key == field and one.deleted_at), None)
    if found is None:
        raise Http404
    if found.sensitive and not place.may(RECORDS_SENSITIVE):
        raise PermissionDenied
    found.collection = collection
    try:
        done = fields.bring_back(field=found, by=person(request), at=timezone.now())
    except Refusal as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, done.sentence)
    return HttpResponseRedirect(design_url(collection))
