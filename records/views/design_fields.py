"""Adding a field, and changing one with what that does to its data said first."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.cache import patch_vary_headers
from django.views.decorators.http import require_http_methods, require_POST

from permissions import perms
from records.actions import fields
from records.actions.done import Done
from records.actions.holding import DesignMoved, field_mark, held_field, hold_design
from records.forms import choices as editing
from records.forms.design import FieldForm, targets_of
from records.forms.words import TYPES, WITH_CHOICES
from records.models import Field, Record
from records.perms import RECORDS_SENSITIVE
from records.tables.expressions import json_value
from records.values import Choice, FieldSpec, FieldType
from records.views.answers import person, way_back
from records.views.design import design_url, head_of, list_url
from records.views.places import Place, at_place, page_part
from records.views.seen import visible_collections
from tenants.refusals import Refusal

# More different texts than this are no choices.
MOST_PROPOSED = 30
# What a form of this page sends beside the field itself.
_OWN = frozenset({"csrfmiddlewaretoken", "do", "agreed"})


@require_http_methods(["GET", "HEAD", "POST"])
@at_place(to=perms.COLLECTIONS_DESIGN)
def field_new(request: HttpRequest, place: Place) -> HttpResponse:
    """Add a field at the end."""
    sent = request.POST if request.method == "POST" else None
    judged = not _is_draft(request)
    form = FieldForm(sent, targets=targets_of(visible_collections(request)), judged=judged)
    status = 200
    if not judged:
        return _draft(request, place, form, None)
    if sent is not None:
        done = _add(request, place, form) if form.is_valid() else None
        if done is not None:
            messages.success(request, f"{done.name} is added")
            again = "another" in request.POST
            back = reverse("records:field-new", args=[place.table.key]) if again else design_url(place.design)
            return HttpResponseRedirect(back)
        status = 422
    return _page(request, place, form, None, status=status)


def _add(request: HttpRequest, place: Place, form: FieldForm) -> Field | None:
    try:
        with transaction.atomic():
            collection = hold_design(collection=place.design)
            spec = form.spec("new")
            return fields.add(
                collection=collection,
                name=spec.name,
                type=spec.type,
                required=spec.required,
                unique=spec.unique,
                choices=spec.choices,
                help=spec.help,
                sensitive=spec.sensitive,
                options=spec.options,
                indexed=form.cleaned_data["indexed"],
                by=person(request),
                at=timezone.now(),
            )
    except Refusal as refusal:
        form.add_error(None, str(refusal))
        return None


@require_http_methods(["GET", "HEAD", "POST"])
@at_place(to=perms.COLLECTIONS_DESIGN)
def field_design(request: HttpRequest, place: Place, field: str) -> HttpResponse:
    """Change a field; what that does to the data is said, and agreed to, before it is done."""
    found = field_of(place, field)
    if request.method != "POST":
        return _page(request, place, _asked_for(request, _form(request, place, found)), found)
    judged = not _is_draft(request)
    form = _form(request, place, found, request.POST, judged=judged)
    if not judged:
        return _draft(request, place, form, found)
    if rows := proposed(found, form):
        draft = _form(request, place, found, request.POST, judged=False)
        draft.rows = rows
        return _page(request, place, draft, found, proposed=True)
    if not form.is_valid():
        return _page(request, place, form, found, status=422)
    try:
        with transaction.atomic():
            held = held_field(
                collection=hold_design(collection=place.design),
                key=found.key,
                seen=request.POST.get("mark", ""),
            )
            return _change(request, place, form, held)
    except DesignMoved as moved:
        form.add_error(None, str(moved))
        return _page(request, place, form, field_of(place, field), status=moved.status, theirs=True)
    except Refusal as refusal:
        form.add_error(None, str(refusal))
        return _page(request, place, form, found, status=422)


def _asked_for(request: HttpRequest, form: FieldForm) -> FieldForm:
    """Begin with a link to a collection, where the address says so: an import saw that it would fit."""
    wanted = request.GET.get("link", "")
    if wanted and wanted in form.names:
        form.initial = {**form.initial, "type": FieldType.RECORD, "target": wanted}
    return form


def _change(request: HttpRequest, place: Place, form: FieldForm, field: Field) -> HttpResponse:
    """Ask when something happens to the data that was not agreed to, or else change the field."""
    new, zone = form.spec(field.key), place.table.zone
    told = fields.preview_change(field=field, new=new, zone=zone, by=person(request))
    said = [*told.sentences, *_exposed(field, new)]
    if told.is_large:
        said.append("It takes a while and goes on in the background; you can leave the page.")
    agreed = request.POST.get("agreed") == f"{told.emptied}/{told.converted}/{len(said)}"
    if told.refusals or (said and not agreed):
        context = {
            "title": f"Change {field.name}",
            "sentences": said,
            "refusals": told.refusals,
            "empties": told.emptied,
            "label": f"Change and empty {told.emptied:,} values" if told.emptied else "Change the field",
            "kept": [
                (name, value) for name, many in request.POST.lists() if name not in _OWN for value in many
            ],
            "agreed": f"{told.emptied}/{told.converted}/{len(said)}",
        }
        return render_field(request, place, "field_confirm", context, status=409 if told.refusals else 200)
    done = fields.change(
        field=field,
        new=new,
        indexed=form.cleaned_data["indexed"],
        by=person(request),
        at=timezone.now(),
        zone=zone,
    )
    messages.success(request, _sentence(field, done))
    return HttpResponseRedirect(design_url(place.design))


@require_POST
@at_place(to=perms.COLLECTIONS_DESIGN)
def field_quick(request: HttpRequest, place: Place, field: str) -> HttpResponse:
    """Have a field prepared for filtering and sorting, from the list that is slow without."""
    found = field_of(place, field)
    found.collection = hold_design(collection=place.design)
    done = fields.make_quick(field=found, by=person(request), at=timezone.now())
    messages.success(request, done.sentence)
    return HttpResponseRedirect(way_back(request, list_url(place.design)))


def _exposed(field: Field, new: FieldSpec) -> list[str]:
    """Say who sees more or less than before."""
    if field.sensitive and not new.sensitive:
        return ["Everybody who sees the records will see this field with all its values."]
    if new.sensitive and not field.sensitive:
        return ["Only those with the right to see sensitive fields will see it, in lists and views."]
    return []


def _sentence(field: Field, done: Done) -> str:
    if done.job:
        return f"{field.name} is changed; its values follow in the background"
    return f"{field.name} is saved"


def field_of(place: Place, key: str) -> Field:
    """Return a live field that the person may design.

    Raises Http404 if it is not there, PermissionDenied for a sensitive field of who may not see it: what a
    change would empty tells about the values.
    """
    found = next((field for field in place.design.live_fields() if field.key == key), None)
    if found is None:
        raise Http404
    if found.sensitive and not place.may(RECORDS_SENSITIVE):
        raise PermissionDenied
    found.collection = place.design
    return found


def _form(
    request: HttpRequest, place: Place, field: Field, data: QueryDict | None = None, *, judged: bool = True
) -> FieldForm:
    return FieldForm(
        data,
        field=field,
        targets=_targets(request, place, field),
        may_hide=place.may(RECORDS_SENSITIVE),
        judged=judged,
    )


def _targets(request: HttpRequest, place: Place, field: Field) -> list[tuple[str, str]]:
    found = targets_of(visible_collections(request))
    kept = field.spec().option("collection", "")
    # A field that links to what the designer does not see stays as it is until they choose another.
    return found if not kept or kept in dict(found) else [*found, (kept, "A collection you do not see")]


def proposed(field: Field, form: FieldForm) -> list[Choice]:
    """Return the different texts in a field as its choices, when it becomes a choice and none were written.

    Nothing when there are so many that they are no choices.
    """
    becomes = str(form["type"].value())
    if (
        field.type != FieldType.TEXT
        or becomes not in WITH_CHOICES
        or form.rows
        or form["new_choices"].value()
    ):
        return []
    rows = Record.objects.live().filter(collection=field.collection, values__has_key=field.key).order_by()
    found = rows.annotate(kept=json_value(field.key)).values_list("kept", flat=True).distinct()
    texts = sorted({str(text) for text in found[: MOST_PROPOSED + 1]})
    return editing.lengthened([], "\n".join(texts)) if len(texts) <= MOST_PROPOSED else []


def _is_draft(request: HttpRequest) -> bool:
    """Return whether a button was pressed that keeps nothing: one of the choices', or the way back."""
    return "do" in request.POST


