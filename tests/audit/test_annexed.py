"""Another organisation's trail, kept here as it was: copied, read, walled, erased and verified."""

import json
import os
import re
import threading
from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from django.contrib.auth.models import Group
from django.db import DatabaseError, connections, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.identity.models import User
from audit import labels, origins, verifier
from audit.actions import erasure
from audit.annexing import annex_drop
from audit.exporting import lines
from audit.history import object_history
from audit.queries import Cursor, Filters, page
from audit.sentences import say
from tenants.context import Actor, enter
from tenants.functions import own
from tenants.models import Organisation
from tests.audit.annexed import (
    CAME,
    DELETED,
    FAY,
    GROUP,
    HERE_NOW,
    KEPT,
    LINK,
    MANY,
    REEF,
    STAGED,
    Kept,
    begin,
    columns,
    copy_all,
    kept_by,
)

ClientAs = Callable[[str, Organisation], Client]
URL = "/trail/"
WRITES = ("INSERT INTO {} SELECT * FROM {}", "UPDATE {} SET source = source", "DELETE FROM {}", "TRUNCATE {}")


@pytest.fixture(scope="module")
def kept(owner: psycopg.Connection, organisations: dict[str, Organisation]) -> Iterator[Kept]:
    """Pulse keeps Tide's trail."""
    with kept_by(owner, organisations) as made:
        yield made


@pytest.fixture(autouse=True)
def _believes_nothing(kept: Kept) -> Iterator[None]:
    origins.forget()
    yield
    origins.forget()


@pytest.fixture
def there(kept: Kept, pulse: Organisation) -> Iterator[Any]:
    """Pulse is entered, with three groups under the numbers that matter, and Tide's trail is read."""
    with enter(pulse, actor=Actor.system("test")):
        Group.objects.create(id=CAME, name="Land crew")
        Group.objects.create(id=HERE_NOW, name="Sea crew of Tide")
        Group.objects.create(id=DELETED, name="Night crew")
        origin = origins.find(str(kept.source))
        assert origin is not None
        with origins.reading(origin):
            yield origin


def _about(number: int | None = None, **asked: Any) -> list[str]:
    key = UUID(int=number) if number is not None else None
    return [one.sentence for one in say(page(Filters(object_id=key, **asked)).entries)]


class TestCopying:
    """Rows are copied as they are, some at a time."""

    @pytest.mark.parametrize("table", ["event", "private", "segment"])
    def test_every_column_of_every_row_is_the_same(self, kept: Kept, table: str) -> None:
        assert kept.rows(table) == kept.came(table) != []

    def test_leaves_are_the_same(self, kept: Kept) -> None:
        # What is sealed is the row as a row of the own trail.
        sealed = "SELECT ROW({0})::audit_event::text FROM {1} ORDER BY epoch, txid, eid"
        names = columns(kept.owner, "event")
        here = kept.owner.execute(
            sealed.format(names, f"audit_annexed_event WHERE source = '{kept.source}'").encode()
        ).fetchall()
        assert here == kept.owner.execute(sealed.format(names, f"{STAGED}.audit_event").encode()).fetchall()

    @pytest.mark.parametrize("most", [1, 1000])
    def test_goes_on_where_it_was_killed(self, kept: Kept, most: int) -> None:
        before = {table: kept.rows(table) for table in ("event", "private", "segment")}
        with kept.owner.transaction(force_rollback=True):
            for table in ("segment", "private"):
                kept.owner.execute(f"DELETE FROM audit_annexed_{table}")
            kept.owner.execute(
                "DELETE FROM audit_annexed_event WHERE eid > (SELECT min(eid) + 9 FROM audit_annexed_event)"
            )
            begin(kept)
            assert copy_all(kept, most=most) > 1
            assert {table: kept.rows(table) for table in before} == before

    def test_who_was_erased_meanwhile_does_not_come_again(
        self, kept: Kept, organisations: dict[str, Organisation]
    ) -> None:
        # The organisation works on while it takes in another one.
        about = "SELECT count(*) FROM audit_annexed_private WHERE subject = %s AND source = %s"
        erase = own("audit_erase", organisations["pulse"].placement().schema)
        with kept.owner.transaction(force_rollback=True):
            kept.owner.execute("DELETE FROM audit_annexed_private")
            kept.owner.execute("SELECT set_config('app.actor', %s, true)", ['{"kind": "system"}'])
            kept.owner.execute(f"SELECT {erase}(%s, 0, 'asked')".encode(), [kept.ada])
            assert copy_all(kept, most=5) > 0
            assert kept.owner.execute(about, [kept.dee, kept.source]).fetchone() == (0,)
            assert kept.rows("private") != []

    def test_an_erasure_waits_for_what_is_being_copied(
        self, kept: Kept, organisations: dict[str, Organisation]
    ) -> None:
        schema, whom = organisations["pulse"].placement().schema, uuid4()
        about = "SELECT count(*) FROM audit_annexed_private WHERE subject = %s"
        copied = (
            "INSERT INTO audit_annexed_private (source, ref, subject, salt, value) "
            "VALUES (%s, uuidv7(), %s, 'salt', 'what nobody may know')"
        )

        def erase() -> None:
            with psycopg.connect(os.environ["OWNER_SHARD_1_DATABASE_URL"]) as connection:
                connection.execute(f"SET LOCAL search_path = {schema}, pg_temp".encode())
                connection.execute("SELECT set_config('app.actor', %s, true)", ['{"kind": "system"}'])
                connection.execute(f"SELECT {own('audit_erase', schema)}(%s, 0, 'asked')".encode(), [whom])

        erasing = threading.Thread(target=erase)
        try:
            with kept.owner.transaction():
                kept.owner.execute(copied, [kept.source, whom])
                erasing.start()
                erasing.join(0.5)
                assert erasing.is_alive()
            erasing.join(10)
            assert kept.owner.execute(about, [whom]).fetchone() == (0,)
        finally:
            kept.owner.execute("DELETE FROM audit_event WHERE object_id = %s", [whom])
            kept.owner.execute("DELETE FROM audit_annexed_private WHERE subject = %s", [whom])

    def test_is_undone_some_at_a_time(self, kept: Kept) -> None:
        with kept.owner.transaction(force_rollback=True):
            counts = []
            while count := annex_drop(kept.owner.cursor(), source=kept.source, most=5):
                counts.append(count)
            assert max(counts) == 5
            for table in KEPT:
                query = f"SELECT count(*) FROM {table} WHERE source = %s".encode()
                assert kept.owner.execute(query, [kept.source]).fetchone() == (0,)
            # Only that one.
            other = "SELECT count(*) FROM audit_annexed_event WHERE source = %s"
            assert kept.owner.execute(other, [REEF]).fetchone() != (0,)


