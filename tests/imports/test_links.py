"""Columns that link to records and people: only to what the importing person sees."""

import pytest

from accounts.identity.models import User
from jobs.testing import run_due
from permissions import perms
from permissions.holder import load
from records.imports import actions
from records.imports.designs import ColumnChoice
from records.imports.targets import LinkFinder, people, targets_for
from records.models import Collection, Field, Import, Record, RecordUserGrant
from records.values import FieldSpec, FieldType
from tenants.context import Actor, enter
from tenants.models import Organisation
from tests.imports.conftest import NOW, Bring, choose, design_of, flights_data, flights_head, values_of
from tests.records.conftest import Design, add
from tests.records.test_record_policies import grant

FLIGHTS = b"number,tailnum\n1,N1\n2,N2\n3,N3\n4,N9\n"


@pytest.fixture
def planes(design: Design) -> Collection:
    made = design("Planes", title="tailnum", tailnum={"type": "text", "unique": True}, seats="integer")
    add(made, {"tailnum": "N1", "seats": 1}, {"tailnum": "N2", "seats": 2}, {"tailnum": "N3", "seats": 3})
    return made


@pytest.fixture
def flown(design: Design, planes: Collection) -> Collection:
    link = {"type": "record", "options": {"collection": str(planes.pk)}}
    return design("Flights", title="number", number="integer", tailnum=link)


def finder(planes: Collection, who: User, match: str = "tailnum") -> LinkFinder:
    spec = FieldSpec("plane", "Plane", FieldType.RECORD, options={"collection": str(planes.pk)})
    return LinkFinder(load(who, at=NOW), [ColumnChoice("tailnum", spec, match=match)])


class TestRecords:
    def test_are_found_by_what_names_them(self, planes: Collection, ada: User) -> None:
        found = finder(planes, ada)("plane", {"N1", "N3", "N7"})
        names = {str(one.pk): one.values["tailnum"] for one in Record.objects.all()}
        assert {text: names[pk] for text, pk in found.items()} == {"N1": "N1", "N3": "N3"}

    def test_are_found_by_a_field_that_is_not_unique_if_only_one_has_it(
        self, design: Design, ada: User
    ) -> None:
        plain = design("Planes", title="tailnum", tailnum="text")
        add(plain, {"tailnum": "N1"}, {"tailnum": "N2"}, {"tailnum": "N2"})
        assert set(finder(plain, ada)("plane", {"N1", "N2"})) == {"N1"}

    def test_in_a_collection_the_person_does_not_see_are_not_found(
        self, planes: Collection, cy: User
    ) -> None:
        assert finder(planes, cy)("plane", {"N1"}) == {}
        assert targets_for(load(cy, at=NOW)) == []

    @pytest.mark.parametrize("unique", [True, False])
    def test_that_are_not_shared_with_the_person_are_not_found(
        self, planes: Collection, cy: User, unique: bool
    ) -> None:
        planes.fields.filter(key="tailnum").update(unique=unique)
        grant(RecordUserGrant, cy, perms.RECORDS_VIEW, Record.objects.get(values__tailnum="N2"))
        assert set(finder(planes, cy)("plane", {"N1", "N2"})) == {"N2"}

    def test_of_another_organisation_are_not_found(self, pulse: Organisation, other: Organisation) -> None:
        with enter(pulse, actor=Actor.system("test")):
            planes = Collection.objects.create(name="Planes", key="planes", title_key="tailnum")
            Field.objects.create(collection=planes, key="tailnum", name="Tailnum", type="text")
            add(planes, {"tailnum": "N1"})
            ada = User.objects.get(email="ada@pulse.example")
            assert set(finder(planes, ada)("plane", {"N1"})) == {"N1"}
        with enter(other, actor=Actor.system("test")):
            eve = User.objects.get(email="eve@other.example")
            assert finder(planes, eve)("plane", {"N1"}) == {}

    def test_in_the_bin_are_not_found(self, planes: Collection, ada: User) -> None:
        Record.objects.filter(values__tailnum="N1").update(deleted_at=NOW)
        assert finder(planes, ada)("plane", {"N1"}) == {}

    def test_by_a_sensitive_field_are_not_found_without_the_right(
        self, planes: Collection, ben: User
    ) -> None:
        planes.fields.filter(key="tailnum").update(sensitive=True)
        assert finder(planes, ben)("plane", {"N1"}) == {}