def _draft(request: HttpRequest, place: Place, form: FieldForm, field: Field | None) -> HttpResponse:
    """Show the form with what was typed, or its choices alone; nothing is kept yet."""
    form.rearrange(request.POST.get("do", ""))
    if page_part(request) == "choices":
        context = {"form": form}
        return render_field(request, place, "_field_choices", context)
    return _page(request, place, form, field)


def _page(
    request: HttpRequest,
    place: Place,
    form: FieldForm,
    field: Field | None,
    *,
    status: int = 200,
    theirs: bool = False,
    proposed: bool = False,
) -> HttpResponse:
    chosen = form["type"].value() or ""
    context = {
        "form": form,
        "field": field,
        "theirs": _theirs(field) if theirs and field else None,
        "mark": _mark(request, field, theirs=theirs),
        "proposed": proposed,
        "types": TYPES,
        "chosen": next((words for words in TYPES if words.value == chosen), None),
        "back_url": design_url(place.design),
        "remove_url": reverse("records:field-remove", args=[place.table.key, field.key]) if field else "",
        "title": f"Change {field.name}" if field else "Add a field",
    }
    return render_field(request, place, "field_design" if field else "field_new", context, status=status)


def _mark(request: HttpRequest, field: Field | None, *, theirs: bool) -> str:
    """Return the mark of the field as the person last saw it."""
    if field is None:
        return ""
    kept = "" if theirs else request.POST.get("mark", "")
    return kept or field_mark(field)


def _theirs(field: Field) -> list[tuple[str, str]]:
    """Return a field as it is now, in words, beside what somebody else typed."""
    spec = field.spec()
    rules = [word for word, on in (("required", spec.required), ("unique", spec.unique)) if on]
    return [
        ("Name", spec.name),
        ("Type", spec.type.label),
        ("Rules", ", ".join(rules) or "none"),
        ("Choices", ", ".join(choice.label for choice in spec.choices)),
        ("Help", spec.help),
    ]


def render_field(
    request: HttpRequest, place: Place, name: str, context: dict[str, Any], *, status: int = 200
) -> HttpResponse:
    """Draw a page about one field."""
    crumbs = [*head_of(place.design, "")["crumbs"], {"label": "Fields", "url": design_url(place.design)}]
    context = {**context, "crumbs": crumbs, "collection": place.design, "action": request.get_full_path()}
    response = render(request, f"records/{name}.html", context, status=status)
    patch_vary_headers(response, ["HX-Request", "HX-Target"])
    return response