class TestNumbers:
    """Groups and links have numbers, which are others here, and mean something else in each table."""

    def test_a_group_that_came_is_called_as_it_is_here(self, there: Any) -> None:
        assert "Tide itself added the group Sea crew of Tide" in _about()

    def test_a_group_is_never_called_as_another_one_with_its_old_number(self, there: Any) -> None:
        told = " ".join(_about())
        assert "Land crew" not in told
        assert "Night crew" not in told

    def test_a_group_that_was_deleted_there_is_called_as_it_was(self, there: Any) -> None:
        assert "Tide itself added the group Gone crew" in _about()

    def test_a_group_is_found_under_the_number_that_it_had(self, there: Any) -> None:
        told = _about(HERE_NOW, type_id=GROUP)
        assert told
        assert all("Sea crew of Tide" in one for one in told)

    def test_a_group_of_here_has_no_entries_of_the_one_that_had_its_number(self, there: Any) -> None:
        assert _about(CAME, type_id=GROUP) == []
        assert _about(DELETED, type_id=GROUP) == []

    def test_a_value_that_refers_to_a_group_names_the_one_that_it_is_here(self, there: Any) -> None:
        entries = page(Filters(type_id=LINK)).entries
        words = [line.after for said in say(labels.as_read_by(None, entries)) for line in said.details]
        assert "Sea crew of Tide" in words
        assert "Land crew" not in words

    def test_the_history_of_a_group_is_its_own(self, kept: Kept, pulse: Organisation) -> None:
        with enter(pulse, actor=Actor.system("test")):
            land = Group.objects.create(id=CAME, name="Land crew")
            found, _ = object_history(land)
        assert [one.entry.origin for one in found] == [""]


class TestExcerpt:
    """What one trail says of some things, kept beside a whole one with the same places in the order."""

    def test_has_what_was_asked_for_and_no_seals(self, kept: Kept) -> None:
        kinds = kept.owner.execute(
            "SELECT DISTINCT type_id FROM audit_annexed_event WHERE source = %s", [REEF]
        ).fetchall()
        assert kinds == [(GROUP,)]
        query = "SELECT count(*) FROM audit_annexed_segment WHERE source = %s"
        assert kept.owner.execute(query, [REEF]).fetchone() == (0,)

    def test_is_read_alone(self, there: Any) -> None:
        with origins.reading(origins.find(str(REEF))):
            entries = page(Filters()).entries
        assert {one.origin for one in entries} == {"Reef Nights"}
        assert {one.type_id for one in entries} == {GROUP}
        # Its keys are not those of the other one: these groups have no number here.
        assert {one.object_id for one in entries} == {None}

    def test_a_group_of_the_other_one_is_not_in_it(self, there: Any) -> None:
        with origins.reading(origins.find(str(REEF))):
            assert _about(HERE_NOW, type_id=GROUP) == []

    def test_says_that_it_is_a_part(self, kept: Kept, pulse: Organisation, client_as: ClientAs) -> None:
        text = client_as("ada@pulse.example", pulse).get(URL, {"of": str(REEF)}).content.decode()
        assert "What the trail of Reef Nights says about what came from there" in text
        assert f"?of={kept.source}" in text


