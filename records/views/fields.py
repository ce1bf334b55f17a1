"""One field of one record, edited in place; and the records that a link may lead to."""

from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.cache import patch_vary_headers
from django.views.decorators.http import require_http_methods, require_safe

from permissions import perms
from records.actions.refusals import Invalid
from records.tables import Column
from records.values import FieldType
from records.views import conflicts, file_fields, touching
from records.views.answers import here_before, toast
from records.views.cells import HANDLE, cells_of, handle_html
from records.views.inputs import Options, ValuesForm
from records.views.places import Place, at_place, find_row
from records.views.touching import Clash


@require_http_methods(["GET", "HEAD", "POST"])
@at_place()
def field_edit(request: HttpRequest, place: Place, pk: UUID, field: str) -> HttpResponse:
    """Give the form of one value, or save it and give the value as it now is."""
    row = find_row(place, pk, to=perms.RECORDS_CHANGE)
    column = _editable(place, field)
    if column.type is FieldType.FILE:
        return file_fields.edit(request, place, row, column)
    options = Options(request, place)
    # Without htmx the form is sent to the page that edits the whole record, which takes one field too.
    to = {"action": request.get_full_path(), "page": place.url("record-edit", pk)}
    if request.method != "POST":
        form = ValuesForm([column], options, values=row.values, ids=f"-{row.id}")
        hidden = touching.hidden([column], row.values, row.version)
        return _form(request, {"field": form[column.key], "hidden": hidden, **to})
    sent = touching.read(request.POST, [column], zone=place.table.zone)
    try:
        done, now = touching.save(request, place, row, sent)
    except Clash as clash:
        back = here_before(request, place.url("record", pk))
        return conflicts.ask(request, place, clash, sent, action=to["page"], next=back)
    except Invalid as refusal:
        errors = {column.key: " ".join(refusal.errors.values())}
        form = ValuesForm([column], options, sent=request.POST, errors=errors, ids=f"-{row.id}")
        hidden = touching.hidden([column], sent.seen, sent.expected)
        return _form(request, {"field": form[column.key], "hidden": hidden, **to}, status=refusal.status)
    cells = cells_of(request, place, place.table.labels([now]))
    value = now.values.get(column.key)
    if HANDLE in request.GET:
        shown = handle_html(cells, now, column)
    else:
        shown = cells.whole(column.spec, value) if "whole" in request.GET else cells.html(column.spec, value)
    response = HttpResponse(shown)
    return toast(response, done) if done.count else response


def _editable(place: Place, key: str) -> Column:
    column = next((one for one in place.in_place() if one.key == key), None)
    if column is None:
        raise Http404
    return column


def _form(request: HttpRequest, context: dict[str, object], *, status: int = 200) -> HttpResponse:
    # htmx swaps a form that needs another value for 422 alone.
    response = render(request, "records/_edit.html", context, status=422 if status >= 400 else 200)
    patch_vary_headers(response, ["HX-Request"])
    return response


@require_safe
@at_place()
def find(request: HttpRequest, place: Place, field: str) -> HttpResponse:
    """Give the records that a link may lead to, as the options of its list."""
    column = place.table.columns.get(field)
    if column is None or column.type is not FieldType.RECORD:
        raise Http404
    chosen = request.GET.get(field, "")
    found = Options(request, place).records(column.spec, typed=request.GET.get("find", ""))
    return render(request, "records/_options.html", {"options": found, "chosen": chosen})
