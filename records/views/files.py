"""Files of a record: attach, remove, and the way to their content on its own host."""

from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe
from django_htmx.http import HttpResponseClientRedirect

from permissions import perms
from records.actions import files
from records.actions.done import some
from records.files.refusals import FileRefused
from records.models import Record, RecordFile
from records.tables import Row
from records.views.answers import here_before, person, say_done
from records.views.beside import is_hidden, visible_file
from records.views.content import content_url
from records.views.places import Place, at_place, find_row


@require_POST
@at_place()
def file_attach(request: HttpRequest, place: Place, pk: UUID) -> HttpResponse:
    """Attach what was dropped."""
    row = find_row(place, pk, to=perms.RECORDS_CHANGE)
    record = _record(row)
    sent = request.FILES.getlist("file")
    is_fragment = bool(getattr(request, "htmx", False))
    if not sent:
        return _refused(request, place, pk, "Choose a file first.", is_fragment=is_fragment)
    try:
        for upload in sent:
            files.attach(
                record=record,
                name=upload.name or "file",
                chunks=upload.chunks(),
                by=person(request),
                at=timezone.now(),
                field_key=request.POST.get("field", ""),
            )
    except FileRefused as refusal:
        return _refused(request, place, pk, str(refusal), is_fragment=is_fragment)
    messages.success(request, f"{some(len(sent), 'file')} attached")
    there = here_before(request, place.url("record", pk))
    return HttpResponseClientRedirect(there) if is_fragment else HttpResponseRedirect(there)


def _refused(request: HttpRequest, place: Place, pk: UUID, text: str, *, is_fragment: bool) -> HttpResponse:
    if not is_fragment:
        messages.error(request, text)
        return HttpResponseRedirect(place.url("record", pk))
    context = {"attach_url": place.url("file-attach", pk), "problem": text}
    return render(request, "records/_file_drop.html", context, status=422)


def _record(row: Row) -> Record:
    if not isinstance(row.obj, Record):
        raise Http404
    return row.obj


def _file(place: Place, row: Row, pk: UUID) -> RecordFile:
    found = visible_file(place, row, pk)
    if found is None:
        raise Http404
    return found


@require_safe
@at_place()
def file_open(request: HttpRequest, place: Place, pk: UUID, file: UUID) -> HttpResponse:
    """Lead to the content of a file, on the host of uploaded content, by an address that soon ends."""
    found = _file(place, find_row(place, pk), file)
    return HttpResponseRedirect(content_url(request, found))


@require_POST
@at_place()
def file_remove(request: HttpRequest, place: Place, pk: UUID, file: UUID) -> HttpResponse:
    """Take a file off its record."""
    row = find_row(place, pk, to=perms.RECORDS_CHANGE)
    try:
        done = files.remove(file=_file(place, row, file), by=person(request), at=timezone.now())
    except FileRefused as refusal:
        messages.error(request, str(refusal))
        return HttpResponseRedirect(here_before(request, place.url("record", pk)))
    back = place.url("file-back", pk, file)
    messages.success(request, done.sentence, extra_tags=f"undo:{back}")
    return HttpResponseRedirect(here_before(request, place.url("record", pk)))


@require_POST
@at_place()
def file_back(request: HttpRequest, place: Place, pk: UUID, file: UUID) -> HttpResponse:
    """Attach a file again that was just taken off."""
    row = find_row(place, pk, to=perms.RECORDS_CHANGE)
    gone = RecordFile.objects.select_related("record").exclude(deleted_at=None)
    found = gone.filter(pk=file, record_id=row.id).first()
    if found is None or is_hidden(place, found):
        raise Http404
    done = files.bring_back(file=found, by=person(request), at=timezone.now())
    say_done(request, done)
    return HttpResponseRedirect(here_before(request, place.url("record", pk)))
