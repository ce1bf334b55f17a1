"""Pages by keyset: nothing skipped, nothing twice, also with empty values and rows that come and go."""

import random
from typing import Any

import pytest

from accounts.identity.models import User
from records.models import Collection, Record
from records.tables import BadQuery, CollectionTable, Row, Sort, TableQuery, of_collection
from tests.records.conftest import NOW, Design, add

SORTS = ["", "name", "-name", "seats", "-seats", "price", "-price", "day", "-day", "created"]


def table_of(collection: Collection, user: User) -> CollectionTable:
    return of_collection(collection, user, at=NOW)


def walk(table: CollectionTable, query: TableQuery, *, backward: bool = False) -> list[Row]:
    """Return every row by going from page to page."""
    rows: list[Row] = []
    for _ in range(100):
        page = table.page(query)
        rows = [*page.rows, *rows] if backward else [*rows, *page.rows]
        cursor = page.preceding if backward else page.following
        if not cursor:
            return rows
        query = query.going(before=cursor) if backward else query.going(after=cursor)
    raise AssertionError("no end")


@pytest.fixture
def gigs(design: Design) -> Collection:
    dice = random.Random(7)
    collection = design(name="text", seats="integer", price="decimal", day="date", open="yes_no")
    kinds: dict[str, Any] = {
        "name": lambda: dice.choice(["Älg", "bass", "Bass", "zoo", "a b", "x" * 300]),
        "seats": lambda: dice.choice([-1, 0, 5, 10, 2**62]),
        "price": lambda: dice.choice([1, 2.5, 10]),
        "day": lambda: dice.choice(["2026-01-01", "2026-02-01"]),
        "open": lambda: dice.choice([True, False]),
    }
    add(
        collection,
        *({key: make() for key, make in kinds.items() if dice.random() > 0.3} for _ in range(120)),
    )
    return collection


class TestPages:
    @pytest.mark.parametrize("sort", SORTS)
    def test_show_each_row_once_forwards_and_backwards(self, gigs: Collection, ada: User, sort: str) -> None:
        table = table_of(gigs, ada)
        query = TableQuery(size=25, sort=Sort.parse(sort) if sort else None)
        there = [row.id for row in walk(table, query)]
        assert len(there) == len(set(there)) == 120
        last = table.page(query)
        while last.following:
            query = query.going(after=last.following)
            last = table.page(query)
        back = [row.id for row in walk(table, query.going(before=last.preceding), backward=True)]
        assert back + [row.id for row in last.rows] == there

    @pytest.mark.parametrize("sort", ["seats", "-seats"])
    def test_put_rows_without_a_value_last_either_way(self, gigs: Collection, ada: User, sort: str) -> None:
        rows = walk(table_of(gigs, ada), TableQuery(size=25, sort=Sort.parse(sort)))
        seats = [row.values.get("seats") for row in rows]
        kept = [value for value in seats if value is not None]
        assert seats == sorted(kept, reverse=sort.startswith("-")) + [None] * (120 - len(kept))

    def test_neither_skip_nor_repeat_while_rows_come_and_go(self, gigs: Collection, ada: User) -> None:
        table, query = table_of(gigs, ada), TableQuery(size=25, sort=Sort("seats"))
        before = {str(pk) for pk in Record.objects.values_list("pk", flat=True)}
        page = table.page(query)
        seen = [row.id for row in page.rows]
        gone = {page.rows[-1].id}
        while page.following:
            Record.objects.filter(pk=page.rows[-1].id).update(deleted_at=NOW)
            add(gigs, {"seats": -1}, {"seats": 7}, {})
            page = table.page(query.going(after=page.following))
            seen += [row.id for row in page.rows]
            gone.add(page.rows[-1].id)
        assert len(seen) == len(set(seen))
        assert before - gone <= set(seen)

    @pytest.mark.parametrize("cursor", ["x", "e30", "AAAA", "W10", "é", "WyIiLCJ2IixudWxsLCJ4Il0"])
    def test_refuse_a_place_that_is_none(self, gigs: Collection, ada: User, cursor: str) -> None:
        with pytest.raises(BadQuery):
            table_of(gigs, ada).page(TableQuery(after=cursor))

    def test_refuse_a_place_of_another_order(self, gigs: Collection, ada: User) -> None:
        table = table_of(gigs, ada)
        cursor = table.page(TableQuery(size=25, sort=Sort("seats"))).following
        with pytest.raises(BadQuery):
            table.page(TableQuery(sort=Sort("seats", True), after=cursor))
