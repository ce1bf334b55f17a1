"""A field that holds a file, edited in place: another file, or none."""

from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.cache import patch_vary_headers
from django_htmx.http import trigger_client_event

from records.actions import files
from records.files.refusals import FileRefused
from records.models import Record, RecordFile
from records.tables import Column, Row
from records.views import beside
from records.views.answers import person
from records.views.cells import cells_of
from records.views.places import Place, find_row


def edit(request: HttpRequest, place: Place, row: Row, column: Column) -> HttpResponse:
    """Give the form of a file field, or put a file into it or take it out, and give the value as it is."""
    record = row.obj
    if not isinstance(record, Record):
        raise TypeError("Only records have files.")
    kept = _kept(row, column)
    if request.method != "POST":
        return _form(request, place, row, column, kept)
    try:
        done, undo = _keep(request, place, record, column, kept)
    except FileRefused as refusal:
        return _form(request, place, row, column, kept, problem=str(refusal))
    response = _shown(request, place, find_row(place, UUID(row.id)), column)
    if done:
        trigger_client_event(response, "toast", {"text": done, "undo": undo})
    return response


def _kept(row: Row, column: Column) -> RecordFile | None:
    found = row.values.get(column.key)
    return (
        RecordFile.objects.filter(pk=str(found), record_id=row.id, deleted_at=None).first() if found else None
    )


def _keep(
    request: HttpRequest, place: Place, record: Record, column: Column, kept: RecordFile | None
) -> tuple[str, str]:
    """Do what the form says; return that in words, and where it is taken back. Raises FileRefused."""
    at, by, upload = timezone.now(), person(request), request.FILES.get("file")
    if upload is not None:
        made = files.attach(
            record=record,
            name=upload.name or "file",
            chunks=upload.chunks(),
            by=by,
            at=at,
            field_key=column.key,
        )
        return f"{made.name} attached", ""
    if "clear" in request.POST and kept is not None:
        done = files.remove(file=kept, by=by, at=at)
        return done.sentence, place.url("file-back", record.pk, kept.pk)
    return "", ""


def _form(
    request: HttpRequest,
    place: Place,
    row: Row,
    column: Column,
    kept: RecordFile | None,
    *,
    problem: str = "",
) -> HttpResponse:
    context = {
        "action": request.get_full_path(),
        # Without htmx the form is sent to where files are attached, which knows of fields too.
        "page": place.url("file-attach", row.id),
        "key": column.key,
        "id": f"id-{row.id}_{column.key}",
        "label": column.name,
        "kept": kept,
        "may_clear": kept is not None and not column.spec.required,
        "problem": problem,
    }
    response = render(request, "records/_edit_file.html", context, status=422 if problem else 200)
    patch_vary_headers(response, ["HX-Request"])
    return response


def _shown(request: HttpRequest, place: Place, row: Row, column: Column) -> HttpResponse:
    """Give the value; on the page of a record also the list of its files, which has changed with it."""
    cells = cells_of(request, place, place.table.labels([row]))
    context: dict[str, Any] = {"shown": cells.html(column.spec, row.values.get(column.key), row=row.id)}
    if "whole" in request.GET:
        context |= beside.files(place, row, may_change=True)
    return render(request, "records/_file_value.html", context)
