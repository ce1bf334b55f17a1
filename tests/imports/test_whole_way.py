"""A file from its upload to its records, and out again."""

import pytest
from django.test import override_settings

from accounts.identity.models import User
from audit.models import Event
from jobs.models import Job
from jobs.testing import run_due
from permissions import perms
from permissions.models import Membership, Role
from records.actions import collections, files, records
from records.imports import actions, store
from records.imports.refusals import MappingRefused, NotAllowedAnyMore, NotNow, SameFile, UploadRefused
from records.imports.store import Spool
from records.models import Collection, Import, Record, RecordFile, RecordUserGrant, Tally
from records.values import FieldSpec, FieldType
from tenants.models import Organisation
from tests.imports.conftest import NOW, Bring, choose, flights_head, sent, values_of
from tests.records.conftest import Design, add
from tests.records.test_record_policies import grant

PLACES = b"code,name,opened,seats\nA,Arena,2026-05-01,12000\nB,Barn,2025-11-30,90\nC,Cellar,,60\n"
MIXED = (
    b"code,name,opened,seats\nA,Arena,2026-05-01,12000\nB,Barn,yesterday,90\nC,=cmd(),2026-01-02,many\nD\n"
)


@pytest.fixture
def places(ada: User, inside: Organisation) -> Collection:
    return collections.create(
        name="Places",
        by=ada,
        at=NOW,
        fields=[
            FieldSpec("code", "Code", FieldType.TEXT, required=True, unique=True),
            FieldSpec("name", "Name", FieldType.TEXT),
            FieldSpec("opened", "Opened", FieldType.DATE),
            FieldSpec("seats", "Seats", FieldType.INTEGER),
        ],
    )


@pytest.fixture
def plans(ada: User, inside: Organisation) -> Collection:
    return collections.create(
        name="Plans",
        by=ada,
        at=NOW,
        fields=[
            FieldSpec("code", "Code", FieldType.TEXT, required=True),
            FieldSpec("plan", "Plan", FieldType.FILE, required=True),
        ],
    )


class TestNewCollection:
    def test_a_file_becomes_a_collection_without_a_design_screen(self, bring: Bring) -> None:
        row = bring(PLACES, "live_places.csv")
        assert (row.state, row.imported, row.refused) == ("done", 3, 0)
        assert row.collection is not None
        assert row.collection.name == "Live places"
        assert row.collection.record_count() == 3
        assert values_of(row, "seats") == [12000, 90, 60]
        assert values_of(row, "opened") == ["2026-05-01", "2025-11-30", None]

    def test_the_upload_and_the_converted_rows_are_gone_afterwards(self, bring: Bring) -> None:
        row = bring(PLACES)
        assert list(store.uploads().iterdir()) == []
        assert list(Spool.of(row.pk, row.stamp).folder.glob("*.rows")) == []

    def test_dropping_the_file_takes_the_empty_collection_away(self, bring: Bring, ada: User) -> None:
        row = bring(PLACES, upto="checked")
        actions.drop(row=row, by=ada, at=NOW)
        assert not Import.objects.exists()
        assert not Collection.objects.live().exists()
        assert list(store.uploads().iterdir()) == []

    def test_real_flights_are_typed_as_they_deserve(self, bring: Bring) -> None:
        row = bring(flights_head(400), "flights.csv")
        assert (row.state, row.imported) == ("done", 400)
        assert row.collection is not None
        types = {spec.key: spec.type for spec in row.collection.specs()}
        assert types["time_hour"] is FieldType.DATETIME
        assert types["dep_delay"] is FieldType.INTEGER
        assert values_of(row, "tailnum")[0] == "N14228"


