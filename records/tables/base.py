"""The table: what every list, record page, import and export works on.

A collection and a registered Django model are both one. A Table is made for one person and one
moment: its rows are those the person may see, its columns those they may read.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from typing import Any, ClassVar
from uuid import UUID

from django.db.models import Model, Q, QuerySet

from permissions.holder import Holder
from records.tables import paging
from records.tables.columns import CREATED, Column
from records.tables.counting import Count, count_up_to
from records.tables.filters import condition
from records.tables.query import Sort, TableQuery
from records.values import Canonical

# A search that finds more rows than this is about a common word.
COMMON = 2_000


@dataclass(frozen=True, slots=True)
class Row:
    """One row: `values` are canonical (records.values), absent where empty; `obj` is the model's instance.

    `version` is 0 where the model keeps none. Show values with `labels` of the page.
    """

    id: str
    title: str
    values: Mapping[str, Canonical]
    version: int
    obj: Model


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a table. `following` and `preceding` are cursors for `after` and `before`; "" at an end.

    `labels` names the people, records and files that values refer to, by id; those the person may not
    see are not in it.
    """

    rows: Sequence[Row]
    following: str
    preceding: str
    labels: Mapping[str, str] = field(default_factory=dict)


class Table(ABC):
    """See the module. `at` is the moment rights are asked for, `zone` where days begin and end."""

    kind: ClassVar[str]  # "collection" or "room"

    def __init__(self, holder: Holder, *, at: datetime, zone: tzinfo = UTC) -> None:
        self.holder = holder
        self.at = at
        self.zone = zone

    # --- what a kind of table says ----------------------------------------------------------------

    @property
    @abstractmethod
    def key(self) -> str:
        """The name in addresses."""

    @property
    @abstractmethod
    def title(self) -> str:
        """The name people know it by."""

    @property
    @abstractmethod
    def columns(self) -> Mapping[str, Column]:
        """The columns this person may read, in order, by key; the system's own come last."""

    @property
    @abstractmethod
    def title_key(self) -> str:
        """The column that names a row; "" without one."""

    @property
    @abstractmethod
    def permissions(self) -> frozenset[str]:
        """What this person may do to all rows of the table (not to single ones)."""

    @abstractmethod
    def rows(self, *, to: str | None = None) -> "QuerySet[Any]":
        """The rows this person may see, or do `to` to."""

    def find(self, pk: UUID) -> Model | None:
        """Return one of the rows this person may see; None where there is none."""
        return self.rows().filter(pk=pk).first()

    @abstractmethod
    def search(self, typed: str) -> Q:
        """The condition for a search. Raises NotPrepared."""

    @abstractmethod
    def known_count(self) -> int | None:
        """How many rows `rows` has, if that is known without counting."""

    @abstractmethod
    def row(self, obj: Model) -> Row:
        """Return an instance as a row, with the values this person may read."""

    @abstractmethod
    def labels(self, rows: Sequence[Row]) -> dict[str, str]:
        """Name what the values of these rows refer to, as far as this person may see it."""

    @property
    def search_is_ready(self) -> bool:
        """Whether an index serves the search."""
        return False

    # --- what all tables do -----------------------------------------------------------------------

    def default_sort(self) -> Sort:
        """The order without another one: the newest first."""
        return Sort(CREATED, True)

    def parse(self, params: Mapping[str, Any]) -> TableQuery:
        """Read a query string. Raises BadQuery for what this person's table does not have."""
        return TableQuery.parse(params, self.columns)

    def matching(self, query: TableQuery, *, to: str | None = None) -> "QuerySet[Any]":
        """Return the rows that search and filters leave, in no order; those one may do `to` to.

        Raises BadQuery, NotPrepared.
        """
        query.checked(self.columns)
        found = self.rows(to=to)
        for asked in query.filters:
            found = found.filter(condition(self.columns[asked.key], asked, zone=self.zone))
        return found.filter(self.search(query.search)) if query.search else found

    def page(self, query: TableQuery) -> Page:
        """Return one page. The number of queries does not depend on the rows."""
        found = self.matching(query)
        # A rare word is found first and sorted afterwards; a common one is met soon by walking the list.
        fenced = bool(query.search) and self.search_is_ready and count_up_to(found, COMMON).exact
        cut = paging.fetch(
            found,
            self._order(query.sort or self.default_sort(), fenced=fenced),
            after=query.after,
            before=query.before,
            size=query.size,
        )
        rows = [self.row(obj) for obj in cut.rows]
        return Page(rows, cut.following or "", cut.preceding or "", self.labels(rows))

    def count(self, query: TableQuery) -> Count:
        """Return how many rows a query has: exact when known or at most 10,000."""
        known = None if query.narrows else self.known_count()
        return Count(known) if known is not None else count_up_to(self.matching(query))

    def _order(self, sort: Sort, *, fenced: bool) -> paging.Order:
        # Keys of rows are ordered by time: the newest first is the key alone, backwards.
        column = None if sort.key in (CREATED, "") else self.columns[sort.key]
        return paging.Order(f"{self.kind}:{self.key}", column, sort.descending, fenced)

    def shown(self, query: TableQuery) -> list[Column]:
        """Return the columns a query shows, in order; all of the design without a choice."""
        if query.columns:
            return [self.columns[key] for key in query.columns]
        return [column for column in self.columns.values() if not column.system]
