"""Rooms through the same screens, what guests see, links between records, home."""

import pytest
from django.test import Client
from django.utils import timezone

from records import rooms
from records.actions import collections, fields
from records.models import Collection, Record
from records.rooms.examples import make
from records.values import FieldType
from tenants.context import enter
from tenants.models import Organisation
from tests.people import SETTING_UP
from tests.records_screens.conftest import LIST, Find, Share, add
from tests.records_screens.test_list import HTMX, names, queries, text
from tests.records_screens.test_record import hidden_of, page_of

ROOM = "/rooms/speaker/"


@pytest.fixture
def speaker(pulse: Organisation) -> str:
    """The address of a row of the room."""
    with enter(pulse, actor=SETTING_UP):
        return f"{ROOM}r/{make(rooms.get('speaker'), marker='Thunder').pk}/"


class TestRoom:
    def test_has_a_list_and_pages_of_its_rows(self, ben: Client, speaker: str) -> None:
        assert names(ben.get(ROOM).content.decode())[0].startswith("Thunder")
        assert "Serial" in text(ben.get(speaker).content.decode())

    def test_is_edited_in_place(self, ben: Client, speaker: str) -> None:
        address = f"{speaker}edit/watts/"
        begun = hidden_of(ben.get(address, headers=HTMX).content.decode())
        answer = ben.post(address, {**begun, "watts": "900"}, headers={**HTMX, "HX-Target": "cell"})
        assert answer.content.decode() == "900"

    def test_shows_the_second_both_versions(self, ada: Client, ben: Client, speaker: str) -> None:
        address = f"{speaker}edit/watts/"
        begun = hidden_of(ben.get(address, headers=HTMX).content.decode())
        ada.post(address, {**begun, "watts": "900"}, headers=HTMX)
        answer = ben.post(address, {**begun, "watts": "901"}, headers=HTMX)
        assert answer.status_code == 409
        assert "900" in answer.content.decode()

    def test_adds_a_row_and_deletes_it_after_asking(self, ben: Client, speaker: str) -> None:
        made = ben.post(f"{ROOM}new/", {"name": "Whisper", "serial": "W1", "state": "ok"})["Location"]
        assert "Delete Whisper for good" in text(ben.post(f"{made}bin/").content.decode())
        ben.post(f"{made}bin/", {"sure": "1"})
        assert ben.get(made).status_code == 404


class TestGuest:
    def test_sees_only_the_records_that_are_shared(self, cy: Client, gig: Find, share: Share) -> None:
        share(gig("Cellar"), "cy@pulse.example", "records.view")
        page = cy.get(LIST).content.decode()
        assert names(page) == ["Cellar"]
        assert "data-edit" not in page
        assert cy.get(page_of(gig("Harbour"))).status_code == 404

    def test_changes_only_what_they_may(self, cy: Client, gig: Find, share: Share) -> None:
        share(gig("Cellar"), "cy@pulse.example", "records.view")
        share(gig("Harbour"), "cy@pulse.example", "records.change")
        assert cy.get(f"{page_of(gig('Harbour'))}edit/f_seats/").status_code == 200
        assert cy.get(f"{page_of(gig('Cellar'))}edit/f_seats/").status_code == 403

    def test_finds_what_is_shared_at_home_without_counts(self, cy: Client, gig: Find, share: Share) -> None:
        assert "Nothing is shared with you yet" in text(cy.get("/").content.decode())
        share(gig("Cellar"), "cy@pulse.example", "records.view")
        page = text(cy.get("/").content.decode())
        assert "Shared with you" in page
        assert "Gigs" in page


class TestLinks:
    @pytest.fixture
    def bands(self, pulse: Organisation, gigs: Collection) -> Collection:
        """Bands that play at gigs."""
        with enter(pulse, actor=SETTING_UP):
            made = collections.create(name="Bands", by=None, at=timezone.now())
            fields.add(
                collection=made, name="Name", key="f_band", type=FieldType.TEXT, by=None, at=timezone.now()
            )
            fields.add(
                collection=made,
                name="Plays at",
                key="f_at",
                type=FieldType.RECORD,
                options={"collection": str(gigs.pk)},
                by=None,
                at=timezone.now(),
            )
            Collection.objects.filter(pk=made.pk).update(title_key="f_band")
            at = Record.objects.get(collection=gigs, values__f_name="Cellar")
            add(made, {"f_band": "The Drums", "f_at": str(at.pk)})
        return made

    def test_lead_to_the_target_and_back(self, ben: Client, bands: Collection, gig: Find) -> None:
        page = ben.get("/c/bands/").content.decode()
        assert f'href="{page_of(gig("Cellar"))}"' in page
        back = text(ben.get(page_of(gig("Cellar"))).content.decode())
        assert "Bands: Plays at The Drums" in back

    def test_cost_as_many_queries_for_fifty_as_for_two(
        self, ada: Client, pulse: Organisation, bands: Collection, gigs: Collection
    ) -> None:
        few = queries(ada, pulse, "/c/bands/")
        with enter(pulse, actor=SETTING_UP):
            ids = [str(row.pk) for row in Record.objects.filter(collection=gigs)]
            add(bands, *({"f_band": f"Band {number}", "f_at": ids[number % 3]} for number in range(50)))
        assert queries(ada, pulse, "/c/bands/") == few

    def test_are_chosen_by_search(self, ben: Client, bands: Collection) -> None:
        page = ben.get("/c/bands/find/f_at/", {"find": "cel"}).content.decode()
        assert "Cellar" in page
        assert "Harbour" not in page

    def test_do_not_name_what_is_not_shared(
        self, cy: Client, bands: Collection, pulse: Organisation, share: Share
    ) -> None:
        share(bands, "cy@pulse.example", "records.view")
        page = cy.get("/c/bands/").content.decode()
        assert "Not shared with you" in page
        assert "Cellar" not in page


class TestHome:
    def test_costs_as_many_queries_for_many_collections_as_for_one(
        self, ada: Client, pulse: Organisation, gigs: Collection
    ) -> None:
        few = queries(ada, pulse, "/")
        with enter(pulse, actor=SETTING_UP):
            for number in range(12):
                collections.create(name=f"Shelf {number}", by=None, at=timezone.now())
        assert queries(ada, pulse, "/") == few

    def test_of_an_empty_organisation_is_a_place_to_drop_a_file(self, ada: Client) -> None:
        assert "Drop a spreadsheet to begin" in text(ada.get("/").content.decode())
