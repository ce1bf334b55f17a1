"""Making collections, their settings, their bin."""

from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.identity.models import User
from permissions import perms
from permissions.access import requires, signed_in
from permissions.holder import holder_of
from permissions.panels import panel_for
from permissions.policies import policy_for
from records.actions import collections
from records.actions.copying import copy_design
from records.actions.holding import hold_design, shown_mark
from records.forms.design import CopyForm, NewForm, SettingsForm, targets_of
from records.models import Collection, Field
from records.models.collection import CollectionQuerySet
from records.models.field import new_key
from records.values import FieldSpec, FieldType
from records.views.answers import person
from records.views.design import design_url, head_of, import_url, list_url
from records.views.listing import FILES
from records.views.places import Place, at_place
from tenants.refusals import Refusal


@require_http_methods(["GET", "HEAD", "POST"])
@requires(perms.COLLECTIONS_DESIGN)
def collection_new(request: HttpRequest) -> HttpResponse:
    """Offer the three ways to a collection; sent, make one with an empty design or another's."""
    sources = _sources(request)
    way = request.POST.get("way", "")
    new = NewForm(request.POST if way == "new" else None, initial={"first": "Name"}, prefix="new")
    copy = CopyForm(request.POST if way == "copy" else None, sources=targets_of(sources), prefix="copy")
    sent: forms.Form | None = {"new": new, "copy": copy}.get(way)
    if sent is not None and sent.is_valid():
        try:
            with transaction.atomic():
                made = _made(request, sent, sources)
        except Refusal as refusal:
            sent.add_error(None, str(refusal))
        else:
            messages.success(request, f"{made.name} is there")
            return HttpResponseRedirect(design_url(made))
    context = {
        "new": new,
        "copy": copy if sources else None,
        "import_url": import_url(),
        "accept": FILES,
        "bin_url": reverse("records:collection-bin") if _binned(request).exists() else "",
    }
    return render(
        request, "records/collection_new.html", context, status=422 if request.method == "POST" else 200
    )


def _sources(request: HttpRequest) -> list[Collection]:
    """Return the collections whose design the person may copy: those they may design themself."""
    holder = holder_of(request)
    found = policy_for(Collection).visible_to(holder, holder.at, to=perms.COLLECTIONS_DESIGN)
    return list(found.prefetch_related("fields"))


def _made(request: HttpRequest, form: forms.Form, sources: list[Collection]) -> Collection:
    given, by, at = form.cleaned_data, person(request), timezone.now()
    if isinstance(form, CopyForm):
        source = next(one for one in sources if str(one.pk) == given["source"])
        return copy_design(source=source, name=given["name"], by=by, at=at)
    first = FieldSpec(new_key(), given["first"], FieldType.TEXT, required=True)
    return collections.create(name=given["name"], icon=given["icon"], fields=[first], by=by, at=at)


@require_http_methods(["GET", "HEAD", "POST"])
@at_place(to=perms.COLLECTIONS_DESIGN)
def collection_settings(request: HttpRequest, place: Place) -> HttpResponse:
    """Show and keep what a collection is called and drawn as, and who has access to it."""
    collection, status = place.design, 200
    form = _settings_form(collection)
    if request.method == "POST":
        collection = hold_design(collection=collection)
        form = _settings_form(collection, request.POST)
        status = _keep_settings(request, collection, form)
        if status == 200:
            messages.success(request, "Saved")
            return HttpResponseRedirect(reverse("records:collection-settings", args=[collection.key]))
        collection.refresh_from_db(fields=["name", "description", "icon"])
    context = {
        "collection": collection,
        "form": form,
        "mark": shown_mark(collection),
        "sharing": panel_for(request, collection),
        "bin_url": reverse("records:collection-remove", args=[collection.key]),
        "address": list_url(collection),
        **head_of(collection, "settings"),
    }
    return render(request, "records/collection_settings.html", context, status=status)


def _settings_form(collection: Collection, data: Any = None) -> SettingsForm:
    initial = {name: getattr(collection, name) for name in ("name", "description", "icon")}
    return SettingsForm(data, initial=initial, kept_icon=collection.icon)