class TestReading:
    """The same questions, of another trail."""

    def test_pages_go_through_everything_once(self, there: Any, kept: Kept) -> None:
        seen: list[tuple[int, int]] = []
        place: Cursor | None = None
        for _ in range(100):
            found = page(Filters(), after=place, size=4)
            seen += [(one.txid, one.eid) for one in found.entries]
            place = found.next
            if place is None:
                break
        assert len(seen) == len(set(seen)) > 8
        assert all(one.origin_id == kept.source for one in page(Filters()).entries)
        assert set(seen) <= {(int(row[1]), int(row[2])) for row in kept.came("event")}

    def test_who_became_one_is_found_by_the_id_of_here(self, there: Any, kept: Kept) -> None:
        entries = page(Filters(actor=kept.ada)).entries
        assert entries
        assert {one.actor_id for one in entries} == {kept.ada}

    def test_history_goes_on_there_page_by_page(self, kept: Kept, pulse: Organisation) -> None:
        with enter(pulse, actor=Actor.system("test")):
            ada = User.objects.get(pk=kept.ada)
            User.objects.filter(pk=ada.pk).update(name="Ada of both")
            found, place = [], None
            for _ in range(20):
                some, place = object_history(ada, after=place, size=1)
                place = Cursor.parse(str(place)) if place else None
                found += some
                if place is None:
                    break
        origins_of = [one.entry.origin for one in found]
        assert origins_of == sorted(origins_of)
        assert {"", "Tide Sessions"} == set(origins_of)
        assert "in Tide Sessions" in found[-1].note

    def test_history_names_who_was_deleted_there(self, kept: Kept, pulse: Organisation) -> None:
        with enter(pulse, actor=Actor.system("test")):
            found, _ = object_history(User.objects.get(pk=kept.ada))
        told = [one.sentence for one in found if one.entry.actor_id == FAY]
        assert len(told) == 2
        assert all(one.startswith("Fay Moore changed") for one in told)

    def test_costs_nothing_where_no_other_trail_is_kept(self, kept: Kept, tide: Organisation) -> None:
        with enter(tide, actor=Actor.system("test")):
            dee = User.objects.get(pk=kept.dee)
            object_history(dee)
            with CaptureQueriesContext(connections["shard_2"]) as asked:
                object_history(dee)
        assert not [query for query in asked.captured_queries if "audit_annexed" in query["sql"]]

    def test_number_of_queries_does_not_grow(self, there: Any) -> None:
        for size in (1, 4):
            with CaptureQueriesContext(connections["shard_1"]) as asked:
                page(Filters(type_id=GROUP), size=size)
            # The entries, and which ids are which here.
            assert len(asked) == 2

    @pytest.mark.parametrize(
        ("asked", "index"),
        [
            (Filters(), "annexed_event_time"),
            (Filters(object_id=UUID(int=2**100)), "annexed_event_object"),
            (Filters(actor=UUID(int=2**100)), "annexed_event_actor"),
            (Filters(codes=("sign_in.failed",)), "annexed_event_code"),
            (Filters(type_id=LINK), "annexed_event_type"),
        ],
    )
    def test_uses_an_index(self, there: Any, asked: Filters, index: str) -> None:
        with CaptureQueriesContext(connections["shard_1"]) as context:
            page(asked)
        query = next(one["sql"] for one in context.captured_queries if "audit_annexed_event" in one["sql"])
        with connections["shard_1"].cursor() as cursor:
            # A table of a few pages is read whole otherwise.
            cursor.execute("SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off")
            cursor.execute("EXPLAIN " + query.replace("%", "%%"))
            plan = "\n".join(line for (line,) in cursor.fetchall())
        assert index in plan


