"""Designing: collections, fields, what a change does to the data, and many records at once."""

from typing import Any
from uuid import UUID

import pytest

from accounts.identity.models import User
from jobs.models import Job, JobState
from jobs.testing import run_due
from records.actions import bulk, collections, fields, loading, records, undo, views
from records.actions.bulk import Which
from records.actions.refusals import CannotDesign, Invalid, Taken
from records.models import Collection, Field, IndexState, Record
from records.tables import Filter, Op, Sort, TableQuery, of_collection
from records.values import Choice, FieldSpec, FieldType, dumps
from tenants.models import Organisation
from tests.records.conftest import NOW, Design, add


def field_of(collection: Collection, key: str) -> Field:
    return collection.fields.get(key=key)


def spec_of(collection: Collection, key: str, **changes: Any) -> FieldSpec:
    """Return the design of a field with some changes."""
    old = field_of(collection, key).spec()
    kept = {name: getattr(old, name) for name in ("key", "name", "type", "required", "unique", "choices")}
    return FieldSpec(**{**kept, **changes})


class TestCollections:
    def test_are_made_whole_from_a_proposal(self, ada: User) -> None:
        specs = [FieldSpec("tailnum", "Tail number", FieldType.TEXT, unique=True),
                 FieldSpec("seats", "Seats", FieldType.INTEGER)]  # fmt: skip
        made = collections.create(name="Flüge & Co", fields=specs, by=ada, at=NOW)
        assert (made.key, made.title_key) == ("fluge-co", "tailnum")
        assert [spec.key for spec in made.specs()] == ["tailnum", "seats"]
        assert collections.create(name="Fluge co", by=ada, at=NOW).key == "fluge-co-2"

    def test_go_to_the_bin_with_their_records_and_come_back(self, design: Design, ada: User) -> None:
        collection = design(name="text")
        add(collection, {"name": "x"})
        collections.move_to_bin(collection=collection, by=ada, at=NOW)
        assert not of_collection(collection, ada, at=NOW).permissions
        collections.restore(collection=collection, by=ada, at=NOW)
        assert collection.record_count() == 1

    @pytest.mark.parametrize("name", ["", "   ", "x" * 101])
    def test_need_a_name(self, ada: User, name: str) -> None:
        with pytest.raises(CannotDesign):
            collections.create(name=name, by=ada, at=NOW)


class TestFields:
    def test_get_keys_of_their_own_and_raise_the_design(self, design: Design, ada: User) -> None:
        collection = design(name="text")
        made = fields.add(collection=collection, name="Seats", type=FieldType.INTEGER, by=ada, at=NOW)
        assert made.key.startswith("f_")
        assert Collection.objects.get(pk=collection.pk).design == 2
        fields.reorder(collection=collection, keys=[made.key], by=ada, at=NOW)
        assert [spec.key for spec in collection.specs()] == [made.key, "name"]

    @pytest.mark.parametrize(
        "said",
        [
            {"name": "NAME", "type": FieldType.TEXT},
            {"name": " ", "type": FieldType.TEXT},
            {"name": "x", "type": FieldType.CHOICE},
            {"name": "x", "type": FieldType.RECORD},
            {"name": "x", "type": FieldType.YES_NO, "unique": True},
            {"name": "x", "type": FieldType.CHOICE, "choices": [Choice("a", "A"), Choice("a", "B")]},
        ],
    )
    def test_are_refused_in_words(self, design: Design, ada: User, said: dict[str, Any]) -> None:
        collection = design(name="text")
        with pytest.raises(CannotDesign):
            fields.add(collection=collection, by=ada, at=NOW, **said)

    def test_leave_and_come_back_with_their_values(self, design: Design, ada: User) -> None:
        collection = design(name="text", seats="integer")
        add(collection, {"name": "x", "seats": 5})
        seats = field_of(collection, "seats")
        fields.remove(field=seats, by=ada, at=NOW)
        assert "seats" not in of_collection(collection, ada, at=NOW).columns
        fields.bring_back(field=seats, by=ada, at=NOW)
        assert of_collection(collection, ada, at=NOW).page(TableQuery()).rows[0].values["seats"] == 5


CONVERSIONS: list[tuple[str, Any, str, dict[str, Any], Any]] = [
    ("text", "42", "integer", {}, 42),
    ("text", "many", "integer", {}, None),
    ("integer", 42, "text", {}, "42"),
    ("decimal", 42.5, "integer", {}, None),
    ("text", "yes", "yes_no", {}, True),
    ("yes_no", True, "text", {}, "Yes"),
    ("datetime", "2026-03-01T10:00:00.000000Z", "date", {}, "2026-03-01"),
    ("text", "New", "choice", {"choices": (Choice("n", "New"),)}, "n"),
    ("choice", "n", "text", {}, "New"),
    ("choice", "n", "choices", {"choices": (Choice("n", "New"),)}, ["n"]),
    ("choices", ["n", "o"], "choice", {"choices": (Choice("n", "New"),)}, None),
    ("long_text", "two\nlines", "text", {}, "two lines"),
    ("text", "no address", "email", {}, None),
]


