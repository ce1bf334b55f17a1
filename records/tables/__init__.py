"""Lists of anything: columns, filters, sort, search, pages by keyset, counts.

`of_collection(collection, user)` is the way in; `records.rooms.table_of` for a registered model.
"""

from records.tables.base import Page, Row, Table
from records.tables.collection import CollectionTable, of_collection
from records.tables.columns import Column, to_canonical, to_python
from records.tables.counting import Count
from records.tables.filters import Filter
from records.tables.operators import OPERATORS, Op
from records.tables.query import SIZES, Sort, TableQuery
from records.tables.refusals import BadQuery, NotPrepared, TooSlow

__all__ = [
    "OPERATORS",
    "SIZES",
    "BadQuery",
    "CollectionTable",
    "Column",
    "Count",
    "Filter",
    "NotPrepared",
    "Op",
    "Page",
    "Row",
    "Sort",
    "Table",
    "TableQuery",
    "TooSlow",
    "of_collection",
    "to_canonical",
    "to_python",
]
