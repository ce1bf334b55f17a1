# ruff: noqa: E501  # the table of ways reads best with one way a line
"""Forty ways of writing, each of which leaves one event a changed row and no more.

Each is tried on a table that is captured row by row, as most are, and on one that is captured by
statements, as records and grants are; a few also on those themselves.
"""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.db import connection, connections, transaction
from django.db.models import F, Value
from django.db.models.functions import Concat
from django.utils import timezone

from accounts.identity.models import User
from permissions.actions.grants import grant
from records.models import Collection, Record
from records.perms import RECORDS_SENSITIVE
from tenants.context import required
from tests.audit.conftest import Left
from tests.audit.probes import Bulk, Probe, Row, mirrored

SEED = """
INSERT INTO probe_row (id, name, kind, size, "values") SELECT format('00000000-0000-7000-9000-%s', lpad(n::text, 12, '0'))::uuid,
    'r' || n, 'k' || n, n, jsonb_build_object('name', 'N' || n, 'seats', n) FROM generate_series(1, 3) AS n;
"""
TIED = """
UPDATE probe_row SET parent_id = '00000000-0000-7000-9000-000000000001', other_id = '00000000-0000-7000-8000-000000000001'
    WHERE name <> 'r1';
"""
SOURCE = "INSERT INTO probe_source VALUES ('r1', 100), ('new', 200)"
ROW_1 = "00000000-0000-7000-9000-000000000001"
A, C, R = "probe.row.added", "probe.row.changed", "probe.row.removed"

BY_SQL: dict[str, tuple[str, dict[str, int]]] = {
    "insert": ("INSERT INTO probe_row (name) VALUES ('a')", {A: 1}),
    "insert many": ("INSERT INTO probe_row (kind) VALUES ('a'), ('b'), ('c')", {A: 3}),
    "insert returning": ("INSERT INTO probe_row (kind) VALUES ('a') RETURNING id", {A: 1}),
    "insert select": ("INSERT INTO probe_row (name, size) SELECT name, size FROM probe_source WHERE name = 'new'", {A: 1}),
    "insert default values": ("INSERT INTO probe_row DEFAULT VALUES", {A: 1}),
    "update": ("UPDATE probe_row SET size = 9 WHERE name = 'r1'", {C: 1}),
    "update all": ("UPDATE probe_row SET size = size + 1", {C: 3}),
    "update nothing found": ("UPDATE probe_row SET size = 9 WHERE kind = 'nobody'", {}),
    "update to the same": ("UPDATE probe_row SET size = size", {}),
    "update some to the same": ("UPDATE probe_row SET size = 1", {C: 2}),
    "update of excluded": ("UPDATE probe_row SET touched = 5", {}),
    "update of masked": ("UPDATE probe_row SET secret = 's'", {C: 3}),
    "update of personal": ("UPDATE probe_row SET person = 'P' WHERE name = 'r1'", {C: 1}),
    "update from": ("UPDATE probe_row r SET size = s.size FROM probe_source s WHERE s.name = r.name", {C: 1}),
    "update returning old": ("UPDATE probe_row SET size = 7 WHERE kind = 'k1' RETURNING old.size, new.size", {C: 1}),
    "json path update": ("""UPDATE probe_row SET "values" = jsonb_set("values", '{seats}', '99') WHERE kind = 'k1'""", {C: 1}),
    "json subscript update": ("""UPDATE probe_row SET data['deep']['er'] = '1' WHERE name = 'r1'""", {C: 1}),
    "delete": ("DELETE FROM probe_row WHERE name = 'r3'", {R: 1}),
    "delete many": ("DELETE FROM probe_row WHERE kind <> 'k1'", {R: 2}),
    "delete using": ("DELETE FROM probe_row r USING probe_bulk b WHERE r.other_id = b.id AND r.name = 'r2'", {R: 1}),
    "delete cascading to both tables": (f"DELETE FROM probe_row WHERE id = '{ROW_1}'", {R: 3, mirrored(R): 2}),
    "upsert do update, inserting": (
        "INSERT INTO probe_row (name) VALUES ('a') ON CONFLICT (name) DO UPDATE SET size = 5", {A: 1}),
    "upsert do update, updating": (
        "INSERT INTO probe_row (name) VALUES ('r1') ON CONFLICT (name) DO UPDATE SET size = 5", {C: 1}),
    "upsert of both": (
        f"INSERT INTO probe_row (id, kind) VALUES ('{ROW_1}', 'x'), (uuidv7(), 'y') "
        "ON CONFLICT (id) DO UPDATE SET kind = excluded.kind", {A: 1, C: 1}),
    "upsert do nothing": ("INSERT INTO probe_row (name) VALUES ('r1') ON CONFLICT DO NOTHING", {}),
    "merge": (
        "MERGE INTO probe_row r USING probe_source s ON r.name = s.name WHEN MATCHED THEN UPDATE SET size = s.size "
        "WHEN NOT MATCHED THEN INSERT (name, size) VALUES (s.name, s.size)", {C: 1, A: 1}),
    "merge with delete": (
        "MERGE INTO probe_row b USING (VALUES ('k1', 50), ('k2', NULL), ('k9', 90)) AS s (kind, size) ON b.kind = s.kind "
        "WHEN MATCHED AND s.size IS NULL THEN DELETE WHEN MATCHED THEN UPDATE SET size = s.size "
        "WHEN NOT MATCHED THEN INSERT (kind, size) VALUES (s.kind, s.size)", {C: 1, R: 1, A: 1}),
    "with insert": ("WITH made AS (INSERT INTO probe_row (name) VALUES ('a') RETURNING id) SELECT * FROM made", {A: 1}),
    "with three writes to one table": (
        "WITH gone AS (DELETE FROM probe_row WHERE kind = 'k2'), made AS (INSERT INTO probe_row (kind) VALUES ('a')) "
        "UPDATE probe_row SET size = 40 WHERE kind = 'k3'", {R: 1, A: 1, C: 1}),
    "with moved rows": (
        "WITH gone AS (DELETE FROM probe_row WHERE name = 'r3' RETURNING kind) "
        "INSERT INTO probe_bulk (kind) SELECT kind FROM gone", {R: 1, mirrored(A): 1}),
    "inside a function": ("SELECT probe_row_write('a')", {A: 1}),
    "inside a DO block": (
        "DO $$ BEGIN FOR n IN 1..3 LOOP INSERT INTO probe_row (name) VALUES ('d' || n); END LOOP; END $$", {A: 3}),
    "caught exception in a DO block": (
        "DO $$ BEGIN BEGIN INSERT INTO probe_row (kind) VALUES ('a'); RAISE 'no'; EXCEPTION WHEN OTHERS THEN NULL; "
        "END; INSERT INTO probe_row (kind) VALUES ('b'); END $$", {A: 1}),
    "prepared statement": ("PREPARE w AS INSERT INTO probe_row (name) VALUES ('a'); EXECUTE w; DEALLOCATE w", {A: 1}),
    "cursor, where current of": (
        "DECLARE c CURSOR FOR SELECT * FROM probe_row WHERE name = 'r1' FOR UPDATE; FETCH c; "
        "UPDATE probe_row SET size = 77 WHERE CURRENT OF c", {C: 1}),
}  # fmt: skip
Way = Callable[[type[Probe], Any], object]


