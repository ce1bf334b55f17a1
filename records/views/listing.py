"""The list of a table: rows, filters, sort, search and what can be done to the rows that are picked."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.cache import patch_vary_headers
from django.utils.safestring import SafeString
from django.views.decorators.http import require_safe

from permissions import perms
from permissions.panels import address
from records.tables import BadQuery, Column, Count, NotPrepared, Page, TableQuery, TooSlow
from records.views import chips, slowness, views_menu
from records.views.cells import HANDLE, Cells, cells_of, handle_html, heading, lines
from records.views.places import Place, at_place, page_part
from records.views.seen import address_of
from tenants.refusals import Refusal

FILES = ".csv,.zip,.xlsx"
# "Select all that match", where their number would cost too much.
THAT_MATCH = "that match"
# Asking what each filter hides costs a count each; beyond so many it is not worth the wait.
MOST_ASKED = 6


@dataclass(frozen=True, slots=True)
class Listed:
    """One row as the page shows it: the first cell leads to the record."""

    id: str
    title: str
    first: SafeString
    first_edit: str
    rest: SafeString


@require_safe
@at_place()
def record_list(request: HttpRequest, place: Place) -> HttpResponse:
    """Show the list, or the part of it that htmx asks for: further rows, or what a search leaves."""
    part = page_part(request)
    try:
        query = place.table.parse(request.GET)
        slow = slowness.why(place, query)
        with slowness.bounded(slow):
            context = _rows(request, place, query)
            if part == "here":
                return _answer(request, "records/_rows.html", context)
            context |= _around(request, place, query, context["page"])
    except (BadQuery, NotPrepared, TooSlow) as refusal:
        if part == "here":
            raise
        return _refused(request, place, refusal, part)
    context |= {"slow": slow, "here": request.get_full_path()}
    name = "records/_found.html" if part == "content" else "records/record_list.html"
    return _answer(request, name, context)


def _answer(
    request: HttpRequest, name: str, context: Mapping[str, Any], *, status: int = 200
) -> HttpResponse:
    response = render(request, name, dict(context), status=status)
    patch_vary_headers(response, ["HX-Request", "HX-Target"])
    return response


def _rows(request: HttpRequest, place: Place, query: TableQuery) -> dict[str, Any]:
    """Return what a page of rows is drawn from."""
    page = place.table.page(query)
    columns = place.table.shown(query)
    handle = handle_of(place, columns)
    cells = cells_of(request, place, page.labels)
    editable = ids_for(place, page, perms.RECORDS_CHANGE)
    # Who may do nothing with several rows at once has nothing to pick them for.
    picks = bool(_actions(place)) and bool(editable or ids_for(place, page, perms.RECORDS_DELETE))
    return {
        "place": place,
        "page": page,
        "rows": _listed(cells, page, columns, handle, editable),
        "columns": ordered(columns, handle),
        "handle": handle,
        "picks": picks,
        "width": len(ordered(columns, handle)) + picks,
        "more_url": place.list_url(query.going(after=page.following)) if page.following else "",
        "before_url": place.list_url(query.going(before=page.preceding)) if page.preceding else "",
    }


def handle_of(place: Place, columns: Sequence[Column]) -> Column | None:
    """Return the column that leads to the record: the one that names it, or else the first one shown."""
    if place.table.title_key:
        return place.table.columns[place.table.title_key]
    return columns[0] if columns else None


def ordered(columns: Sequence[Column], handle: Column | None) -> list[Column]:
    """Return the columns as they stand: the one that leads to the record first."""
    if handle is None:
        return list(columns)
    return [handle, *(column for column in columns if column.key != handle.key)]


def _listed(
    cells: Cells, page: Page, columns: Sequence[Column], handle: Column | None, editable: frozenset[str]
) -> list[Listed]:
    inside = lines(cells, page, columns, editable=editable, handle=handle)
    typed = handle is not None and handle.key in {column.key for column in cells.place.typed()}
    return [
        Listed(
            id=row.id,
            title=row.title,
            first=handle_html(cells, row, handle),
            first_edit=_first_edit(cells.place, row.id, handle) if typed and row.id in editable else "",
            rest=rest,
        )
        for row, rest in zip(page.rows, inside, strict=True)
    ]


def _first_edit(place: Place, pk: str, handle: Column | None) -> str:
    return f"{place.url('record', pk)}edit/{handle.key}/?{HANDLE}" if handle else ""


def ids_for(place: Place, page: Page, perm: str) -> frozenset[str]:
    """Return with which rows of a page the person may do `perm`; one query at most."""
    ids = [row.id for row in page.rows]
    if place.may(perm):
        return frozenset(ids)
    if not place.table.holder.may_reach(perm):
        return frozenset()
    found = place.table.rows(to=perm).filter(pk__in=ids)
    return frozenset(str(pk) for pk in found.values_list("pk", flat=True))


def _around(request: HttpRequest, place: Place, query: TableQuery, page: Page) -> dict[str, Any]:
    """Return what stands around the rows of the whole page."""
    count = place.table.count(query)
    return {
        **shell(request, place, query),
        "count": count,
        "count_shown": str(count),
        "total": (count.number if count.exact else THAT_MATCH) if page.following else "",
        "worst": _worst(place, query, count),
        "is_bare": not page.rows and not query.narrows and not query.after and not query.before,
    }


def shell(request: HttpRequest, place: Place, query: TableQuery) -> dict[str, Any]:
    """Return what the page shows around the rows, whether or not the query could be answered."""
    plain = query.first_page()
    sort = query.sort or place.table.default_sort()
    return {
        "place": place,
        "place_url": place.url("list"),
        "filter_url": place.url("filter"),
        "columns_url": place.url("columns"),
        "clear_url": place.list_url(),
        "table_id": f"{place.table.kind}-{place.table.key}",
        "query": query,
        "chips": chips.shown(place, query),
        "params": plain.params(),
        "keep": [pair for pair in plain.params() if pair[0] != "q"],
        "query_string": f"?{plain.encode()}" if plain.encode() else "",
        "sort": sort,
        "heads": _heads(place, query),
        "views": views_menu.shown(request, place, query),
        "share_url": _share_url(place),
        "may": {name: place.may(f"records.{name}") for name in ("change", "delete", "share", "import")},
        "may_design": place.may(perms.COLLECTIONS_DESIGN),
        "menus": _menus(request, place),
        "import_url": place.url("import-into"),
        "accept": FILES,
        "picked": _actions(place),
    }


def _share_url(place: Place) -> str:
    """Return where the whole collection is shared, for those who may; a room is shared row by row."""
    if place.collection is None or not place.may(perms.RECORDS_SHARE):
        return ""
    return address("access", place.collection)


def _heads(place: Place, query: TableQuery) -> list[dict[str, Any]]:
    columns = place.table.shown(query)
    sort, handle = query.sort or place.table.default_sort(), handle_of(place, columns)
    heads = []
    for column in ordered(columns, handle):
        sorted_now = ("descending" if sort.descending else "ascending") if sort.key == column.key else ""
        heads.append(
            {
                "label": heading(column),
                "column": column.key,
                # What leads to the record stands left, a number too.
                "kind": "text" if column == handle else column.type.value,
                "sort_url": place.list_url(query.sorted_by(column.key)) if column.sortable else "",
                "sorted": sorted_now,
                "help": column.spec.help,
            }
        )
    return heads


def _menus(request: HttpRequest, place: Place) -> dict[str, list[dict[str, Any]]]:
    add: list[dict[str, Any]] = [{"label": "Add one record", "url": place.url("new"), "icon": "plus"}]
    if place.may(perms.RECORDS_IMPORT):
        add.append({"label": "Import a file", "url": place.url("import-into"), "icon": "arrow-up-tray"})
    more: list[dict[str, Any]] = []
    if place.collection:
        if place.may(perms.COLLECTIONS_DESIGN) and (
            there := address_of("records:collection-design", place.table.key)
        ):
            more.append({"label": "Design", "url": there, "icon": "adjustments-horizontal"})
        if place.may(perms.RECORDS_DELETE):
            more.append({"label": "Bin", "url": place.url("bin"), "icon": "trash"})
    return {"add": add, "more": more}


def _actions(place: Place) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    if place.collection and place.table.holder.may_reach(perms.RECORDS_CHANGE):
        found.append({"label": "Change", "url": place.url("bulk-change"), "icon": "pencil-square"})
    if place.collection and place.table.holder.may_reach(perms.RECORDS_DELETE):
        found.append(
            {"label": "Move to the bin", "url": place.url("bulk-bin"), "icon": "trash", "tone": "danger"}
        )
    return found


def _worst(place: Place, query: TableQuery, count: Count) -> dict[str, str] | None:
    """Return the way out of an empty list: without the search or filter that hides most."""
    if count.number or not query.narrows:
        return None
    ways = [(f"the search for “{query.search}”", query.searching(""))] if query.search else []
    words = chips.shown(place, query)
    ways += [
        (f"{chip.field} {chip.condition} {chip.value}".strip(), query.without_filter(number))
        for number, chip in enumerate(words[:MOST_ASKED])
    ]
    counted = [(place.table.count(way).number, label, way) for label, way in ways]
    most, label, way = max(counted, key=lambda found: found[0])
    if not most:
        return {
            "label": "Clear all filters",
            "url": place.list_url(),
            "text": "Each of the filters hides everything.",
        }
    shown = str(place.table.count(way))
    return {
        "label": f"Clear {label}",
        "url": place.list_url(way),
        "text": f"Without {label} there would be {shown}.",
    }


def _refused(
    request: HttpRequest, place: Place, refusal: BadQuery | NotPrepared | TooSlow, part: str
) -> HttpResponse:
    """Show the page with what is wrong in its words, and the way back to a list that can be shown."""
    kept = TableQuery(search=request.GET.get("q", ""))
    context = {
        **shell(request, place, TableQuery()),
        "query": kept,
        "refusal": refusal,
        "count_shown": "",
        **_way_out(request, place, refusal),
    }
    if part == "content":
        # htmx swaps no error; the words belong where the rows would be.
        return _answer(request, "records/_found.html", context)
    return _answer(request, "records/record_list.html", context, status=refusal.status)


def _way_out(request: HttpRequest, place: Place, refusal: Refusal) -> dict[str, Any]:
    """Return what was asked, where that can be read: so that less can be asked."""
    if isinstance(refusal, BadQuery):
        return {}
    asked = place.table.parse(request.GET)
    return {
        **shell(request, place, asked),
        "query": asked,
        "slow": slowness.why(place, asked),
        "here": request.get_full_path(),
    }
