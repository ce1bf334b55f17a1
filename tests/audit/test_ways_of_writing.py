# ruff: noqa: E501  # the table of ways reads best with one way a line
"""Forty ways of writing, each of which leaves one event a changed row and no more."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.db import connection, connections, transaction
from django.db.models import F, Value
from django.db.models.functions import Concat

from accounts.identity.models import User
from tenants.context import required
from tests.audit.conftest import Left
from tests.audit.probes import Bulk, Row

SEED = """
INSERT INTO probe_bulk (id, kind, size, "values") SELECT format('00000000-0000-7000-8000-%s', lpad(n::text, 12, '0'))::uuid,
    'k' || n, n, jsonb_build_object('name', 'N' || n, 'seats', n) FROM generate_series(1, 3) AS n;
INSERT INTO probe_row (id, name, size) SELECT format('00000000-0000-7000-9000-%s', lpad(n::text, 12, '0'))::uuid,
    'r' || n, n FROM generate_series(1, 3) AS n;
UPDATE probe_row SET parent_id = '00000000-0000-7000-9000-000000000001',
    bulk_id = '00000000-0000-7000-8000-000000000001' WHERE name <> 'r1';
INSERT INTO probe_source VALUES ('r1', 100), ('new', 200);
"""
ROW_1 = "00000000-0000-7000-9000-000000000001"
BULK_1 = "00000000-0000-7000-8000-000000000001"
RA, RC, RR = "probe.row.added", "probe.row.changed", "probe.row.removed"
BA, BC, BR = "probe.bulk.added", "probe.bulk.changed", "probe.bulk.removed"

BY_SQL: dict[str, tuple[str, dict[str, int]]] = {
    "insert": ("INSERT INTO probe_row (name) VALUES ('a')", {RA: 1}),
    "insert many": ("INSERT INTO probe_bulk (kind) VALUES ('a'), ('b'), ('c')", {BA: 3}),
    "insert returning": ("INSERT INTO probe_bulk (kind) VALUES ('a') RETURNING id", {BA: 1}),
    "insert select": ("INSERT INTO probe_row (name, size) SELECT name, size FROM probe_source WHERE name = 'new'", {RA: 1}),
    "insert default values": ("INSERT INTO probe_bulk DEFAULT VALUES", {BA: 1}),
    "update": ("UPDATE probe_row SET size = 9 WHERE name = 'r1'", {RC: 1}),
    "update all": ("UPDATE probe_bulk SET size = size + 1", {BC: 3}),
    "update nothing found": ("UPDATE probe_bulk SET size = 9 WHERE kind = 'nobody'", {}),
    "update to the same, rows": ("UPDATE probe_row SET size = size", {}),
    "update to the same, bulk": ("UPDATE probe_bulk SET size = size", {}),
    "update some to the same": ("UPDATE probe_bulk SET size = 1", {BC: 2}),
    "update of excluded, rows": ("UPDATE probe_row SET touched = 5", {}),
    "update of excluded, bulk": ("UPDATE probe_bulk SET touched = 5", {}),
    "update from": ("UPDATE probe_row r SET size = s.size FROM probe_source s WHERE s.name = r.name", {RC: 1}),
    "update returning old": ("UPDATE probe_bulk SET size = 7 WHERE kind = 'k1' RETURNING old.size, new.size", {BC: 1}),
    "json path update": ("""UPDATE probe_bulk SET "values" = jsonb_set("values", '{seats}', '99') WHERE kind = 'k1'""", {BC: 1}),
    "json subscript update": ("""UPDATE probe_row SET data['deep']['er'] = '1' WHERE name = 'r1'""", {RC: 1}),
    "delete": ("DELETE FROM probe_row WHERE name = 'r3'", {RR: 1}),
    "delete many": ("DELETE FROM probe_bulk WHERE kind <> 'k1'", {BR: 2}),
    "delete using": ("DELETE FROM probe_row r USING probe_bulk b WHERE r.bulk_id = b.id AND r.name = 'r2'", {RR: 1}),
    "delete cascading to rows": (f"DELETE FROM probe_row WHERE id = '{ROW_1}'", {RR: 3}),
    "delete cascading across": (f"DELETE FROM probe_bulk WHERE id = '{BULK_1}'", {BR: 1, RR: 2}),
    "upsert do update, inserting": (
        "INSERT INTO probe_row (name) VALUES ('a') ON CONFLICT (name) DO UPDATE SET size = 5", {RA: 1}),
    "upsert do update, updating": (
        "INSERT INTO probe_row (name) VALUES ('r1') ON CONFLICT (name) DO UPDATE SET size = 5", {RC: 1}),
    "upsert of both, bulk": (
        f"INSERT INTO probe_bulk (id, kind) VALUES ('{BULK_1}', 'x'), (uuidv7(), 'y') "
        "ON CONFLICT (id) DO UPDATE SET kind = excluded.kind", {BA: 1, BC: 1}),
    "upsert do nothing": ("INSERT INTO probe_row (name) VALUES ('r1') ON CONFLICT DO NOTHING", {}),
    "upsert do nothing, bulk": (f"INSERT INTO probe_bulk (id) VALUES ('{BULK_1}') ON CONFLICT DO NOTHING", {}),
    "merge": (
        "MERGE INTO probe_row r USING probe_source s ON r.name = s.name WHEN MATCHED THEN UPDATE SET size = s.size "
        "WHEN NOT MATCHED THEN INSERT (name, size) VALUES (s.name, s.size)", {RC: 1, RA: 1}),
    "merge with delete, bulk": (
        "MERGE INTO probe_bulk b USING (VALUES ('k1', 50), ('k2', NULL), ('k9', 90)) AS s (kind, size) ON b.kind = s.kind "
        "WHEN MATCHED AND s.size IS NULL THEN DELETE WHEN MATCHED THEN UPDATE SET size = s.size "
        "WHEN NOT MATCHED THEN INSERT (kind, size) VALUES (s.kind, s.size)", {BC: 1, BR: 1, BA: 1}),
    "with insert": ("WITH made AS (INSERT INTO probe_row (name) VALUES ('a') RETURNING id) SELECT * FROM made", {RA: 1}),
    "with two writes to one table": (
        "WITH gone AS (DELETE FROM probe_bulk WHERE kind = 'k2'), made AS (INSERT INTO probe_bulk (kind) VALUES ('a')) "
        "UPDATE probe_bulk SET size = 40 WHERE kind = 'k3'", {BR: 1, BA: 1, BC: 1}),
    "with moved rows": (
        "WITH gone AS (DELETE FROM probe_row WHERE name = 'r3' RETURNING name) "
        "INSERT INTO probe_bulk (kind) SELECT name FROM gone", {RR: 1, BA: 1}),
    "inside a function": ("SELECT probe_write('a')", {RA: 1}),
    "inside a DO block": (
        "DO $$ BEGIN FOR n IN 1..3 LOOP INSERT INTO probe_row (name) VALUES ('d' || n); END LOOP; END $$", {RA: 3}),
    "caught exception in a DO block": (
        "DO $$ BEGIN BEGIN INSERT INTO probe_bulk (kind) VALUES ('a'); RAISE 'no'; EXCEPTION WHEN OTHERS THEN NULL; "
        "END; INSERT INTO probe_bulk (kind) VALUES ('b'); END $$", {BA: 1}),
    "prepared statement": ("PREPARE w AS INSERT INTO probe_row (name) VALUES ('a'); EXECUTE w; DEALLOCATE w", {RA: 1}),
    "cursor, where current of": (
        "DECLARE c CURSOR FOR SELECT * FROM probe_row WHERE name = 'r1' FOR UPDATE; FETCH c; "
        "UPDATE probe_row SET size = 77 WHERE CURRENT OF c", {RC: 1}),
}  # fmt: skip


def _copy(table: str, column: str) -> Callable[[Any], None]:
    def way(cursor: Any) -> None:
        with cursor.copy(f"COPY {table} ({column}) FROM STDIN") as copy:
            copy.write("x1\nx2\n")

    return way


def _rolled_back(cursor: Any) -> None:
    with pytest.raises(RuntimeError), transaction.atomic():
        Row.objects.create(name="gone")
        Bulk.objects.create(kind="gone")
        raise RuntimeError


def _saved_and_rolled_back(cursor: Any) -> None:
    Row.objects.create(name="kept")
    _rolled_back(cursor)


def _bulk_update(cursor: Any) -> None:
    rows = list(Row.objects.order_by("name"))
    for row in rows:
        row.size += 10
    Row.objects.bulk_update(rows, ["size"])


def _two_steps(cursor: Any) -> None:
    Bulk.objects.filter(kind="k1").update(size=50)
    Bulk.objects.filter(kind="k1").update(size=60)


def _save_unchanged(cursor: Any) -> None:
    Row.objects.get(name="r1").save()
    Bulk.objects.get(kind="k1").save()


def _member(cursor: Any) -> tuple[User, Group]:
    return User.objects.get(email="ada@pulse.example"), Group.objects.create(name="Crew")


def _m2m_clear(cursor: Any) -> None:
    user, group = _member(cursor)
    user.groups.add(group)
    user.groups.clear()


def _m2m_set(cursor: Any) -> None:
    user, group = _member(cursor)
    user.groups.set([group])
    user.groups.set([])


IN_GROUP = "identity.user_groups"
BY_ORM: dict[str, tuple[Callable[[Any], Any], dict[str, int]]] = {
    "create": (lambda _: Row.objects.create(name="a"), {RA: 1}),
    "save of a change": (lambda _: Row(pk=ROW_1, name="r1", size=8).save(force_update=True), {RC: 1}),
    "save of no change": (_save_unchanged, {}),
    "queryset update": (lambda _: Bulk.objects.update(size=F("size") + 5), {BC: 3}),
    "queryset update with a function": (lambda _: Row.objects.update(name=Concat("name", Value("!"))), {RC: 3}),
    "bulk_create": (lambda _: Bulk.objects.bulk_create([Bulk(kind=f"b{n}") for n in range(5)]), {BA: 5}),
    "bulk_create ignoring": (
        lambda _: Row.objects.bulk_create([Row(name="r1"), Row(name="z")], ignore_conflicts=True), {RA: 1}),
    "bulk_create updating": (
        lambda _: Row.objects.bulk_create([Row(name="r1", size=55), Row(name="z")], update_conflicts=True,
                                          unique_fields=["name"], update_fields=["size"]), {RA: 1, RC: 1}),
    "bulk_update": (_bulk_update, {RC: 3}),
    "get_or_create": (lambda _: [Row.objects.get_or_create(name="g") for _ in range(2)], {RA: 1}),
    "update_or_create": (lambda _: [Row.objects.update_or_create(name="g", defaults={"size": n}) for n in (1, 2)],
                         {RA: 1, RC: 1}),
    "collected delete": (lambda _: Row.objects.get(name="r1").delete(), {RR: 3}),
    "fast delete": (lambda _: Bulk.objects.exclude(kind="k1")._raw_delete(required().alias), {BR: 2}),
    "two changes in one transaction": (_two_steps, {BC: 2}),
    "savepoint rolled back": (_rolled_back, {}),
    "savepoint rolled back after a change": (_saved_and_rolled_back, {RA: 1}),
    "executemany": (lambda cursor: cursor.executemany("INSERT INTO probe_row (name) VALUES (%s)", [("p",), ("q",)]), {RA: 2}),
    "copy, rows": (_copy("probe_row", "name"), {RA: 2}),
    "copy, bulk": (_copy("probe_bulk", "kind"), {BA: 2}),
    "m2m add and clear": (_m2m_clear, {"auth.group.added": 1, f"{IN_GROUP}.added": 1, f"{IN_GROUP}.removed": 1}),
    "m2m set": (_m2m_set, {"auth.group.added": 1, f"{IN_GROUP}.added": 1, f"{IN_GROUP}.removed": 1}),
}  # fmt: skip


@pytest.fixture
def seeded(inside: Any, left: Left) -> Left:
    """Three rows in each table, forgotten by the view."""
    inside.execute(SEED)
    left.forget()
    return left


def _complete(event: dict[str, Any]) -> None:
    """Assert that an event says who, in which request, from where, and what was there before and after."""
    assert event["by"] == {"kind": "person", "credential": "c-1"}
    assert (event["request"], event["source"]) == ("r-1", "192.0.2.7")
    verb = event["code"].rpartition(".")[2]
    sides = {side for side in ("before", "after") if side in event}
    assert sides == {"added": {"after"}, "changed": {"before", "after"}, "removed": {"before"}}[verb]
    assert event["object"] is not None


class TestEveryWayOfWriting:
    @pytest.mark.parametrize("name", BY_SQL)
    def test_leaves_one_event_a_changed_row(self, inside: Any, seeded: Left, name: str) -> None:
        statement, expected = BY_SQL[name]

        inside.execute(statement)

        assert seeded.codes() == expected
        for event in seeded.events():
            _complete(event)

    @pytest.mark.parametrize("name", BY_ORM)
    def test_leaves_one_event_a_changed_row_through_the_orm(
        self, inside: Any, seeded: Left, name: str
    ) -> None:
        way, expected = BY_ORM[name]

        way(inside)

        assert seeded.codes() == expected
        for event in seeded.events():
            _complete(event)

    def test_is_tried_in_forty_forms(self) -> None:
        assert len(BY_SQL) + len(BY_ORM) >= 40


class TestWhatAnEventHolds:
    def test_only_what_changed(self, inside: Any, seeded: Left) -> None:
        inside.execute("UPDATE probe_row SET size = 9, secret = 's', person = 'Cy' WHERE name = 'r1'")

        (event,) = seeded.events()
        assert (event["before"], event["after"]) == ({"size": 1}, {"size": 9})
        assert (event["masked"], event["personal"]) == (["secret"], ["person"])
        assert event["private"] == {"before": {"person": None}, "after": {"person": "Cy"}}

    def test_only_the_changed_keys_of_a_document(self, inside: Any, seeded: Left) -> None:
        inside.execute(
            """UPDATE probe_bulk SET "values" = ("values" - 'name') || '{"seats": 5, "x": null}', size = 9 WHERE kind = 'k1'"""
        )

        (event,) = seeded.events()
        assert (event["before"], event["after"]) == ({"size": 1}, {"size": 9})
        assert sorted(event["personal"]) == ["values.name", "values.seats", "values.x"]
        assert event["private"] == {
            "before": {"values": {"name": "N1", "seats": 1}},
            "after": {"values": {"x": None, "seats": 5}},
        }

    def test_no_value_of_a_record_in_the_payload(self, inside: Any, seeded: Left) -> None:
        inside.execute("""INSERT INTO probe_bulk (kind, "values") VALUES ('k', '{"name": "Grace Hopper"}')""")
        inside.execute("""DELETE FROM probe_bulk WHERE "values"->>'name' = 'Grace Hopper'""")

        inside.execute("SELECT count(*) FROM audit_event WHERE payload LIKE '%Grace%'")
        assert inside.fetchone()[0] == 0
        added, removed = seeded.events()
        assert added["private"] == {"after": {"values": {"name": "Grace Hopper"}}}
        assert removed["private"] == {"before": {"values": {"name": "Grace Hopper"}}}
        assert added["of"] == 1

    def test_no_secret_anywhere(self, inside: Any, seeded: Left) -> None:
        inside.execute("INSERT INTO probe_row (name, secret) VALUES ('a', 'hunter2')")

        (event,) = seeded.events()
        assert event["masked"] == ["secret"]
        assert "hunter2" not in str(event)

    def test_odd_characters_as_they_were(self, inside: Any, seeded: Left) -> None:
        odd = 'a"b\\c\r\n\x1b[31m\u202ed'
        inside.execute("INSERT INTO probe_bulk (kind) VALUES (%s)", (odd,))
        inside.execute("INSERT INTO probe_row (name) VALUES (%s)", (odd,))

        first, second = seeded.events()
        assert first["after"]["kind"] == second["after"]["name"] == odd

    def test_every_commitment_fits(self, inside: Any, seeded: Left) -> None:
        inside.execute("UPDATE probe_bulk SET \"values\" = '{}'")
        inside.execute("UPDATE probe_row SET person = 'P'")

        inside.execute(
            "SELECT bool_and(e.private_commitment = sha256(p.salt || convert_to(p.value, 'UTF8'))), "
            "count(*), count(DISTINCT p.salt) FROM audit_event e JOIN audit_private p ON p.ref = e.private_ref"
        )
        fits, parts, salts = inside.fetchone()
        assert fits
        assert parts == salts > 6


def test_connections_are_those_of_the_shard(inside: Any) -> None:
    assert connections[required().alias].alias == connection.alias == "shard_1"