class TestIntoCollection:
    def test_a_required_file_is_brought_afterwards(self, bring: Bring, plans: Collection) -> None:
        row = bring(b"code\nA\nB\n", into=plans)
        assert (row.state, row.imported, row.refused) == ("done", 2, 0)

    def test_what_is_refused_is_told_before_anything_is_kept(self, bring: Bring, places: Collection) -> None:
        row = bring(MIXED, into=places, upto="checked")
        assert (row.state, row.good, row.refused) == ("checked", 1, 3)
        assert not Record.objects.exists()
        reasons = {(column, rows) for column, _, rows in row.report["reasons"]}
        assert reasons == {("opened", 1), ("seats", 1), ("", 1)}

    def test_the_result_file_has_a_line_for_each_refused_row(self, bring: Bring, places: Collection) -> None:
        row = bring(MIXED, into=places, upto="checked")
        lines = b"".join(Spool.of(row.pk, row.stamp).result()).decode("utf-8-sig").splitlines()
        assert [line.split(",")[0] for line in lines] == ["Row", "3", "4", "5"]

    def test_the_result_file_holds_nothing_that_a_spreadsheet_would_run(
        self, bring: Bring, places: Collection
    ) -> None:
        row = bring(b"code,name,seats\nA,Arena,=1+1\nB,Barn,2\n", into=places, upto="checked")
        assert b",'=1+1," in b"".join(Spool.of(row.pk, row.stamp).result())

    def test_a_value_that_is_taken_meanwhile_is_refused_while_loading(
        self, bring: Bring, places: Collection, inside: Organisation, ada: User
    ) -> None:
        row = bring(PLACES, into=places, upto="checked")
        add(places, {"code": "b", "name": "Somebody was faster"})
        actions.apply(row=row, by=ada, at=NOW)
        run_due(inside)
        row.refresh_from_db()
        assert (row.state, row.imported, row.refused) == ("done", 2, 1)
        assert sorted(values_of(row, "code")) == ["A", "C"]
        assert b"exists already" in b"".join(Spool.of(row.pk, row.stamp).result())

    def test_values_that_differ_in_case_only_count_once(self, bring: Bring, places: Collection) -> None:
        row = bring(b"code,name\nA,One\na,Two\n", into=places, upto="checked")
        assert (row.good, row.refused) == (1, 1)

    def test_a_required_field_needs_a_column(self, bring: Bring, places: Collection, ada: User) -> None:
        row = bring(b"name,seats\nArena,1\n", into=places, upto="read")
        with pytest.raises(MappingRefused, match="Code is required"):
            choose(row, ada)

    def test_a_column_can_become_a_new_field(
        self, bring: Bring, places: Collection, inside: Organisation, ada: User
    ) -> None:
        row = bring(b"code,name,Door time\nA,Arena,19:30\n", into=places, upto="read")
        choose(row, ada, c2="+new")
        assert len(places.fields.all()) == 4
        run_due(inside)
        row.refresh_from_db()
        assert row.state == "done"
        assert values_of(row, "door_time") == ["19:30:00"]

    def test_a_change_of_the_design_asks_for_another_check(
        self, bring: Bring, places: Collection, inside: Organisation, ada: User
    ) -> None:
        row = bring(PLACES, into=places, upto="checked")
        actions.apply(row=row, by=ada, at=NOW)
        Collection.objects.filter(pk=places.pk).update(design=99)
        run_due(inside)
        row.refresh_from_db()
        assert (row.state, row.stamp) == ("checked", "")
        assert not Record.objects.exists()


class TestSameFile:
    def test_is_recognised_and_changes_nothing(self, bring: Bring, places: Collection, ada: User) -> None:
        codes = b"code,name\nA,Arena\n"
        first = bring(codes, into=places)
        second = bring(codes, into=places, upto="read")
        found = actions.same_file(second)
        assert found is not None
        assert found.pk == first.pk

    def test_is_not_loaded_a_second_time_unasked(self, bring: Bring, design: Design, ada: User) -> None:
        plain = design(name="text", seats="integer")
        bring(b"name,seats\nArena,1\n", into=plain)
        row = bring(b"name,seats\nArena,1\n", into=plain, upto="checked")
        with pytest.raises(SameFile):
            actions.apply(row=row, by=ada, at=NOW)
        assert Record.objects.count() == 1

    def test_is_loaded_a_second_time_when_asked(
        self, bring: Bring, design: Design, inside: Organisation, ada: User
    ) -> None:
        plain = design(name="text", seats="integer")
        bring(b"name,seats\nArena,1\n", into=plain)
        row = bring(b"name,seats\nArena,1\n", into=plain, upto="checked")
        actions.allow_again(row=row)
        actions.apply(row=row, by=ada, at=NOW)
        run_due(inside)
        assert Record.objects.count() == 2


class TestUndo:
    def test_takes_every_record_out_again(self, bring: Bring, inside: Organisation, ada: User) -> None:
        row = bring(PLACES)
        actions.undo(row=row, keep_changed=False, by=ada, at=NOW)
        run_due(inside)
        row.refresh_from_db()
        assert (row.state, row.removed, row.kept) == ("undone", 3, 0)
        assert not Record.objects.exists()
        assert sum(Tally.objects.values_list("live", flat=True)) == 0

    def test_takes_files_and_shares_of_the_records_along(
        self, bring: Bring, inside: Organisation, ada: User, cy: User
    ) -> None:
        row = bring(PLACES)
        record, mine = Record.objects.get(values__code="B"), list(Record.objects.values_list("pk", flat=True))
        files.attach(record=record, name="plan.txt", chunks=[b"a plan"], by=ada, at=NOW)
        grant(RecordUserGrant, cy, perms.RECORDS_VIEW, record)
        actions.undo(row=row, keep_changed=False, by=ada, at=NOW)
        run_due(inside)
        row.refresh_from_db()
        assert (row.state, row.removed) == ("undone", 3)
        assert not RecordFile.objects.exists()
        assert not RecordUserGrant.objects.exists()
        removed = Event.objects.filter(code="records.record.removed", object_id__in=mine)
        assert removed.count() == 3

    @pytest.mark.parametrize(("keep", "left"), [(True, 1), (False, 0)])
    def test_what_was_changed_since_stays_by_choice(
        self, bring: Bring, inside: Organisation, ada: User, keep: bool, left: int
    ) -> None:
        row = bring(PLACES)
        record = Record.objects.get(values__code="B")
        records.change(record=record, values={"seats": 100}, expected=record.version, by=ada, at=NOW)
        assert actions.changed_since(row) == 1
        actions.undo(row=row, keep_changed=keep, by=ada, at=NOW)
        run_due(inside)
        row.refresh_from_db()
        assert (row.kept, Record.objects.count()) == (left, left)

    def test_lets_the_same_file_come_again(self, bring: Bring, inside: Organisation, ada: User) -> None:
        first = bring(PLACES)
        actions.undo(row=first, keep_changed=False, by=ada, at=NOW)
        run_due(inside)
        assert actions.same_file(bring(PLACES, upto="read")) is None