class TestChangingAField:
    @pytest.mark.parametrize(("old", "kept", "new", "more", "after"), CONVERSIONS)
    def test_says_first_what_it_does_and_then_does_it(
        self, design: Design, ada: User, old: str, kept: Any, new: str, more: dict[str, Any], after: Any
    ) -> None:
        choices = [{"code": "n", "label": "New"}, {"code": "o", "label": "Old"}]
        collection = design(name="text", it={"type": old, "choices": choices if "choice" in old else []})
        row = add(collection, {"name": "x", "it": kept}, {"name": "y"})[0]
        changed = spec_of(collection, "it", **{"type": FieldType(new), "choices": (), **more})
        told = fields.preview_change(field=field_of(collection, "it"), new=changed)
        assert (told.total, told.emptied) == (1, int(after is None))
        assert bool(told.sentences) is (told.emptied + told.converted > 0)
        fields.change(field=field_of(collection, "it"), new=changed, by=ada, at=NOW)
        row.refresh_from_db()
        assert row.values == ({"name": "x"} if after is None else {"name": "x", "it": after})

    def test_counts_what_would_be_lost(self, design: Design) -> None:
        collection = design(name="text")
        add(
            collection, *({"name": str(number)} for number in range(1200)), *({"name": "x"} for _ in range(3))
        )
        told = fields.preview_change(
            field=field_of(collection, "name"), new=spec_of(collection, "name", type=FieldType.INTEGER)
        )
        assert told.sentences[0] == "3 of 1,203 values are not whole numbers and would be emptied."

    def test_to_unique_is_refused_while_values_repeat(self, design: Design, ada: User) -> None:
        collection = design(name="text")
        add(collection, {"name": "a"}, {"name": "A"}, {"name": "b"})
        new = spec_of(collection, "name", unique=True)
        with pytest.raises(CannotDesign, match="1 values are used"):
            fields.change(field=field_of(collection, "name"), new=new, by=ada, at=NOW)
        Record.objects.filter(values={"name": "A"}).update(deleted_at=NOW)
        fields.change(field=field_of(collection, "name"), new=new, by=ada, at=NOW)
        with pytest.raises(Taken):
            records.create(collection=collection, values={"name": "B"}, by=ada, at=NOW)
        off = spec_of(collection, "name", unique=False)
        fields.change(field=field_of(collection, "name"), new=off, by=ada, at=NOW)
        records.create(collection=collection, values={"name": "B"}, by=ada, at=NOW)

    def test_converts_many_values_by_a_job(self, inside: Organisation, design: Design, ada: User) -> None:
        collection = design(name="text", seats="text")
        load(collection, ({"name": "x", "seats": str(number)} for number in range(2100)))
        new = spec_of(collection, "seats", type=FieldType.INTEGER)
        done = fields.change(field=field_of(collection, "seats"), new=new, by=ada, at=NOW)
        run_due(inside)
        assert Job.objects.get(pk=str(done.job)).state == JobState.SUCCEEDED
        assert not Record.objects.filter(values__seats="7").exists()
        assert Record.objects.filter(values__seats=2099).count() == 1


def load(collection: Collection, rows: Any) -> int:
    return loading.copy_in(
        collection=collection, rows=(dumps(row) for row in rows), import_id=None, by=None, at=NOW
    )


class TestLoading:
    def test_copies_what_is_hard_to_copy(self, design: Design, ada: User) -> None:
        collection, hard = design(name="text"), 'tab\there "q" \\N \\. back\\slash\nline 🎵'
        number = UUID(int=7)
        count = loading.copy_in(
            collection=collection, rows=[dumps({"name": hard})], import_id=number, by=ada.pk, at=NOW
        )
        row = Record.objects.get(collection=collection)
        assert (count, row.values, row.import_id, row.created_by) == (1, {"name": hard}, number, ada.pk)
        assert collection.record_count() == 1

    def test_refuses_a_taken_value_and_goes_on(self, design: Design) -> None:
        collection = design(name={"type": "text", "unique": True})
        load(collection, [{"name": "a"}])
        name = field_of(collection, "name")
        assert loading.taken(field=name, values=["A", "b"]) == {"A"}
        for rows in ([{"name": "A"}], [{"name": "b"}, {"name": "b"}]):
            with pytest.raises(Taken):
                load(collection, rows)
        assert load(collection, [{"name": "b"}]) == 1
        assert collection.record_count() == 2

    def test_takes_an_import_out_again_in_steps(self, design: Design) -> None:
        collection, number = design(name="text"), UUID(int=7)
        load(collection, [{"name": "stays"}])
        rows = [dumps({"name": str(one)}) for one in range(5)]
        loading.copy_in(collection=collection, rows=rows, import_id=number, by=None, at=NOW)
        steps = [loading.take_out(collection=collection, import_id=number, limit=3) for _ in range(3)]
        assert (steps, collection.record_count()) == ([3, 2, 0], 1)


