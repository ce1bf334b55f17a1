"""Pages of a large collection are answered by indexes that the owner's worker made, and by nothing slower."""

import json
import os
import random
import subprocess
import sys
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
from django.db import connections
from django.test.utils import CaptureQueriesContext

from accounts.identity.models import User
from operations.actions.provisioning import Wish, provision
from records.actions import collections, fields, loading
from records.indexes.rules import plan
from records.models import Collection, IndexState
from records.models.index import IndexStatus
from records.tables import CollectionTable, TableQuery, of_collection
from records.values import Choice, FieldSpec, FieldType, dumps
from tenants.context import Actor, enter
from tenants.models import Organisation
from tests.conftest import PASSWORD
from tests.records.conftest import NOW
from tests.servers import ROOT

ROWS, OTHERS = 12_000, 5_000
WORK = """
import django; django.setup()
from jobs.testing import run_due
from tenants.models import Organisation
run_due(Organisation.objects.get(slug="plans"))
"""
SPECS = (
    FieldSpec("name", "Name", FieldType.TEXT),
    FieldSpec("seats", "Seats", FieldType.INTEGER),
    FieldSpec("day", "Day", FieldType.DATE),
    FieldSpec("carrier", "Carrier", FieldType.CHOICE, choices=(Choice("UA", "United"), Choice("AA", "A A"))),
    FieldSpec("tags", "Tags", FieldType.CHOICES, choices=(Choice("a", "A"), Choice("rare", "Rare"))),
    FieldSpec("at", "At", FieldType.DATETIME),
)  # fmt: skip


def row(dice: random.Random, number: int) -> dict[str, Any]:
    values: dict[str, Any] = {
        "name": f"Night {number:05}",
        "day": f"2026-{dice.randint(1, 12):02}-{dice.randint(1, 28):02}",
        "carrier": dice.choice(["UA", "AA"]),
        "at": f"2026-05-{dice.randint(1, 28):02}T10:00:00.000000Z",
        "tags": ["a", "rare"] if number % 1000 == 0 else ["a"],
    }
    return {**values, "seats": dice.randint(1, 500)} if dice.random() > 0.01 else values


@pytest.fixture(scope="module")
def plans(running_servers: None) -> Organisation:
    """An organisation whose indexes were made by a process with the owner's login."""
    wish = Wish("plans", "Plans", "pia@plans.example", "Pia", PASSWORD, shard="shard_1")
    organisation = provision(wish)
    dice = random.Random(3)
    with enter(organisation, actor=Actor.system("test")):
        collection = collections.create(name="Nights", fields=SPECS, by=None, at=NOW)
        seats = collection.fields.get(key="seats")
        fields.change(field=seats, new=seats.spec(), indexed=True, by=None, at=NOW)
        documents = (dumps(row(dice, number)) for number in range(ROWS))
        loading.copy_in(collection=collection, rows=documents, import_id=uuid4(), by=None, at=NOW)
        # Another collection in the same table, so that its rows are in the way.
        other = collections.create(name="Other", fields=SPECS[:1], by=None, at=NOW)
        documents = (dumps({"name": str(number)}) for number in range(OTHERS))
        loading.copy_in(collection=other, rows=documents, import_id=None, by=None, at=NOW)
        plan(collection)
    work_as_owner()
    return organisation


def work_as_owner() -> None:
    subprocess.run(
        [sys.executable, "-c", WORK],
        check=True,
        cwd=ROOT,
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "config.settings.test", "ENCLAVE_LOGIN": "owner"},
    )


@pytest.fixture
def table(plans: Organisation) -> Iterator[CollectionTable]:
    with enter(plans, actor=Actor.system("test")):
        collection = Collection.objects.get(key="nights")
        yield of_collection(collection, User.objects.get(email="pia@plans.example"), at=NOW)


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for inner in plan.get("Plans", ()):
        yield from nodes(inner)


def used(table: CollectionTable, query: TableQuery) -> list[dict[str, Any]]:
    """Return the nodes of the plans of every statement over records that a page sends."""
    connection = connections["default"]
    with CaptureQueriesContext(connections[connection.alias]) as sent:
        table.page(query)
    found: list[dict[str, Any]] = []
    for statement in sent.captured_queries:
        if 'FROM "records_record"' in statement["sql"] and "LIMIT" in statement["sql"]:
            with connection.cursor() as cursor:
                cursor.execute("EXPLAIN (FORMAT JSON) " + statement["sql"].replace("%", "%%"), ())
                (answer,) = cursor.fetchone()
            told = json.loads(answer) if isinstance(answer, str) else answer
            found.extend(nodes(told[0]["Plan"]))
    assert found
    return found


