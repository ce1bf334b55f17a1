"""Two people changed the same field: the second sees both values and chooses; nothing typed is lost."""

from collections.abc import Mapping
from typing import Any

from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render

from accounts.identity.models import User
from records.tables import Column
from records.values import Canonical
from records.views import touching
from records.views.cells import cells_of
from records.views.places import Place, page_part
from records.views.touching import Clash, Sent

THEIRS = "theirs"


def ask(
    request: HttpRequest, place: Place, clash: Clash, sent: Sent, *, action: str, next: str = ""
) -> HttpResponse:
    """Show both versions of the fields that differ, in the shared dialog or as a page."""
    row = clash.row
    columns = [column for key, column in place.table.columns.items() if key in clash.mine]
    choices = _choices(request, place, columns, row.values, clash.mine)
    context = {
        "place": place,
        "row": row,
        "title": row.title,
        "by": name_of(clash),
        "at": clash.at,
        "choices": choices,
        "action": action,
        "next": next,
        "hidden": touching.hidden(columns, row.values, row.version),
        "typed": [(column.key, value) for column in columns for value in sent.data.getlist(column.key)],
        "crumbs": [
            {"label": place.table.title, "url": place.url("list")},
            {"label": row.title, "url": place.url("record", row.id)},
        ],
        "cancel_url": place.url("record", row.id),
    }
    if not page_part(request):
        return render(request, "records/record_conflict.html", context, status=409)
    response = render(request, "records/_conflict.html", context, status=409)
    response["HX-Retarget"], response["HX-Reswap"] = "#dialog", "innerHTML"
    return response


def name_of(clash: Clash) -> str:
    """Return who saved first."""
    person = User.objects.filter(pk=clash.by).first() if clash.by else None
    return person.name if person else "Somebody"


def _choices(
    request: HttpRequest,
    place: Place,
    columns: list[Column],
    theirs: Mapping[str, Canonical],
    mine: Mapping[str, Canonical | None],
) -> list[dict[str, Any]]:
    both = [theirs, {key: value for key, value in mine.items() if value is not None}]
    cells = cells_of(request, place, place.labels(columns, both))
    return [
        {
            "key": column.key,
            "label": column.name,
            "theirs": cells.whole(column.spec, theirs.get(column.key)),
            "mine": cells.whole(column.spec, mine.get(column.key)),
        }
        for column in columns
        if theirs.get(column.key) != mine.get(column.key)
    ]


def settled(data: QueryDict) -> QueryDict:
    """Return what was sent without the fields for which the person chose the other's value."""
    left = data.copy()
    dropped = {key for key in data.getlist(touching.FIELDS) if data.get(f"choice_{key}") == THEIRS}
    left.setlist(touching.FIELDS, [key for key in data.getlist(touching.FIELDS) if key not in dropped])
    return left
