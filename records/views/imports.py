"""Pages of an import. One address shows it in whatever state it is; the others change that state."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, StreamingHttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.cache import patch_vary_headers
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.identity.models import User
from permissions import perms
from permissions.access import get_or_404, opens, signed_in
from permissions.holder import holder_of
from permissions.policies import policy_for
from records.imports import actions
from records.imports.destinations import destination_of
from records.imports.refusals import MappingRefused, SameFile, UploadRefused
from records.imports.rights import may_begin, may_undo
from records.imports.store import Spool
from records.models import Collection, Import, ImportState, MissingLink
from records.views import import_shown as showing
from records.views.import_forms import DesignForm, MappingForm
from records.views.places import Place, at_place, page_part

MINE = opens(Import, to=perms.RECORDS_IMPORT)
EARLIER = 20


@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def import_start(request: HttpRequest) -> HttpResponse:
    """Take a file for a new collection, and show earlier imports."""
    holder = holder_of(request)
    if not may_begin(holder):
        raise PermissionDenied
    if request.method == "POST":
        return _take(request, None)
    rows = policy_for(Import).visible_to(holder, holder.at).select_related("collection", "job")
    context = {"rows": [showing.listed(row) for row in rows[:EARLIER]], "start_url": request.path}
    return render(request, "records/import_new.html", {**context, "accept": showing.FILES})


@require_http_methods(["GET", "HEAD", "POST"])
@at_place(perms.RECORDS_IMPORT)
def import_into(request: HttpRequest, place: Place) -> HttpResponse:
    """Take a file for a collection or a room, and show its earlier imports."""
    if request.method == "POST":
        return _take(request, place)
    rows = Import.objects.filter(collection=place.collection, room=place.room.key if place.room else "")
    shown = rows.select_related("collection", "job")[:EARLIER]
    context = {**_about(place), "rows": [showing.listed(row) for row in shown], "start_url": request.path}
    return render(request, "records/import_new.html", {**context, "accept": showing.FILES})


def _about(place: Place | None) -> dict[str, Any]:
    if place is None:
        return {}
    return {"target": place.table.title, "crumbs": [{"label": place.table.title, "url": place.url("list")}]}


def _take(request: HttpRequest, place: Place | None) -> HttpResponse:
    """Keep the file and go to its page. A refusal is shown where the file was dropped."""
    upload = request.FILES.get("file")
    try:
        if not isinstance(upload, UploadedFile) or len(request.FILES.getlist("file")) != 1:
            raise UploadRefused("Choose one file.")
        row = actions.begin(
            upload=upload,
            name=upload.name or "",
            collection=place.collection if place else None,
            room=place.room if place else None,
            by=_person(request),
            at=timezone.now(),
        )
    except UploadRefused as refusal:
        context = {"start_url": request.path, "refusal": refusal, "accept": showing.FILES}
        name = "records/_import_drop.html" if request.headers.get("HX-Request") else "records/import_new.html"
        return render(request, name, {**context, **_about(place)}, status=refusal.status)
    return _to(request, row)


@require_GET
@MINE
def import_detail(request: HttpRequest, row: Import) -> HttpResponse:
    """Show the import in its state; while a job works, the fragment asks again until that changes."""
    if page_part(request):
        return _progress(request, row)
    context = showing.page(request, row)
    again = row.state == ImportState.CHECKED and "columns" in request.GET
    if row.state == ImportState.PROPOSED or again:
        context["form"] = _form(request, row, None)
    return render(request, "records/import_detail.html", context)


def _progress(request: HttpRequest, row: Import) -> HttpResponse:
    response = render(request, "records/_import_progress.html", showing.page(request, row))
    if request.GET.get("seen") != showing.phase(row):
        response["HX-Refresh"] = "true"
    patch_vary_headers(response, ["HX-Request"])
    return response


def _form(request: HttpRequest, row: Import, data: Any) -> DesignForm | MappingForm:
    return (
        showing.mapping_form(request, row, data) if row.has_place else showing.design_form(request, row, data)
    )


@require_POST
@MINE
def import_design(request: HttpRequest, row: Import) -> HttpResponse:
    """Make the collection as the form says, and check the file."""
    _expect_unless(row, not row.has_place)
    form = showing.design_form(request, row, request.POST)
    if not form.is_valid():
        return _refused(request, row, form, "Some columns need another name or type.")
    try:
        actions.make_collection(
            row=row,
            name=form.cleaned_data["name"],
            choices=form.choices(),
            title=form.named_by(),
            on_missing=MissingLink(form.cleaned_data["on_missing"]),
            zone=timezone.get_current_timezone_name(),
            by=_person(request),
            at=timezone.now(),
        )
    except (MappingRefused, showing.CannotDesign) as refusal:
        return _refused(request, row, form, str(refusal))
    return _to(request, row)


@require_POST
@MINE
def import_mapping(request: HttpRequest, row: Import) -> HttpResponse:
    """Note where the columns go, and check the file."""
    _expect_unless(row, row.has_place)
    form = showing.mapping_form(request, row, request.POST)
    if not form.is_valid():
        return _refused(request, row, form, "Choose again where the columns go.")
    try:
        actions.choose_columns(
            row=row,
            choices=form.choices(),
            on_missing=MissingLink(form.cleaned_data["on_missing"]),
            zone=timezone.get_current_timezone_name(),
            by=_person(request),
            at=timezone.now(),
        )
    except MappingRefused as refusal:
        return _refused(request, row, form, str(refusal))
    return _to(request, row)


def _expect_unless(row: Import, fits: bool) -> None:
    if not fits or row.state not in (ImportState.PROPOSED, ImportState.CHECKED):
        raise showing.NotNow


def _refused(request: HttpRequest, row: Import, form: DesignForm | MappingForm, words: str) -> HttpResponse:
    context = {**showing.page(request, row), "form": form, "problem": words}
    return render(request, "records/import_detail.html", context, status=422)


@require_POST
@MINE
def import_check(request: HttpRequest, row: Import) -> HttpResponse:
    """Check again with the same choices."""
    actions.check_again(row=row, by=_person(request), at=timezone.now())
    return _to(request, row)


@require_POST
@MINE
def import_apply(request: HttpRequest, row: Import) -> HttpResponse:
    """Begin to load what was checked."""
    actions.apply(row=row, by=_person(request), at=timezone.now())
    return _to(request, row)


@require_GET
@MINE
def import_result(request: HttpRequest, row: Import) -> HttpResponse:
    """Download the list of refused rows."""
    parts = Spool.of(row.pk, row.stamp).result() if row.stamp else iter(())
    response = StreamingHttpResponse(parts, content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = 'attachment; filename="refused.csv"'
    response["X-Content-Type-Options"] = "nosniff"
    response["Cache-Control"] = "no-store"
    return response  # type: ignore[return-value]  # a stream is an answer too


@require_http_methods(["GET", "HEAD", "POST"])
@MINE
def import_undo(request: HttpRequest, row: Import) -> HttpResponse:
    """Say what undoing will do, and begin it."""
    there = destination_of(row)
    if there is None:
        raise showing.NotNow
    if row.collection is not None:
        get_or_404(holder_of(request), Collection, row.collection.pk, to=perms.RECORDS_IMPORT)
        get_or_404(holder_of(request), Collection, row.collection.pk, to=perms.RECORDS_DELETE)
    elif not may_undo(holder_of(request), there):
        raise PermissionDenied
    if request.method == "POST":
        keep = request.POST.get("keep", "") == "1"
        actions.undo(row=row, keep_changed=keep, by=_person(request), at=timezone.now())
        return _to(request, row)
    return render(request, "records/import_undo.html", showing.undo_page(request, row))


@require_POST
@MINE
def import_read(request: HttpRequest, row: Import) -> HttpResponse:
    """Read the file again in the encoding that the person names."""
    actions.read_as(row=row, encoding=request.POST.get("encoding", ""), by=_person(request))
    return _to(request, row)


@require_POST
@MINE
def import_again(request: HttpRequest, row: Import) -> HttpResponse:
    """Note that the same file is wanted twice."""
    if actions.same_file(row) is None:
        raise SameFile("This file is not there yet.")
    actions.allow_again(row=row)
    return _to(request, row)


@require_POST
@MINE
def import_go_on(request: HttpRequest, row: Import) -> HttpResponse:
    """Go on with what failed or was cancelled."""
    actions.go_on(row=row)
    return _to(request, row)


@require_POST
@MINE
def import_drop(request: HttpRequest, row: Import) -> HttpResponse:
    """Give the import up, before anything was loaded."""
    collection = actions.drop(row=row, by=_person(request), at=timezone.now())
    messages.success(request, "The file was dropped. Nothing was imported.")
    there = showing.list_url(collection, row.room) if collection or row.room else reverse("home")
    return HttpResponseRedirect(there)


def _to(request: HttpRequest, row: Import) -> HttpResponse:
    """Go to the page of the import, from a form or from the script of the drop zone."""
    there = reverse("records:import", args=[row.pk])
    if request.headers.get("HX-Request"):
        response = HttpResponse(status=200)
        response["HX-Redirect"] = there
        return response
    return HttpResponseRedirect(there)


def _person(request: HttpRequest) -> User:
    assert isinstance(request.user, User)  # the doors above let nobody else in
    return request.user
