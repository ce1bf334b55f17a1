"""What is asked of a table: search, filters, sort, place, columns. It lives in the address of the page."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlencode

from records.tables.columns import Column
from records.tables.filters import Filter
from records.tables.refusals import BadQuery

SIZES = (25, 50, 100, 200)
SIZE = 50
MOST_FILTERS = 20
LONGEST_SEARCH = 200  # characters


@dataclass(frozen=True, slots=True)
class Sort:
    """A column to sort by. Rows without a value stand last either way."""

    key: str
    descending: bool = False

    def param(self) -> str:
        """Return the sort as the parameter `sort`."""
        return f"-{self.key}" if self.descending else self.key

    @classmethod
    def parse(cls, param: str) -> "Sort":
        """Read what `param` wrote."""
        return cls(param.removeprefix("-"), param.startswith("-"))


@dataclass(frozen=True, slots=True)
class TableQuery:
    """Everything the address of a list says.

    `after` and `before` are cursors from a Page; `columns` the shown keys in order, empty for all;
    `sort` is None for the order of the table itself.
    """

    search: str = ""
    filters: tuple[Filter, ...] = ()
    sort: Sort | None = None
    after: str = ""
    before: str = ""
    columns: tuple[str, ...] = ()
    size: int = SIZE

    @classmethod
    def parse(cls, params: Mapping[str, Any], columns: Mapping[str, Column]) -> "TableQuery":
        """Read a query string (a QueryDict, or a mapping to text or lists of texts).

        Raises BadQuery for a field or condition that is not in `columns`; parameters of other names
        belong to others and are left alone.
        """
        filters = tuple(Filter.parse(param) for param in _all(params, "f") if param)
        sort = Sort.parse(_one(params, "sort")) if _one(params, "sort") else None
        shown = tuple(key for key in _one(params, "cols").split(",") if key)
        query = cls(
            search=_one(params, "q").strip()[:LONGEST_SEARCH],
            filters=filters,
            sort=sort,
            after=_one(params, "after"),
            before=_one(params, "before"),
            columns=shown,
            size=_size(_one(params, "size")),
        )
        return query.checked(columns)

    def checked(self, columns: Mapping[str, Column]) -> "TableQuery":
        """Return the query; raise BadQuery if it names a column that is not there."""
        if len(self.filters) > MOST_FILTERS:
            raise BadQuery(f"Use at most {MOST_FILTERS} filters.")
        for asked in self.filters:
            column = _known(columns, asked.key)
            if asked.op not in column.operators:
                raise BadQuery(f"{column.name} has no condition “{asked.op.label}”.")
        if self.sort and not _known(columns, self.sort.key).sortable:
            raise BadQuery(f"{columns[self.sort.key].name} cannot be sorted by.")
        for key in self.columns:
            _known(columns, key)
        return self

    def params(self) -> list[tuple[str, str]]:
        """Return the query as pairs for an address; what is usual is left out."""
        found = [("q", self.search)] if self.search else []
        found += [("f", asked.param()) for asked in self.filters]
        found += [("sort", self.sort.param())] if self.sort else []
        found += [("cols", ",".join(self.columns))] if self.columns else []
        found += [("size", str(self.size))] if self.size != SIZE else []
        found += [("after", self.after)] if self.after else []
        found += [("before", self.before)] if self.before else []
        return found

    def encode(self) -> str:
        """Return the query string, without the question mark; "" for the plain list."""
        return urlencode(self.params())

    # Each of these leads to the first page of a changed list.

    def searching(self, text: str) -> "TableQuery":
        """Return the query with another search."""
        return replace(self.first_page(), search=text.strip()[:LONGEST_SEARCH])

    def with_filter(self, asked: Filter) -> "TableQuery":
        """Return the query with one more filter."""
        return replace(self.first_page(), filters=(*self.filters, asked))

    def without_filter(self, number: int) -> "TableQuery":
        """Return the query without its filter number `number`, counted from 0."""
        kept = self.filters[:number] + self.filters[number + 1 :]
        return replace(self.first_page(), filters=kept)

    def sorted_by(self, key: str) -> "TableQuery":
        """Return the query sorted by a column; the other way round if it already is."""
        down = self.sort is not None and self.sort.key == key and not self.sort.descending
        return replace(self.first_page(), sort=Sort(key, down))

    def showing(self, columns: Iterable[str]) -> "TableQuery":
        """Return the query with these columns."""
        return replace(self, columns=tuple(columns))

    def first_page(self) -> "TableQuery":
        """Return the query without a place in the list."""
        return replace(self, after="", before="")

    def going(self, *, after: str = "", before: str = "") -> "TableQuery":
        """Return the query at another place in the list."""
        return replace(self, after=after, before=before)

    @property
    def narrows(self) -> bool:
        """Whether it shows less than the whole table."""
        return bool(self.search or self.filters)


def _known(columns: Mapping[str, Column], key: str) -> Column:
    try:
        return columns[key]
    except KeyError:
        raise BadQuery(
            "This address names a field that is not here any more, or that you cannot see."
        ) from None


def _all(params: Mapping[str, Any], name: str) -> Sequence[str]:
    getlist = getattr(params, "getlist", None)
    found = getlist(name) if getlist else params.get(name, ())
    return [found] if isinstance(found, str) else [str(one) for one in found]


def _one(params: Mapping[str, Any], name: str) -> str:
    found = _all(params, name)
    return found[-1] if found else ""


def _size(text: str) -> int:
    if not text:
        return SIZE
    if text not in {str(size) for size in SIZES}:
        raise BadQuery(f"A page shows one of {', '.join(map(str, SIZES))} rows.")
    return int(text)
