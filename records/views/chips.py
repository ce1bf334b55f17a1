"""Filters as chips: field, condition and value in words."""

from collections.abc import Mapping
from dataclasses import dataclass

from records.tables import Column, Filter, Op, TableQuery
from records.values import FieldType, Wrong, display, parser_for
from records.views.places import Place

_TYPED = frozenset({FieldType.DATE, FieldType.TIME, FieldType.DATETIME})


@dataclass(frozen=True, slots=True)
class Chip:
    """One filter in words, with where to change it and how to be rid of it."""

    field: str
    condition: str
    value: str
    edit_url: str
    remove_url: str


def shown(place: Place, query: TableQuery) -> list[Chip]:
    """Return the chips of a query. At most three queries, for the names of what filters refer to."""
    columns = [place.table.columns[asked.key] for asked in query.filters]
    labels = place.labels(columns, [{asked.key: value} for asked in query.filters for value in asked.values])
    base = query.first_page().encode()
    return [
        Chip(
            field=place.table.columns[asked.key].name,
            condition=asked.op.label,
            value=words(place, place.table.columns[asked.key], asked, labels),
            edit_url=f"{place.url('filter')}?{base}&at={number}",
            remove_url=place.list_url(query.without_filter(number)),
        )
        for number, asked in enumerate(query.filters)
    ]


def words(place: Place, column: Column, asked: Filter, labels: Mapping[str, str]) -> str:
    """Return the values of a filter as people read them."""
    if asked.op.takes == 0:
        return ""
    values = [_value(place, column, value, labels) for value in asked.values]
    if asked.op is Op.BETWEEN and len(values) == 2:
        return " and ".join(value or "any" for value in values)
    return ", ".join(values)


def _value(place: Place, column: Column, value: str, labels: Mapping[str, str]) -> str:
    if column.type in _TYPED or asked_as_text(column):
        return value.replace("T", " ") if column.type is FieldType.DATETIME else value
    try:
        found = parser_for(column.spec, zone=place.table.zone)(value)
    except Wrong:
        return value
    return display(column.spec, found, zone=place.table.zone, labels=labels) or value


def asked_as_text(column: Column) -> bool:
    """Return whether a part of a value may be asked for, which no parser would take."""
    return column.type in (FieldType.TEXT, FieldType.LONG_TEXT, FieldType.EMAIL, FieldType.LINK)
