"""Files come in any order: what was text becomes a link once there is something to link to."""

from datetime import UTC

import pytest

from accounts.identity.models import User
from jobs.testing import run_due
from permissions import perms
from records.actions import fields
from records.actions.refusals import CannotDesign
from records.imports import actions
from records.models import Collection, Record, RecordUserGrant
from records.values import FieldSpec, FieldType
from records.views.import_forms import Column
from tenants.models import Organisation
from tests.imports.conftest import NOW, Bring, design_of, flights_data, flights_head
from tests.records.conftest import Design, add
from tests.records.test_record_policies import grant

PLANES = b"tailnum,seats\nN1,100\nN2,120\nN3,9\n"


@pytest.fixture
def flown(design: Design) -> Collection:
    """Flights from before there were planes."""
    made = design("Flights", title="number", number="integer", tailnum="text")
    add(made, *({"number": n, "tailnum": f"N{n % 4 + 1}"} for n in range(8)))
    return made


def linked(field: str, to: Collection) -> FieldSpec:
    options = {"collection": str(to.pk), "collection_name": to.name}
    return FieldSpec(field, field.title(), FieldType.RECORD, options=options)


def names(collection: Collection, field: str) -> list[str | None]:
    """Return what the linked records of a field are called."""
    called = {str(one.pk): one.values["tailnum"] for one in Record.objects.exclude(collection=collection)}
    rows = Record.objects.filter(collection=collection).order_by("pk")
    return [called.get(one.values.get(field, "")) for one in rows]


class TestSuggestion:
    def test_names_the_fields_elsewhere_that_could_lead_here(self, bring: Bring, flown: Collection) -> None:
        row = bring(PLANES, "planes.csv")
        told = {"collection": str(flown.pk), "field": "tailnum", "matched": 3, "of": 4}
        assert row.report["links"] == [told]

    def test_says_nothing_of_what_does_not_match(self, bring: Bring, design: Design) -> None:
        other = design("Flights", tailnum="text", gate="text")
        add(other, *({"tailnum": f"X{n}", "gate": f"N{n % 2 + 1}"} for n in range(8)))
        assert bring(PLANES, "planes.csv").report["links"] == []

    def test_is_for_those_who_design_the_other(self, bring: Bring, flown: Collection, ben: User) -> None:
        planes = bring(PLANES, "planes.csv").collection
        assert planes is not None
        row = bring(b"tailnum,seats\nN4,7\n", "more.csv", into=planes, by=ben)
        assert (row.imported, row.report["links"]) == (1, [])

    def test_the_files_of_new_york_find_each_other_backwards(self, bring: Bring) -> None:
        flights = bring(flights_head(600), "flights.csv").collection
        assert flights is not None
        found = {
            one["field"]
            for name in ("planes", "airports", "airlines")
            for one in bring(flights_data(f"{name}.csv"), f"{name}.csv").report["links"]
            if one["collection"] == str(flights.pk)
        }
        assert found == {"tailnum", "origin", "dest", "carrier"}


