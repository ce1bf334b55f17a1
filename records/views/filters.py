"""The small form behind "Filter" and behind each chip: field, condition, value. And the choice of columns."""

from dataclasses import replace

from django import forms
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils.cache import patch_vary_headers
from django.views.decorators.http import require_safe
from django_htmx.http import HttpResponseClientRedirect

from records.tables import BadQuery, Column, Filter, Op, TableQuery
from records.tables.filters import condition
from records.values import FieldType
from records.views.inputs import Options, control
from records.views.places import Place, at_place, page_part

_LISTS = frozenset({FieldType.CHOICE, FieldType.CHOICES, FieldType.PERSON, FieldType.RECORD})


@require_safe
@at_place()
def filter_edit(request: HttpRequest, place: Place) -> HttpResponse:
    """Show the form of a filter, or set it and lead to the list that it leaves."""
    query = place.table.parse(request.GET).first_page()
    number = _number(request.GET.get("at", ""), query)
    before = query.filters[number] if number is not None else None
    column = _column(place, request.GET.get("field", ""), before)
    op = _op(column, request.GET.get("op", ""), before)
    problem = ""
    if "set" in request.GET:
        asked = Filter(column.key, op, _values(request, op))
        try:
            condition(column, asked, zone=place.table.zone)
        except BadQuery as refusal:
            problem = str(refusal)
        else:
            return _go(request, place.list_url(_with(query, number, asked), view=request.GET.get("view", "")))
    context = {
        "place": place,
        "query_params": query.params(),
        "at": "" if number is None else str(number),
        "view": request.GET.get("view", ""),
        "column": column,
        "op": op,
        "columns": [one for one in place.table.columns.values() if one.operators],
        "values": _controls(request, place, column, op, _begin(request, column, op, before)),
        "problem": problem,
        "action": place.url("filter"),
        "cancel_url": place.list_url(query),
        "crumbs": [{"label": place.table.title, "url": place.list_url(query)}],
    }
    part = page_part(request)
    response = render(
        request,
        "records/_filter.html" if part else "records/filter_edit.html",
        context,
        status=422 if problem else 200,
    )
    patch_vary_headers(response, ["HX-Request", "HX-Target"])
    return response


def _go(request: HttpRequest, url: str) -> HttpResponse:
    return HttpResponseClientRedirect(url) if page_part(request) else HttpResponseRedirect(url)


def _number(text: str, query: TableQuery) -> int | None:
    return int(text) if text.isdecimal() and len(text) < 4 and int(text) < len(query.filters) else None


def _column(place: Place, key: str, before: Filter | None) -> Column:
    wanted = key or (before.key if before else "")
    found = place.table.columns.get(wanted)
    return found or next(one for one in place.table.columns.values() if one.operators)


def _op(column: Column, code: str, before: Filter | None) -> Op:
    known = {op.value: op for op in column.operators}
    if code in known:
        return known[code]
    if before is not None and before.key == column.key and before.op.value in known:
        return before.op
    return column.operators[0]


def _values(request: HttpRequest, op: Op) -> tuple[str, ...]:
    if op.takes == 0:
        return ()
    if op.takes == 1:
        return (request.GET.get("value", ""),)
    if op.takes == 2:
        return (request.GET.get("value", ""), request.GET.get("until", ""))
    found = request.GET.getlist("value")
    if len(found) == 1:
        # Typed as one text: several values on lines of their own.
        found = [part for part in found[0].splitlines() if part.strip()]
    return tuple(found)


def _with(query: TableQuery, number: int | None, asked: Filter) -> TableQuery:
    if number is None:
        return query.with_filter(asked)
    kept = [*query.filters]
    kept[number] = asked
    return replace(query, filters=tuple(kept))


def _begin(request: HttpRequest, column: Column, op: Op, before: Filter | None) -> tuple[str, ...]:
    """Return the values that the form begins with: as just typed, or as the filter has them."""
    if "set" in request.GET:
        return _values(request, op)
    if before is None or before.key != column.key:
        return ()
    return before.values


def _controls(
    request: HttpRequest, place: Place, column: Column, op: Op, values: tuple[str, ...]
) -> forms.Form:
    """Return the controls for the values of a condition, with the right widget for the type."""
    names = {0: [], 1: ["value"], 2: ["value", "until"], -1: ["value"]}[op.takes]
    form = forms.Form(auto_id="filter_%s")
    form.error_messages = {}  # type: ignore[attr-defined]  # nothing is judged here
    for at, name in enumerate(names):
        begin = values[at] if at < len(values) else ""
        field = _control(request, place, column, op, begin)
        field.label = {"value": "From" if op.takes == 2 else "Value", "until": "To"}[name]
        field.required = False
        field.initial = list(values) if op.takes == -1 and column.type in _LISTS else begin
        if op.takes == -1 and column.type not in _LISTS:
            field.initial = "\n".join(values)
            field.help_text = "One value on each line."
        form.fields[name] = field
    return form


def _control(request: HttpRequest, place: Place, column: Column, op: Op, begin: str) -> forms.Field:
    options = Options(request, place)
    if op.takes == -1:
        if column.type not in _LISTS:
            return forms.CharField(widget=forms.Textarea(attrs={"rows": 4}))
        return forms.MultipleChoiceField(
            choices=_known(column, options, begin), widget=forms.CheckboxSelectMultiple
        )
    if column.type in (FieldType.CHOICES, FieldType.CHOICE):
        return forms.ChoiceField(choices=_known(column, options, begin))
    if column.type is FieldType.DATETIME:
        # A day means the whole of it; a time of day may be typed behind it.
        return forms.CharField(
            widget=forms.TextInput(attrs={"type": "date"}) if _is_day(begin) else forms.TextInput()
        )
    if column.type in (FieldType.EMAIL, FieldType.LINK, FieldType.LONG_TEXT):
        return forms.CharField(widget=forms.TextInput(attrs={"autocomplete": "off"}))
    return control(column.spec, options, chosen=begin, required=True)


def _is_day(text: str) -> bool:
    return not text or (len(text) == 10 and text[4] == "-")


def _known(column: Column, options: Options, begin: str) -> list[tuple[str, str]]:
    if column.type is FieldType.PERSON:
        return options.people()
    if column.type is FieldType.RECORD:
        return options.records(column.spec, chosen=begin)
    return [(choice.code, choice.label) for choice in column.spec.choices]


@require_safe
@at_place()
def columns_edit(request: HttpRequest, place: Place) -> HttpResponse:
    """Choose which columns the list shows, and lead there."""
    query = place.table.parse(request.GET)
    if "set" in request.GET:
        wanted = set(request.GET.getlist("col"))
        order = [column.key for column in place.table.shown(query)]
        keys = [key for key in order if key in wanted]
        keys += [key for key in place.table.columns if key in wanted and key not in keys]
        usual = [column.key for column in place.table.columns.values() if not column.system]
        return HttpResponseRedirect(place.list_url(query.showing([] if keys == usual else keys)))
    shown = {column.key for column in place.table.shown(query)}
    context = {
        "place": place,
        "query_params": query.params(),
        "columns": [
            {"key": column.key, "name": column.name, "shown": column.key in shown, "system": column.system}
            for column in place.table.columns.values()
        ],
        "action": place.url("columns"),
        "cancel_url": place.list_url(query),
        "crumbs": [{"label": place.table.title, "url": place.list_url(query)}],
    }
    response = render(
        request, "records/_columns.html" if page_part(request) else "records/columns_edit.html", context
    )
    patch_vary_headers(response, ["HX-Request", "HX-Target"])
    return response