class TestPages:
    """What people see, and who."""

    @pytest.fixture
    def ada(self, pulse: Organisation, client_as: ClientAs) -> Client:
        return client_as("ada@pulse.example", pulse)

    def test_many_open_to_all_of_them_though_the_actor_has_another_id(self, ada: Client, kept: Kept) -> None:
        text = ada.get(URL, {"of": str(kept.source), "every": "on"}).content.decode()
        urls = [one.replace("&amp;", "&") for one in re.findall(r'href="(/trail/together/[^"]+)"', text)]
        assert urls
        assert all(f"of={kept.source}" in url for url in urls)
        opened = ada.get(urls[-1]).content.decode()
        assert len(re.findall(rf'href="/trail/\d+/\d+/\d+/\?of={kept.source}"', opened)) == MANY

    @pytest.mark.parametrize("said", ["01a21eba-a145-7455-a4c3-8e860166d69f", "nothing", "' OR true --"])
    @pytest.mark.parametrize("url", [URL, f"{URL}1/1/1/", f"{URL}together/1.1/"])
    def test_a_trail_that_is_not_kept_is_not_found(self, ada: Client, url: str, said: str) -> None:
        assert ada.get(url, {"of": said}).status_code == 404

    def test_an_entry_is_not_found_in_another_trail(self, ada: Client, kept: Kept) -> None:
        epoch, txid, eid = kept.came("event")[0][:3]
        url = f"{URL}{epoch}/{txid}/{eid}/"
        assert ada.get(url, {"of": str(kept.source)}).status_code == 200
        own = kept.owner.execute(
            "SELECT count(*) FROM audit_event WHERE epoch = %s AND txid = %s::text::xid8 AND eid = %s",
            [epoch, txid, eid],
        ).fetchone()
        assert own == (0,)
        assert ada.get(url).status_code == 404

    def test_who_may_not_see_the_trail_is_refused(
        self, kept: Kept, pulse: Organisation, client_as: ClientAs
    ) -> None:
        ben = client_as("ben@pulse.example", pulse)
        for url in (URL, f"{URL}1/1/1/", f"{URL}together/1.1/"):
            assert ben.get(url, {"of": str(kept.source)}).status_code == 403

    def test_another_organisation_does_not_have_it(
        self, kept: Kept, tide: Organisation, client_as: ClientAs
    ) -> None:
        dee = client_as("dee@tide.example", tide)
        assert dee.get(URL, {"of": str(kept.source)}).status_code == 404
        assert "?of=" not in dee.get(URL).content.decode()


class TestWalls:
    """The organisation reads what it keeps of others, and only the owner's process writes it."""

    @pytest.mark.parametrize("table", KEPT)
    @pytest.mark.parametrize("write", WRITES)
    def test_nobody_inside_writes(self, inside: Any, kept: Kept, table: str, write: str) -> None:
        inside.execute(f"SELECT count(*) FROM {table}")
        assert inside.fetchone()[0] > 0
        with pytest.raises(DatabaseError, match="permission denied"), transaction.atomic():
            inside.execute(write.format(table, table))


class TestProof:
    """What a third party can verify, also after somebody was erased."""

    def _lines(self, cursor: Any, source: UUID | None) -> list[str]:
        return list(lines(cursor, source=source))

    def test_verifies_as_it_did(self, kept: Kept) -> None:
        with kept.owner.cursor() as cursor:
            report = verifier.verify(self._lines(cursor, kept.source))
        assert report.verified
        assert {row[1] for row in kept.rows("segment")} == {str(kept.source)}

    @pytest.mark.parametrize(
        "change",
        [
            "UPDATE audit_annexed_event SET payload = payload || ' '",
            "UPDATE audit_annexed_event SET at_us = at_us + 1 WHERE code = 'auth.group.removed'",
            "DELETE FROM audit_annexed_event WHERE eid = (SELECT max(eid) FROM audit_annexed_event)",
            "UPDATE audit_annexed_private SET value = value || ' '",
            "UPDATE audit_annexed_segment SET root = sha256(root)",
        ],
    )
    def test_a_change_is_noticed(self, kept: Kept, change: str) -> None:
        with kept.owner.transaction(force_rollback=True), kept.owner.cursor() as cursor:
            cursor.execute(change.encode())
            assert not verifier.verify(self._lines(cursor, kept.source)).verified

    def test_who_is_erased_is_erased_under_every_id(self, inside: Any, kept: Kept) -> None:
        about = "SELECT count(*) FROM audit_annexed_private WHERE subject = %s"
        own = "SELECT count(*) FROM audit_private WHERE subject = %s"
        inside.execute(about, [kept.dee])
        (theirs,) = inside.fetchone()
        inside.execute(own, [kept.ada])
        (ours,) = inside.fetchone()
        assert theirs > 0

        assert erasure.erase(kept.ada, by=Actor.system("test"), reason="they asked for it") == ours + theirs

        inside.execute(about, [kept.dee])
        assert inside.fetchone() == (0,)
        for source in (kept.source, None):
            report = verifier.verify(self._lines(inside, source))
            assert not [fault for fault in report.faults if "private" in fault]
        left = [json.loads(line) for line in self._lines(inside, kept.source)]
        assert verifier.verify([json.dumps(one) for one in left]).verified
        assert not [one for one in left if "dee@tide.example" in json.dumps(one)]