class TestPeople:
    def test_are_found_by_address_and_name(self, ada: User, ben: User) -> None:
        found = people(["BEN@pulse.example", "ada okafor", "Nobody"], load(ada, at=NOW))
        assert found == {"BEN@pulse.example": str(ben.pk), "ada okafor": str(ada.pk)}

    def test_are_not_found_by_a_guest(self, ada: User, cy: User) -> None:
        assert people(["ada@pulse.example"], load(cy, at=NOW)) == {}


class TestImport:
    def test_a_link_is_proposed_and_followed(self, bring: Bring, planes: Collection) -> None:
        row = bring(FLIGHTS, "flights.csv", upto="read")
        link = row.proposal["fields"][1]["link"]
        assert (link["name"], link["matched"], link["unmatched"]) == ("Planes", 3, 1)
        assert design_of(row).choices()[1].match == "tailnum"

    def test_links_that_lead_nowhere_are_left_empty_and_counted(
        self, bring: Bring, planes: Collection
    ) -> None:
        row = bring(FLIGHTS, "flights.csv", upto="checked")
        assert (row.good, row.refused, row.missing) == (4, 0, 1)

    def test_or_refuse_their_row(
        self, bring: Bring, flown: Collection, inside: Organisation, ada: User
    ) -> None:
        row = bring(FLIGHTS, into=flown, upto="read")
        choose(row, ada, on_missing="refuse")
        run_due(inside)
        row.refresh_from_db()
        assert (row.state, row.good, row.refused) == ("checked", 3, 1)

    def test_a_linked_record_that_went_meanwhile_asks_for_another_check(
        self, bring: Bring, flown: Collection, inside: Organisation, ada: User
    ) -> None:
        row = bring(FLIGHTS, into=flown, upto="checked")
        actions.apply(row=row, by=ada, at=NOW)
        Record.objects.filter(values__tailnum="N1").update(deleted_at=NOW)
        run_due(inside)
        row.refresh_from_db()
        assert (row.state, row.stamp) == ("checked", "")
        assert not Record.objects.filter(import_id=row.pk).exists()

    def test_collections_that_are_taken_away_take_their_links_along(
        self, bring: Bring, planes: Collection, flown: Collection, inside: Organisation, ben: User
    ) -> None:
        row = bring(FLIGHTS, into=flown, by=ben, upto="checked")
        actions.apply(row=row, by=ben, at=NOW)
        Collection.objects.filter(pk=planes.pk).update(deleted_at=NOW)
        run_due(inside)
        row.refresh_from_db()
        assert row.state == "checked"


class TestFlights:
    @pytest.mark.nightly
    def test_the_whole_year_comes_in(self, bring: Bring) -> None:
        bring(flights_data("planes.csv"), "planes.csv")
        row = bring(flights_data("flights.csv.zip"), "flights.csv.zip")
        assert (row.state, row.imported, row.refused, row.missing) == ("done", 336_776, 0, 50_094)

    def test_the_four_files_of_new_york_link_to_each_other(self, bring: Bring) -> None:
        airports = bring(flights_data("airports.csv"), "airports.csv")
        planes = bring(flights_data("planes.csv"), "planes.csv")
        weather = bring(b"\n".join(flights_data("weather.csv").split(b"\n")[:300]), "weather.csv")
        flights = bring(flights_head(600), "flights.csv")
        assert [one.state for one in (airports, planes, weather, flights)] == ["done"] * 4
        linked = {kept["field"]["key"]: kept["linked"] for kept in flights.mapping if kept["linked"]}
        assert linked == {"tailnum": "Planes", "origin": "Airports", "dest": "Airports"}
        tails = {str(one.pk): one.values["tailnum"] for one in Record.objects.filter(import_id=planes.pk)}
        shown = [tails.get(str(pk), "") for pk in values_of(flights, "tailnum")]
        assert shown[:3] == ["N14228", "N24211", "N619AA"]
        assert Import.objects.filter(state="done").count() == 4