def _copy(model: type[Probe], cursor: Any) -> None:
    with cursor.copy(f"COPY {model._meta.db_table} (name) FROM STDIN") as copy:
        copy.write("x1\nx2\n")


def _rolled_back(model: type[Probe], cursor: Any) -> None:
    with pytest.raises(RuntimeError), transaction.atomic():
        model._default_manager.create(name="gone")
        raise RuntimeError


def _saved_and_rolled_back(model: type[Probe], cursor: Any) -> None:
    model._default_manager.create(name="kept")
    _rolled_back(model, cursor)


def _bulk_update(model: type[Probe], cursor: Any) -> None:
    rows = list(model._default_manager.order_by("name"))
    for row in rows:
        row.size += 10
    model._default_manager.bulk_update(rows, ["size"])


def _two_steps(model: type[Probe], cursor: Any) -> None:
    model._default_manager.filter(kind="k1").update(size=50)
    model._default_manager.filter(kind="k1").update(size=60)


def _many_parameters(model: type[Probe], cursor: Any) -> None:
    cursor.executemany(f"INSERT INTO {model._meta.db_table} (name) VALUES (%s)", [("p",), ("q",)])


BY_ORM: dict[str, tuple[Way, dict[str, int]]] = {
    "create": (lambda m, _: m._default_manager.create(name="a"), {A: 1}),
    "save of a change": (lambda m, _: m(pk=_key(m), name="r1", size=8).save(force_update=True), {C: 1}),
    "save of no change": (lambda m, _: m._default_manager.get(name="r1").save(), {}),
    "queryset update": (lambda m, _: m._default_manager.update(size=F("size") + 5), {C: 3}),
    "queryset update with a function": (lambda m, _: m._default_manager.update(name=Concat("name", Value("!"))), {C: 3}),
    "bulk_create": (lambda m, _: m._default_manager.bulk_create([m(kind=f"b{n}") for n in range(5)]), {A: 5}),
    "bulk_create ignoring": (
        lambda m, _: m._default_manager.bulk_create([m(name="r1"), m(name="z")], ignore_conflicts=True), {A: 1}),
    "bulk_create updating": (
        lambda m, _: m._default_manager.bulk_create([m(name="r1", size=55), m(name="z")], update_conflicts=True,
                                                    unique_fields=["name"], update_fields=["size"]), {A: 1, C: 1}),
    "bulk_update": (_bulk_update, {C: 3}),
    "get_or_create": (lambda m, _: [m._default_manager.get_or_create(name="g") for _ in range(2)], {A: 1}),
    "update_or_create": (lambda m, _: [m._default_manager.update_or_create(name="g", defaults={"size": n}) for n in (1, 2)],
                         {A: 1, C: 1}),
    "collected delete": (lambda m, _: m._default_manager.get(name="r1").delete(), {R: 3, mirrored(R): 2}),
    "fast delete": (lambda m, _: m._default_manager.exclude(kind="k1")._raw_delete(required().alias), {R: 2}),
    "two changes in one transaction": (_two_steps, {C: 2}),
    "savepoint rolled back": (_rolled_back, {}),
    "savepoint rolled back after a change": (_saved_and_rolled_back, {A: 1}),
    "executemany": (_many_parameters, {A: 2}),
    "copy": (_copy, {A: 2}),
}  # fmt: skip