class TestConversion:
    def test_is_told_first_and_then_done(self, bring: Bring, flown: Collection, ada: User) -> None:
        planes = bring(PLANES, "planes.csv").collection
        assert planes is not None
        field, new = flown.fields.get(key="tailnum"), linked("tailnum", planes)
        told = fields.preview_change(field=field, new=new, by=ada)
        assert (told.total, told.converted, told.emptied) == (8, 6, 2)
        assert told.sentences == (
            "2 of 8 values match nothing in Planes and would be emptied.",
            "6 of 8 values would become links to Planes.",
        )
        fields.change(field=field, new=new, by=ada, at=NOW)
        assert names(flown, "tailnum") == ["N1", "N2", "N3", None] * 2

    def test_of_many_is_a_job_that_may_do_a_record_twice(
        self,
        bring: Bring,
        flown: Collection,
        inside: Organisation,
        ada: User,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        planes = bring(PLANES, "planes.csv").collection
        assert planes is not None
        monkeypatch.setattr("records.actions.converting.CONVERTED_AT_ONCE", 5)
        field, new = flown.fields.get(key="tailnum"), linked("tailnum", planes)
        old = field.spec()
        assert fields.change(field=field, new=new, by=ada, at=NOW).job is not None
        for _ in range(2):
            field.refresh_from_db()
            fields.convert_some(field, old, after=None, limit=4, by=ada.pk, at=NOW, zone=UTC)
        run_due(inside)
        assert names(flown, "tailnum") == ["N1", "N2", "N3", None] * 2

    def test_links_only_to_what_the_person_sees(
        self, bring: Bring, flown: Collection, cy: User, ada: User
    ) -> None:
        planes = bring(PLANES, "planes.csv").collection
        assert planes is not None
        grant(RecordUserGrant, cy, perms.RECORDS_VIEW, planes.records.get(values__tailnum="N2"))
        field = flown.fields.get(key="tailnum")
        told = fields.preview_change(field=field, new=linked("tailnum", planes), by=cy)
        assert told.converted == 2

    def test_loses_nothing_when_the_person_sees_the_other_collection_no_more(
        self, bring: Bring, flown: Collection, ada: User
    ) -> None:
        planes = bring(PLANES, "planes.csv").collection
        assert planes is not None
        field, old = flown.fields.get(key="tailnum"), flown.fields.get(key="tailnum").spec()
        fields.change(field=field, new=linked("tailnum", planes), by=ada, at=NOW)
        Collection.objects.filter(pk=planes.pk).update(deleted_at=NOW)
        before = [one.values for one in flown.records.order_by("pk")]
        with pytest.raises(CannotDesign):
            fields.convert_some(field, old, after=None, limit=9, by=ada.pk, at=NOW, zone=UTC)
        assert [one.values for one in flown.records.order_by("pk")] == before


class TestTitle:
    @pytest.mark.parametrize(
        ("data", "name", "title"),
        [
            (b"faa,name\nEWR,Newark\nJFK,Kennedy\n", "airports.csv", "name"),
            (b"tailnum,maker\nN1,Airbus\nN2,Boeing\n", "planes.csv", "tailnum"),
            (b"year,flight,tailnum\n2013,1545,N1\n2013,11,N2\n", "flights.csv.zip", "flight"),
            (b"temp,wind\n1,2\n3,4\n", "weather.csv", ""),
        ],
    )
    def test_is_what_people_would_call_a_record(
        self, bring: Bring, data: bytes, name: str, title: str
    ) -> None:
        row = bring(data, name.removesuffix(".zip"))
        assert row.collection is not None
        assert row.collection.title_key == title

    def test_is_chosen_by_the_person(self, bring: Bring, inside: Organisation, ada: User) -> None:
        row = bring(b"faa,name\nEWR,Newark\nJFK,Kennedy\n", "airports.csv", upto="read")
        form = design_of(row, data={"title": "c0"})
        assert form.named_by() == "faa"

    def test_is_a_column_of_text_or_numbers_that_is_taken(self, bring: Bring) -> None:
        row = bring(b"faa,opened\nEWR,2020-01-01\nJFK,2021-01-01\n", "airports.csv", upto="read")
        with pytest.raises(AssertionError, match="text or of whole numbers"):
            design_of(row, data={"title": "c1"})


@pytest.mark.parametrize(
    ("example", "local"),
    [("2026-05-01T10:00:00Z", False), ("2026-05-01 10:00+02:00", False), ("2026-05-01 10:00", True)],
)
def test_times_without_a_zone_are_said_to_be_local(bring: Bring, example: str, local: bool) -> None:
    row = bring(f"at\n{example}\n{example}\n".encode(), upto="read")
    assert Column.of(row.proposal["fields"][0]).is_local is local


def test_a_column_of_very_many_values_has_examples_too(bring: Bring, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("records.importing.survey.REMEMBERED", 5)
    row = bring(b"n\n" + b"".join(b"%d\n" % n for n in range(20)), upto="read")
    assert len(row.proposal["fields"][0]["examples"]) == 3
    assert actions.same_file(row) is None
