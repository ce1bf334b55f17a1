"""One record: added, changed, taken back, binned; two people at once; unique values under a race."""

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import IntegrityError, connections, transaction
from django.utils import timezone

from accounts.identity.models import User
from records.actions import records, undo
from records.actions.done import CLEARED_EVERY, KEPT, keep
from records.actions.refusals import CannotUndo, Conflict, Gone, Invalid, Taken
from records.indexes import rules
from records.models import Collection, IndexState, Record, UndoStep, UniqueValue
from records.values import dumps
from tenants.context import Actor, enter
from tenants.models import Organisation
from tests.records.conftest import NOW, Design, add


@pytest.fixture
def gigs(design: Design) -> Collection:
    return design(
        name={"type": "text", "required": True}, code={"type": "text", "unique": True}, seats="integer"
    )


@pytest.fixture
def bass(gigs: Collection, ada: User) -> Record:
    done = records.create(collection=gigs, values={"name": "Bass", "seats": "10"}, by=ada, at=NOW)
    assert done.record is not None
    return done.record


class TestCreate:
    def test_keeps_what_was_typed_as_canonical_values(self, bass: Record, ada: User) -> None:
        bass.refresh_from_db()
        assert bass.values == {"name": "Bass", "seats": 10}
        assert (bass.version, bass.created_by, bass.created_at) == (1, ada.pk, NOW)

    def test_says_for_each_field_what_is_wrong(self, gigs: Collection, ada: User) -> None:
        with pytest.raises(Invalid) as refusal:
            records.create(collection=gigs, values={"seats": "x", "other": 1}, by=ada, at=NOW)
        assert set(refusal.value.errors) == {"name", "seats", "other"}

    def test_refuses_a_unique_value_that_is_taken_whatever_its_case(
        self, gigs: Collection, ada: User
    ) -> None:
        records.create(collection=gigs, values={"name": "a", "code": "X1"}, by=ada, at=NOW)
        with pytest.raises(Taken) as refusal:
            records.create(collection=gigs, values={"name": "b", "code": "x1"}, by=ada, at=NOW)
        assert set(refusal.value.errors) == {"code"}

    def test_refuses_links_that_lead_nowhere(self, design: Design, ada: User) -> None:
        venues = design("Venues", name="text")
        other = add(design("Other", name="text"), {"name": "elsewhere"})[0]
        link = {"type": "record", "options": {"collection": str(venues.pk)}}
        events = design("Events", name="text", venue=link, who="person")
        hall = add(venues, {"name": "Hall"})[0]
        for venue in (uuid4(), other.pk):
            with pytest.raises(Invalid):
                records.create(collection=events, values={"venue": str(venue)}, by=ada, at=NOW)
        with pytest.raises(Invalid):
            records.create(collection=events, values={"who": str(uuid4())}, by=ada, at=NOW)
        records.create(collection=events, values={"venue": str(hall.pk), "who": str(ada.pk)}, by=ada, at=NOW)


class TestChange:
    def test_changes_only_what_is_named_and_counts_the_version(self, bass: Record, ada: User) -> None:
        done = records.change(record=bass, values={"seats": "12"}, expected=1, by=ada, at=NOW)
        assert done.record is not None
        assert (done.record.values, done.record.version) == ({"name": "Bass", "seats": 12}, 2)
        assert done.sentence == "Saved"

    def test_shows_the_second_person_both_versions(self, bass: Record, ada: User, ben: User) -> None:
        records.change(record=bass, values={"seats": 12}, expected=1, by=ada, at=NOW)
        with pytest.raises(Conflict) as refusal:
            records.change(record=bass, values={"seats": 13}, expected=1, by=ben, at=NOW)
        assert refusal.value.theirs.values["seats"] == 12
        assert refusal.value.mine == {"seats": 13}
        chosen = refusal.value.theirs.version
        records.change(record=bass, values={"seats": 13}, expected=chosen, by=ben, at=NOW)

    def test_lets_two_people_change_different_fields(self, bass: Record, ada: User, ben: User) -> None:
        records.change(record=bass, values={"seats": 12}, expected=1, by=ada, at=NOW)
        done = records.change(
            record=bass, values={"name": "Deep"}, expected=1, seen={"name": "Bass"}, by=ben, at=NOW
        )
        assert done.record is not None
        assert done.record.values == {"name": "Deep", "seats": 12}

    def test_refuses_a_record_that_is_in_the_bin(self, bass: Record, ada: User) -> None:
        records.move_to_bin(collection=bass.collection, ids=[bass.pk], by=ada, at=NOW)
        with pytest.raises(Gone):
            records.change(record=bass, values={"seats": 1}, expected=1, by=ada, at=NOW)