def _key(model: type[Probe]) -> str:
    return ROW_1 if model is Row else mirrored(ROW_1)


@pytest.fixture
def seeded(inside: Any, left: Left) -> Left:
    """Three rows in each table, forgotten by the view."""
    inside.execute(f"{SEED}{mirrored(SEED)}{TIED}{mirrored(TIED)}{SOURCE}")
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

    @pytest.mark.parametrize("name", BY_SQL)
    def test_leaves_one_event_a_row_of_a_statement(self, inside: Any, seeded: Left, name: str) -> None:
        statement, expected = BY_SQL[name]

        inside.execute(mirrored(statement))

        assert seeded.codes() == {mirrored(code): count for code, count in expected.items()}
        for event in seeded.events():
            _complete(event)

    @pytest.mark.parametrize("name", BY_ORM)
    @pytest.mark.parametrize("model", [Row, Bulk])
    def test_leaves_one_event_a_changed_row_through_the_orm(
        self, inside: Any, seeded: Left, model: type[Probe], name: str
    ) -> None:
        way, expected = BY_ORM[name]

        way(model, inside)

        codes = expected if model is Row else {mirrored(code): count for code, count in expected.items()}
        assert seeded.codes() == codes
        for event in seeded.events():
            _complete(event)

    def test_is_tried_in_forty_forms(self) -> None:
        assert len(BY_SQL) + len(BY_ORM) >= 40


class TestLinksOfManyToMany:
    def test_leave_an_event_each(self, inside: Any, left: Left) -> None:
        user, group = User.objects.get(email="ada@pulse.example"), Group.objects.create(name="Crew")
        left.forget()

        user.groups.add(group)
        user.groups.clear()
        user.groups.set([group])
        user.groups.set([])

        assert left.codes() == {"identity.user_groups.added": 2, "identity.user_groups.removed": 2}
        for event in left.events():
            _complete(event)


class TestRecordsAndGrants:
    """The tables that people's data stands in, as the product makes them."""

    @pytest.fixture
    def gigs(self, inside: Any, left: Left) -> Collection:
        """Return a collection with two records, of which one is shared with Ben."""
        ada, ben = (User.objects.get(email=f"{name}@pulse.example") for name in ("ada", "ben"))
        made = Collection.objects.create(name="Gigs", key="gigs")
        first, _ = (Record.objects.create(collection=made, values={"f_x": n}) for n in range(2))
        grant(obj=first, to=ben, names=[RECORDS_SENSITIVE], by=ada, at=timezone.now())
        left.forget()
        return made

    def test_copied_in(self, inside: Any, gigs: Collection, left: Left) -> None:
        with inside.copy('COPY records_record (collection_id, "values") FROM STDIN') as copy:
            copy.write(f'{gigs.pk}\t{{"f_x": 5}}\n{gigs.pk}\t{{"f_x": 6}}\n')

        assert left.codes() == {"records.record.added": 2}
        assert [event["private"] for event in left.events()] == [
            {"after": {"values": {"f_x": n}}} for n in (5, 6)
        ]

    @pytest.mark.parametrize(
        "statement",
        [
            """UPDATE records_record SET "values" = "values" || '{"f_x": 7}'""",
            """MERGE INTO records_record r USING records_record s ON r.id = s.id WHEN MATCHED THEN UPDATE SET "values" = '{}'""",
            "UPDATE records_record SET deleted_at = now()",
        ],
    )
    def test_changed(self, inside: Any, gigs: Collection, left: Left, statement: str) -> None:
        inside.execute(statement)

        assert left.codes() == {"records.record.changed": 2}
        for event in left.events():
            _complete(event)

    def test_deleted_with_what_was_shared(self, gigs: Collection, left: Left) -> None:
        shares = Record.objects.filter(recordusergrant__isnull=False).values("recordusergrant").count()
        Record.objects.all().delete()

        assert shares > 0
        assert left.codes() == {"records.record.removed": 2, "records.recordusergrant.removed": shares}

    def test_shared_again(self, inside: Any, gigs: Collection, left: Left) -> None:
        inside.execute(
            "INSERT INTO records_recordusergrant (user_id, permission_id, content_object_id) "
            "SELECT user_id, permission_id, content_object_id FROM records_recordusergrant "
            "ON CONFLICT (user_id, permission_id, content_object_id) DO UPDATE SET ends_at = now() + interval '1 day'"
        )

        (code,) = left.codes()
        assert code == "records.recordusergrant.changed"


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
