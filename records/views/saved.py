"""Saved views: keep what a list shows under a name, change it, share it, be rid of it."""

from uuid import UUID

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils import timezone
from django.utils.cache import patch_vary_headers
from django.views.decorators.http import require_http_methods, require_POST

from permissions.policies import policy_for
from records.actions import views
from records.actions.refusals import CannotDesign
from records.models import SavedView
from records.tables import TableQuery
from records.views.answers import person
from records.views.places import Place, at_place, page_part
from records.views.views_menu import may_change


class ViewForm(forms.Form):
    """The name of a view, and whether others see it."""

    name = forms.CharField(label="Name", max_length=100)
    is_shared = forms.BooleanField(
        label="Share it with everybody who can open this list",
        help_text="They see the records that are shared with them, through this view.",
        required=False,
    )


@require_http_methods(["GET", "HEAD", "POST"])
@at_place()
def view_new(request: HttpRequest, place: Place) -> HttpResponse:
    """Keep what the list shows under a name."""
    query = place.table.parse(request.POST if request.method == "POST" else request.GET).first_page()
    form = ViewForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            kept = views.save(
                table=place.table,
                collection=place.collection,
                query=query,
                by=person(request),
                at=timezone.now(),
                **form.cleaned_data,
            )
        except CannotDesign as refusal:
            form.add_error("name", str(refusal))
        else:
            messages.success(request, f"Saved as {kept.name}")
            return HttpResponseRedirect(place.list_url(query, view=str(kept.pk)))
    return _form(request, place, form, query, action=place.url("view-new"), title="Save as a view")


def _find(place: Place, pk: UUID) -> SavedView:
    """Return a view of this list. Raises Http404 if it is not seen, PermissionDenied if it is another's."""
    holder = place.table.holder
    found = policy_for(SavedView).visible_to(holder, holder.at).filter(pk=pk).first()
    collection = place.collection.pk if place.collection else None
    if found is None or found.collection_id != collection:
        raise Http404
    if collection is None and found.room != place.table.key:
        raise Http404
    if not may_change(place, found):
        raise PermissionDenied
    return found


@require_http_methods(["GET", "HEAD", "POST"])
@at_place()
def view_edit(request: HttpRequest, place: Place, view: UUID) -> HttpResponse:
    """Rename a view, share it or keep it to oneself."""
    kept = _find(place, view)
    begin = {"name": kept.name, "is_shared": kept.is_shared}
    form = ViewForm(request.POST if request.method == "POST" else None, initial=begin)
    query = views.query_of(kept, place.table)
    if request.method == "POST" and form.is_valid():
        try:
            views.change(view=kept, by=person(request), at=timezone.now(), **form.cleaned_data)
        except CannotDesign as refusal:
            form.add_error("name", str(refusal))
        else:
            messages.success(request, "Saved")
            return HttpResponseRedirect(place.list_url(query, view=str(kept.pk)))
    action = place.url("view-edit", kept.pk)
    return _form(request, place, form, TableQuery(), action=action, title=f"Change {kept.name}")


def _form(
    request: HttpRequest, place: Place, form: ViewForm, query: TableQuery, *, action: str, title: str
) -> HttpResponse:
    context = {
        "place": place,
        "form": form,
        "params": query.params(),
        "action": action,
        "title": title,
        "cancel_url": place.list_url(query),
        "crumbs": [{"label": place.table.title, "url": place.list_url(query)}],
    }
    name = "records/_view_form.html" if page_part(request) else "records/view_edit.html"
    response = render(request, name, context, status=422 if form.errors else 200)
    patch_vary_headers(response, ["HX-Request", "HX-Target"])
    return response


@require_POST
@at_place()
def view_update(request: HttpRequest, place: Place, view: UUID) -> HttpResponse:
    """Let a view show what the list shows now."""
    kept = _find(place, view)
    query = place.table.parse(request.POST).first_page()
    views.change(view=kept, query=query, by=person(request), at=timezone.now())
    messages.success(request, f"{kept.name} now shows this")
    return HttpResponseRedirect(place.list_url(query, view=str(kept.pk)))


@require_POST
@at_place()
def view_remove(request: HttpRequest, place: Place, view: UUID) -> HttpResponse:
    """Be rid of a view; the records stay."""
    kept = _find(place, view)
    name = kept.name
    views.remove(view=kept, by=person(request), at=timezone.now())
    messages.success(request, f"The view {name} is gone; the records are still there")
    return HttpResponseRedirect(place.url("list"))