class TestUndo:
    def test_takes_back_a_change_an_addition_and_a_move_to_the_bin(self, bass: Record, ada: User) -> None:
        changed = records.change(
            record=bass, values={"seats": 12, "name": "Deep"}, expected=1, by=ada, at=NOW
        )
        undo.undo(token=changed.undo, by=ada, at=NOW)
        bass.refresh_from_db()
        assert (bass.values, bass.version) == ({"name": "Bass", "seats": 10}, 3)
        binned = records.move_to_bin(collection=bass.collection, ids=[bass.pk], by=ada, at=NOW)
        undo.undo(token=binned.undo, by=ada, at=NOW)
        assert Record.objects.live().filter(pk=bass.pk).exists()
        added = records.create(collection=bass.collection, values={"name": "x"}, by=ada, at=NOW)
        undo.undo(token=added.undo, by=ada, at=NOW)
        assert Record.objects.live().count() == 1

    def test_leaves_what_somebody_else_changed_since(self, bass: Record, ada: User, ben: User) -> None:
        done = records.change(record=bass, values={"seats": 12, "name": "Deep"}, expected=1, by=ada, at=NOW)
        records.change(record=bass, values={"seats": 13}, expected=2, by=ben, at=NOW)
        undo.undo(token=done.undo, by=ada, at=NOW)
        bass.refresh_from_db()
        assert bass.values == {"name": "Bass", "seats": 13}

    def test_is_once_and_for_the_one_who_did_it(self, bass: Record, ada: User, ben: User) -> None:
        done = records.change(record=bass, values={"seats": 12}, expected=1, by=ada, at=NOW)
        with pytest.raises(CannotUndo):
            undo.undo(token=done.undo, by=ben, at=NOW)
        undo.undo(token=done.undo, by=ada, at=NOW)
        for token in (done.undo, "", "x", str(uuid4())):
            with pytest.raises(CannotUndo):
                undo.undo(token=token, by=ada, at=NOW)

    def test_ends_after_an_hour_though_nobody_cleared_it(self, bass: Record, ada: User) -> None:
        now = timezone.now()
        late, fresh = now - KEPT - timedelta(seconds=1), now - KEPT + timedelta(minutes=1)
        old = records.change(record=bass, values={"name": "Deep"}, expected=1, by=ada, at=late)
        young = records.change(record=bass, values={"seats": 13}, expected=2, by=ada, at=fresh)
        with pytest.raises(CannotUndo):
            undo.undo(token=old.undo, by=ada, at=now)
        undo.undo(token=young.undo, by=ada, at=now)
        bass.refresh_from_db()
        assert bass.values == {"name": "Deep", "seats": 10}

    def test_is_cleared_after_an_hour_by_those_who_change_something(self, bass: Record, ada: User) -> None:
        now = timezone.now()
        records.change(record=bass, values={"seats": 11}, expected=1, by=ada, at=now - 2 * KEPT)
        for number in range(CLEARED_EVERY):
            token = str(UUID(int=number))
            keep("change", {}, collection=bass.collection, by=ada.pk, at=now, token=token)
        assert not UndoStep.objects.filter(made_at__lt=now - KEPT).exists()