class TestManyRecords:
    def test_change_together_and_are_taken_back_together(self, design: Design, ada: User) -> None:
        collection = design(name="text", seats="integer", note="text")
        add(collection, *({"name": str(number), "seats": number, "note": "x"} for number in range(9)))
        table = of_collection(collection, ada, at=NOW)
        which = Which(query=TableQuery(filters=(Filter("seats", Op.OVER, ("4",)),)))
        done = bulk.change(table=table, which=which, values={"seats": "1", "note": ""}, by=ada, at=NOW)
        assert (done.count, done.sentence) == (4, "4 records changed")
        assert Record.objects.filter(values__seats=1).exclude(values__has_key="note").count() == 4
        undo.undo(token=done.undo, by=ada, at=NOW)
        kept = {row.values["seats"] for row in Record.objects.all() if row.values["note"] == "x"}
        assert kept == set(range(9))

    def test_refuse_what_one_record_would_refuse(self, design: Design, ada: User) -> None:
        collection = design(name={"type": "text", "unique": True}, seats="integer")
        rows = add(collection, {"name": "a"})
        which = Which(ids=[row.pk for row in rows])
        table = of_collection(collection, ada, at=NOW)
        for values, refusal in (({"seats": "x"}, Invalid), ({"name": "b"}, CannotDesign)):
            with pytest.raises(refusal):
                bulk.change(table=table, which=which, values=values, by=ada, at=NOW)

    @pytest.mark.parametrize("verb", ["change", "bin"])
    def test_of_more_than_a_thousand_are_a_job(
        self,
        inside: Organisation,
        design: Design,
        ada: User,
        verb: str,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        collection = design(name="text", seats="integer")
        load(collection, ({"name": str(number), "seats": number % 2} for number in range(2500)))
        table = of_collection(collection, ada, at=NOW)
        which = Which(query=TableQuery(filters=(Filter("seats", Op.IS, ("1",)),)))
        if verb == "change":
            done = bulk.change(table=table, which=which, values={"seats": "5"}, by=ada, at=NOW)
        else:
            done = bulk.move_to_bin(table=table, which=which, by=ada, at=NOW)
        run_due(inside)
        job = Job.objects.get(pk=str(done.job))
        assert (job.state, job.result["records"]) == (JobState.SUCCEEDED, 1250)
        assert Record.objects.live().filter(values__seats=1).count() == 0
        if verb == "change":
            monkeypatch.setattr(undo, "STEPS_AT_ONCE", 1)
        undo.undo(token=job.result["undo"]["token"], by=ada, at=NOW)
        run_due(inside)
        assert Record.objects.live().filter(values__seats=1).count() == 1250


class TestSavedViews:
    def test_keep_what_a_list_shows(self, design: Design, ada: User) -> None:
        collection = design(name="text", seats="integer")
        table = of_collection(collection, ada, at=NOW)
        query = TableQuery(
            search="b", filters=(Filter("seats", Op.BETWEEN, ("1", "5")),), sort=Sort("seats", True),
            columns=("seats",),
        )  # fmt: skip
        view = views.save(table=table, collection=collection, name="Big", query=query, by=ada, at=NOW)
        assert views.query_of(view, table) == query
        with pytest.raises(CannotDesign):
            views.save(table=table, collection=collection, name="big", query=query, by=ada, at=NOW)

    def test_leave_out_what_is_gone(self, design: Design, ada: User) -> None:
        collection = design(name="text", seats="integer")
        table = of_collection(collection, ada, at=NOW)
        query = TableQuery(filters=(Filter("seats", Op.OVER, ("1",)),), sort=Sort("seats"))
        view = views.save(table=table, collection=collection, name="Big", query=query, by=ada, at=NOW)
        fields.remove(field=field_of(collection, "seats"), by=ada, at=NOW)
        assert views.query_of(view, of_collection(collection, ada, at=NOW)) == TableQuery()


class TestWantedIndexes:
    def test_follow_the_rule_and_what_people_ask_for(
        self, inside: Organisation, design: Design, ada: User
    ) -> None:
        collection = design(name="text", seats="integer", day="date", note="text")
        load(collection, ({"name": "x"} for _ in range(5000)))
        new = spec_of(collection, "seats")
        fields.change(field=field_of(collection, "seats"), new=new, indexed=True, by=ada, at=NOW)
        states = IndexState.objects.filter(collection=collection)
        assert {(state.kind, state.field_key) for state in states} == {
            ("search", ""), ("order", "name"), ("order", "day"), ("order", "seats"),
        }  # fmt: skip
        assert Job.objects.filter(kind="records.index", queue="owner").count() == 1
        assert of_collection(collection, ada, at=NOW).columns["day"].status == "preparing"
        fields.remove(field=field_of(collection, "day"), by=ada, at=NOW)
        assert states.get(field_key="day").status == "unwanted"