ADDRESSES = [
    ({}, "record_live"),
    ({"sort": "created"}, "record_live"),
    ({"sort": "name"}, "ux_"),
    ({"sort": "-name"}, "ux_"),
    ({"sort": "seats"}, "ux_"),
    ({"sort": "-day"}, "ux_"),
    ({"sort": "-at"}, "ux_"),
    ({"f": "name:is:night 00042"}, "ux_"),
    ({"f": "name:starts:night 0004"}, "ux_"),
    ({"f": "seats:is:7"}, "ux_"),
    ({"f": "seats:over:499", "sort": "seats"}, "ux_"),
    ({"f": "day:is:2026-01-05"}, "ux_"),
    ({"f": "at:is:2026-05-05", "sort": "at"}, "ux_"),
    ({"f": "tags:has:rare"}, "ux_"),
    ({"q": "00042"}, "ux_"),
]


class TestPlans:
    def test_all_indexes_are_ready(self, table: CollectionTable) -> None:
        states = IndexState.objects.filter(collection=table.collection)
        assert {state.status for state in states} == {IndexStatus.READY}
        assert {state.field_key for state in states} == {"", "name", "seats", "day", "carrier", "tags", "at"}
        assert all(column.status == "" for column in table.columns.values() if not column.system)

    @pytest.mark.parametrize(("address", "index"), ADDRESSES, ids=[str(address) for address, _ in ADDRESSES])
    def test_first_and_later_pages_are_answered_by_an_index(
        self, table: CollectionTable, address: dict[str, str], index: str
    ) -> None:
        query = table.parse(address)
        first = table.page(query)
        later = [query, *([query.going(after=first.following)] if first.following else [])]
        for asked in later:
            found = used(table, asked)
            assert any(str(node.get("Index Name", "")).startswith(index) for node in found)
            assert not any(node["Node Type"] == "Seq Scan" for node in found)
            if "sort" in address and "f" not in address:
                assert not any("Sort" in node["Node Type"] for node in found)

    def test_pages_backwards_use_it_too(self, table: CollectionTable) -> None:
        for sort in ("-seats", "name"):
            query = table.parse({"sort": sort})
            page = table.page(query.going(after=table.page(query).following))
            found = used(table, query.going(before=page.preceding))
            assert all(node["Node Type"] in ("Limit", "Index Scan") for node in found)

    @pytest.mark.parametrize(
        ("address", "share"),
        [
            ({"f": "carrier:is:UA"}, 0.5),
            ({"f": "seats:over:400"}, 0.2),
            ({"f": "day:is:2026-01-05"}, 0.003),
            ({"f": "seats:empty:"}, 0.01),
        ],
    )
    def test_know_how_rare_values_are(
        self, table: CollectionTable, address: dict[str, str], share: float
    ) -> None:
        rows = table.matching(table.parse(address))
        told = json.loads(rows.explain(format="json"))[0]["Plan"]
        assert share * ROWS / 3 < told["Plan Rows"] < share * ROWS * 3


class TestUnwantedIndexes:
    def test_are_dropped_when_their_field_goes_or_changes(self, plans: Organisation) -> None:
        with enter(plans, actor=Actor.system("test")):
            collection = Collection.objects.get(key="other")
            plan(collection)
            before = set(IndexState.objects.filter(collection=collection).values_list("name", flat=True))
            assert len(before) == 2
        work_as_owner()
        with enter(plans, actor=Actor.system("test")):
            fields.remove(field=collection.fields.get(key="name"), by=None, at=NOW)
        work_as_owner()
        with enter(plans, actor=Actor.system("test")), connections["default"].cursor() as cursor:
            kept = set(IndexState.objects.filter(collection=collection).values_list("name", flat=True))
            assert len(kept) == 1
            for names in ("relname FROM pg_class WHERE rel", "stxname FROM pg_statistic_ext WHERE stx"):
                cursor.execute(f"SELECT {names}name = ANY(%s)", (sorted(before),))
                assert {name for (name,) in cursor.fetchall()} == kept