def _keep_settings(request: HttpRequest, collection: Collection, form: SettingsForm) -> int:
    """Keep the settings that were sent; return the status, with the reasons in the form."""
    if shown_mark(collection) != request.POST.get("mark"):
        form.add_error(
            None,
            f"Somebody else changed these settings meanwhile. Now it is called {collection.name}, "
            f"and described as “{collection.description}”. Save again if yours is right.",
        )
        return 409
    if not form.is_valid():
        return 422
    try:
        collections.change(collection=collection, **form.cleaned_data, by=person(request), at=timezone.now())
    except Refusal as refusal:
        form.add_error(None, str(refusal))
        return 422
    return 200


@require_http_methods(["GET", "HEAD", "POST"])
@at_place(to=perms.COLLECTIONS_DESIGN)
def collection_remove(request: HttpRequest, place: Place) -> HttpResponse:
    """Move a collection to the bin, after saying what goes with it and hearing its name."""
    collection = place.design
    wrong = False
    if request.method == "POST":
        wrong = request.POST.get("confirm", "").strip() != collection.name
        if not wrong:
            done = collections.move_to_bin(
                collection=hold_design(collection=collection), by=person(request), at=timezone.now()
            )
            undo = reverse("records:collection-restore", args=[collection.pk])
            messages.success(request, done.sentence, extra_tags=f"undo:{undo}")
            return HttpResponseRedirect(_home())
    context = {
        "collection": collection,
        "sentences": _goes_with(collection),
        "wrong": wrong,
        "crumbs": [
            *head_of(collection, "")["crumbs"],
            {"label": "Settings", "url": reverse("records:collection-settings", args=[collection.key])},
        ],
    }
    return render(request, "records/collection_remove.html", context, status=422 if wrong else 200)


def _goes_with(collection: Collection) -> list[str]:
    count = collection.record_count()
    found = [
        f"{count:,} records go with it, with their files and their history."
        if count != 1
        else "1 record goes with it, with its files and its history."
    ]
    links = (
        Field.objects.filter(deleted_at=None, type=FieldType.RECORD.value)
        .filter(collection__deleted_at=None, options__collection=str(collection.pk))
        .exclude(collection=collection)
        .count()
    )
    if links:
        fields = (
            "1 field of another collection links"
            if links == 1
            else f"{links} fields of other collections link"
        )
        found.append(f"{fields} to it; the links lead nowhere while it is in the bin.")
    found.append("Nobody sees it any more, whoever it is shared with. It can be taken out of the bin again.")
    return found


def _binned(request: HttpRequest) -> CollectionQuerySet:
    """Return the collections in the bin that the person may design."""
    holder = holder_of(request)
    mine = policy_for(Collection).condition(holder, perms.COLLECTIONS_DESIGN)
    found: CollectionQuerySet = Collection.objects.exclude(deleted_at=None).filter(mine)
    return found


@require_safe
@signed_in
def collection_bin(request: HttpRequest) -> HttpResponse:
    """Show the collections in the bin."""
    found = _binned(request)
    holder = holder_of(request)
    if not holder.holds(perms.COLLECTIONS_DESIGN) and not found.exists():
        raise PermissionDenied
    rows = list(found.with_counts().order_by("-deleted_at"))
    names = dict(User.objects.filter(pk__in={row.deleted_by for row in rows}).values_list("pk", "name"))
    context = {
        "rows": [
            {
                "collection": row,
                "count": row.record_count(),
                "by": names.get(row.deleted_by, "") if row.deleted_by else "",
                "url": reverse("records:collection-restore", args=[row.pk]),
            }
            for row in rows
        ],
        "crumbs": [{"label": "Home", "url": _home()}],
    }
    return render(request, "records/collection_bin.html", context)


@require_POST
@signed_in
def collection_restore(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Take a collection out of the bin."""
    found = _binned(request).filter(pk=pk).first()
    if found is None:
        raise Http404
    done = collections.restore(collection=found, by=person(request), at=timezone.now())
    messages.success(request, done.sentence)
    return HttpResponseRedirect(list_url(found))


def _home() -> str:
    return reverse("home")
