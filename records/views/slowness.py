"""What makes a large list slow, said to the person, and the buttons that help."""

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

from django.urls import reverse

from permissions import perms
from records.perms import RECORDS_SENSITIVE
from records.tables import Column, Filter, Op, TableQuery
from records.tables.columns import CREATED
from records.tables.operators import TEXT_LIKE
from records.tables.patience import patience
from records.views.places import Place

# Fewer records are read within a page's time, whatever is asked of them.
LARGE = 20_000
# Conditions that leave few rows, so that what else is asked of those costs little.
_CHOOSY = frozenset({Op.IS, Op.ANY, Op.BETWEEN, Op.STARTS})


@dataclass(frozen=True, slots=True)
class Slow:
    """Why a list is slow, in sentences, and what makes fields quick: (label, address)."""

    text: str
    quick: Sequence[tuple[str, str]]


def why(place: Place, query: TableQuery) -> Slow | None:
    """Return what no index serves in a query of a large collection; None where the list is quick."""
    if place.collection is None:
        return None
    columns, sort = place.table.columns, query.sort or place.table.default_sort()
    if any(asked.op in _CHOOSY and not columns[asked.key].status for asked in query.filters):
        return None
    inside = [columns[asked.key] for asked in query.filters if _looks_inside(columns[asked.key], asked)]
    narrowed = [
        columns[asked.key]
        for asked in query.filters
        if columns[asked.key].status and not _looks_inside(columns[asked.key], asked)
    ]
    by = columns.get(sort.key)
    ordered = [by] if by is not None and by.key != CREATED and by.status else []
    if not (inside or narrowed or ordered) or place.collection.record_count() < LARGE:
        return None
    return Slow(_said(inside, narrowed, ordered), _helped(place, [*narrowed, *ordered]))


def bounded(slow: Slow | None) -> AbstractContextManager[None]:
    """Return what a slow list is fetched in; a quick one needs no bound."""
    return patience() if slow else nullcontext()


def _looks_inside(column: Column, asked: Filter) -> bool:
    return asked.op is Op.CONTAINS and column.type in TEXT_LIKE


def _said(inside: Sequence[Column], narrowed: Sequence[Column], ordered: Sequence[Column]) -> str:
    parts = [
        f"{doing} {_names(columns)}"
        for doing, columns in (
            ("looking inside", inside),
            ("filtering by", narrowed),
            ("sorting by", ordered),
        )
        if columns
    ]
    words = f"{' and '.join(parts)} reads every record."
    coming = [column for column in [*narrowed, *ordered] if column.status == "preparing"]
    found = words[:1].upper() + words[1:]
    if coming:
        found += f" {_names(coming)} {'are' if len(coming) > 1 else 'is'} being prepared."
    return f"{found} The search is quicker." if inside else found


def _names(columns: Sequence[Column]) -> str:
    names = list(dict.fromkeys(column.name for column in columns))
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _helped(place: Place, columns: Sequence[Column]) -> list[tuple[str, str]]:
    able = {
        column.key: column
        for column in columns
        if not column.system
        and column.status != "preparing"
        and (not column.spec.sensitive or place.may(RECORDS_SENSITIVE))
        and place.may(perms.COLLECTIONS_DESIGN)
    }
    return [
        (f"Make {column.name} quick", reverse("records:field-quick", args=[place.table.key, key]))
        for key, column in able.items()
    ]
