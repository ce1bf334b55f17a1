"""Saved views: keep, change, share and remove."""

from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction

from accounts.identity.models import User
from records.actions.refusals import CannotDesign
from records.models import Collection, SavedView
from records.tables import BadQuery, Filter, Op, Sort, Table, TableQuery


def save(
    *,
    table: Table,
    name: str,
    query: TableQuery,
    by: User,
    at: datetime,
    collection: Collection | None = None,
    is_shared: bool = False,
) -> SavedView:
    """Keep what a list shows under a name. `collection` is None for the table of a room.

    Raises CannotDesign if the person has a view of that name, BadQuery if it names what they cannot see.
    """
    query.checked(table.columns)
    if not name.strip():
        raise CannotDesign("Give the view a name.")
    view = SavedView(
        collection=collection,
        room="" if collection else table.key,
        name=name.strip()[:100],
        owner=by,
        is_shared=is_shared,
        created_at=at,
        **_content(query),
    )
    return _stored(view)


def change(
    *,
    view: SavedView,
    by: User,
    at: datetime,
    name: str | None = None,
    query: TableQuery | None = None,
    is_shared: bool | None = None,
) -> SavedView:
    """Change a view; None leaves a thing as it is. Raises CannotDesign for a name that is taken."""
    if name is not None and name.strip():
        view.name = name.strip()[:100]
    if is_shared is not None:
        view.is_shared = is_shared
    if query is not None:
        for key, value in _content(query).items():
            setattr(view, key, value)
    return _stored(view)


def remove(*, view: SavedView, by: User, at: datetime) -> None:
    """Take a view away; the records stay."""
    view.delete()


def query_of(view: SavedView, table: Table) -> TableQuery:
    """Return what a view shows to this person; filters and columns that are gone are left out."""
    filters = []
    for key, op, values in view.filters:
        column = table.columns.get(key)
        if column is not None and op in {one.value for one in column.operators}:
            filters.append(Filter(key, Op(op), tuple(values)))
    sort = Sort.parse(view.sort) if view.sort else None
    if sort is not None and (sort.key not in table.columns or not table.columns[sort.key].sortable):
        sort = None
    shown = tuple(key for key in view.columns if key in table.columns)
    query = TableQuery(search=view.search, filters=tuple(filters), sort=sort, columns=shown)
    try:
        return query.checked(table.columns)
    except BadQuery:
        return TableQuery()


def _content(query: TableQuery) -> dict[str, Any]:
    return {
        "search": query.search,
        "filters": [[asked.key, asked.op.value, list(asked.values)] for asked in query.filters],
        "sort": query.sort.param() if query.sort else "",
        "columns": list(query.columns),
    }


def _stored(view: SavedView) -> SavedView:
    try:
        with transaction.atomic():
            view.save()
    except IntegrityError as problem:
        diagnosis = getattr(problem.__cause__, "diag", None)
        if diagnosis is not None and diagnosis.constraint_name == "view_name_once":
            raise CannotDesign(f"You have a view called {view.name} already.") from None
        raise
    return view