class TestCounts:
    def test_follow_whatever_way_records_come_and_go(self, gigs: Collection, ada: User) -> None:
        rows = add(gigs, *({"name": str(number)} for number in range(10)))
        ids = [row.pk for row in rows]
        assert (gigs.record_count(), gigs.binned_count()) == (10, 0)
        records.move_to_bin(collection=gigs, ids=ids[:4], by=ada, at=NOW)
        assert (gigs.record_count(), gigs.binned_count()) == (6, 4)
        records.restore(collection=gigs, ids=ids[:1], by=ada, at=NOW)
        records.purge(collection=gigs, ids=ids[:3], by=ada, at=NOW)
        assert (gigs.record_count(), gigs.binned_count()) == (7, 1)
        Record.objects.filter(pk=ids[9]).delete()
        assert gigs.record_count() == 6

    def test_stay_right_when_they_are_folded(self, gigs: Collection) -> None:
        for number in range(150):
            add(gigs, {"name": str(number)})
        assert gigs.record_count() == 150
        assert gigs.tallies.count() < 64

    def test_go_with_their_collection_but_records_hold_it(self, gigs: Collection) -> None:
        add(gigs, {"name": "x"})
        with pytest.raises(IntegrityError), transaction.atomic(), connections["default"].cursor() as cursor:
            cursor.execute("DELETE FROM records_tally")
            cursor.execute("DELETE FROM records_field")
            cursor.execute("DELETE FROM records_undostep")
            cursor.execute("DELETE FROM records_collection")

    def test_records_need_a_collection(self, gigs: Collection) -> None:
        with pytest.raises(IntegrityError), transaction.atomic():
            Record.objects.create(collection_id=uuid4(), values={})
        row = add(gigs, {})[0]
        with pytest.raises(IntegrityError), transaction.atomic():
            Record.objects.filter(pk=row.pk).update(collection_id=uuid4())


class TestUniqueValues:
    def test_follow_changes_the_bin_and_deletion(self, gigs: Collection, ada: User) -> None:
        one, two = add(gigs, {"name": "1", "code": "a"}, {"name": "2", "code": "b"})
        Record.objects.filter(pk=one.pk).update(values={"code": "c"})
        add(gigs, {"code": "A"})
        records.move_to_bin(collection=gigs, ids=[two.pk], by=ada, at=NOW)
        add(gigs, {"code": "b"})
        with pytest.raises(Taken):
            records.restore(collection=gigs, ids=[two.pk], by=ada, at=NOW)
        Record.objects.all().delete()
        assert not UniqueValue.objects.exists()

    def test_may_be_swapped_in_one_statement(self, gigs: Collection) -> None:
        one, two = add(gigs, {"code": "a"}, {"code": "b"})
        with connections["default"].cursor() as cursor:
            cursor.execute(
                'UPDATE records_record SET "values" = CASE WHEN id = %s THEN %s ELSE %s END::jsonb',
                (one.pk, dumps({"code": "b"}).decode(), dumps({"code": "a"}).decode()),
            )
        two.refresh_from_db()
        assert two.values == {"code": "a"}

    def test_are_taken_once_by_two_at_the_same_moment(self, organisations: dict[str, Organisation]) -> None:
        organisation, key = organisations["pulse"], f"race-{uuid4().hex[:8]}"
        with enter(organisation, actor=Actor.system("test")):
            collection = Collection.objects.create(name=key, key=key)
            collection.fields.create(key="code", name="Code", type="text", unique=True)
        outcomes: list[str] = []
        start = threading.Barrier(2)

        def take() -> None:
            start.wait()
            try:
                with enter(organisation, actor=Actor.system("test")):
                    records.create(collection=collection, values={"code": "one"}, by=None, at=NOW)
                outcomes.append("kept")
            except Taken:
                outcomes.append("taken")
            finally:
                connections.close_all()

        try:
            _together(take, take)
            assert sorted(outcomes) == ["kept", "taken"]
        finally:
            with enter(organisation, actor=Actor.system("test")):
                Record.objects.filter(collection=collection).delete()
                collection.delete()


def _together(*works: Callable[[], Any]) -> None:
    threads = [threading.Thread(target=work) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def test_a_collection_that_grows_record_by_record_gets_its_indexes(
    design: Design, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rules, "SEARCH_INDEXED_FROM", 2)
    monkeypatch.setattr(rules, "ASKED_EVERY", 1)
    gigs = design(name="text")
    records.create(collection=gigs, values={"name": "a"}, by=None, at=NOW)
    assert not IndexState.objects.exists()
    records.create(collection=gigs, values={"name": "b"}, by=None, at=NOW)
    assert [state.kind for state in IndexState.objects.all()] == ["search"]