class TestBadFiles:
    @pytest.mark.parametrize(
        ("data", "code"),
        [
            (b"name,x\nA\0B,1\n", "nul"),
            (b"name,x\nM\xfcller,1\n", "encoding"),
            (b"1,2\n3,4\n5,6\n", "no-header"),
            (b"name,name\nA,B\n", "header-duplicate"),
            (b"%PDF-1.7 something", "not-a-table"),
            (b"PK\x03\x04 broken", "zip-damaged"),
            (b"name,x\n" + b"a" * 1_100_000 + b",1\n", "cell-too-large"),
        ],
    )
    def test_get_a_report_and_change_nothing(self, bring: Bring, data: bytes, code: str) -> None:
        row = bring(data)
        assert (row.state, row.report["code"]) == ("refused", code)
        assert row.error
        assert not Collection.objects.exists()
        assert len(list(store.uploads().iterdir())) == (1 if code == "encoding" else 0)

    def test_text_of_windows_is_read_when_the_person_says_so(
        self, bring: Bring, inside: Organisation, ada: User
    ) -> None:
        row = bring("name,x\nMüller,1\n".encode("cp1252"))
        actions.read_as(row=row, encoding="cp1252", by=ada)
        run_due(inside)
        row.refresh_from_db()
        assert row.state == "proposed"
        assert row.proposal["examples"][0][0] == "Müller"

    def test_a_file_beyond_the_limit_is_refused(self, inside: Organisation, ada: User) -> None:
        with override_settings(UPLOAD_LIMIT=10), pytest.raises(UploadRefused):
            actions.begin(upload=sent(PLACES), name="a.csv", collection=None, by=ada, at=NOW)
        assert not Import.objects.exists()


class TestRights:
    def test_a_guest_may_not_begin(self, inside: Organisation, places: Collection, cy: User) -> None:
        with pytest.raises(NotAllowedAnyMore):
            actions.begin(upload=sent(PLACES), name="a.csv", collection=places, by=cy, at=NOW)

    def test_a_member_may_fill_but_not_make_a_collection(
        self, bring: Bring, inside: Organisation, places: Collection, ben: User
    ) -> None:
        assert bring(PLACES, into=places, by=ben).imported == 3
        with pytest.raises(NotAllowedAnyMore):
            actions.begin(upload=sent(PLACES), name="a.csv", collection=None, by=ben, at=NOW)

    def test_rights_that_are_gone_when_the_job_begins_stop_it(
        self, bring: Bring, inside: Organisation, places: Collection, ben: User
    ) -> None:
        row = bring(PLACES, into=places, by=ben, upto="checked")
        actions.apply(row=row, by=ben, at=NOW)
        User.objects.filter(pk=ben.pk).update(is_active=False)
        run_due(inside)
        row.refresh_from_db()
        assert row.job is not None
        assert (row.job.state, row.imported, Record.objects.count()) == ("failed", 0, 0)

    def test_a_role_that_was_lowered_meanwhile_stops_it_too(
        self, bring: Bring, inside: Organisation, places: Collection, ada: User, ben: User
    ) -> None:
        row = bring(PLACES, into=places, by=ben, upto="checked")
        actions.apply(row=row, by=ben, at=NOW)
        Membership.writer.filter(user=ben).update(role=Role.objects.get(code="guest"))
        run_due(inside)
        row.refresh_from_db()
        assert row.job is not None
        assert (row.job.state, Record.objects.count()) == ("failed", 0)

    def test_a_sensitive_field_is_not_filled_without_the_right(
        self, bring: Bring, places: Collection, ben: User
    ) -> None:
        places.fields.filter(key="seats").update(sensitive=True)
        row = bring(PLACES, into=places, by=ben, upto="read")
        with pytest.raises(NotAllowedAnyMore):
            choose(row, ben)

    def test_an_import_under_way_cannot_be_begun_again(self, bring: Bring, ada: User) -> None:
        row = bring(PLACES)
        with pytest.raises(NotNow):
            actions.apply(row=row, by=ada, at=NOW)
        assert Job.objects.filter(kind="records.import").count() == 1
