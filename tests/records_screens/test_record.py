"""The page of a record: reading, changing in place, two people at once, the bin, undo."""

import json
import re
from typing import Any

from django.test import Client

from config.messages import MOST_KEPT
from records.models import Collection, Record
from tenants.context import enter
from tenants.models import Organisation
from tests.people import SETTING_UP
from tests.records_screens.conftest import LIST, NOW, Find, Share, add
from tests.records_screens.test_list import HTMX, queries, text


def page_of(record: Record) -> str:
    """Return the address of a record's page."""
    return f"{LIST}r/{record.pk}/"


def hidden_of(page: str) -> dict[str, list[str]]:
    """Return the hidden fields of a form."""
    found: dict[str, list[str]] = {}
    for name, value in re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', page):
        found.setdefault(name, []).append(value.replace("&quot;", '"').replace("&#x27;", "'"))
    return found


def edit(client: Client, record: Record, field: str, value: str, form: dict[str, Any] | None = None) -> Any:
    """Change one field in place, as the scripts do; `form` is what was fetched earlier."""
    address = f"{page_of(record)}edit/{field}/"
    begun = form or hidden_of(client.get(address, headers=HTMX).content.decode())
    return client.post(address, {**begun, field: value}, headers={**HTMX, "HX-Target": "cell"})


class TestPage:
    def test_shows_fields_history_and_who_can_see_it(self, ada: Client, gig: Find) -> None:
        answer = ada.get(page_of(gig("Warehouse")))
        page = text(answer.content.decode())
        assert answer.status_code == 200
        for words in ("Seats 1500", "Doors at nine", "History", "Who can see it", "Files"):
            assert words in page

    def test_opens_beside_its_list_as_a_fragment(self, ada: Client, gig: Find) -> None:
        page = ada.get(page_of(gig("Cellar")), headers={**HTMX, "HX-Target": "panel"}).content.decode()
        assert "<html" not in page
        assert "panel-title" in page

    def test_goes_to_the_bin_from_beside_its_list_which_stays_as_it_is(self, ben: Client, gig: Find) -> None:
        address = page_of(gig("Cellar"))
        panel = ben.get(address, headers={**HTMX, "HX-Target": "panel"}).content.decode()
        assert f'action="{address}bin/"' in panel
        came = f"http://{ben.defaults['HTTP_HOST']}{LIST}?f=f_mood:is:loud"
        assert ben.post(f"{address}bin/", headers={"Referer": came})["Location"] == f"{LIST}?f=f_mood:is:loud"
        elsewhere = {"Referer": "https://elsewhere.example/c/gigs/?x=1"}
        assert ben.post(f"{page_of(gig('Harbour'))}bin/", headers=elsewhere)["Location"] == LIST

    def test_is_not_there_for_another_organisation(self, dee: Client, gig: Find) -> None:
        assert dee.get(page_of(gig("Cellar"))).status_code == 404

    def test_saves_a_field_in_place_also_without_scripts(self, ada: Client, gig: Find) -> None:
        record = gig("Cellar")
        form = ada.get(f"{page_of(record)}edit/f_seats/", headers=HTMX).content.decode()
        (address,) = re.findall(r'<form method="post" action="([^"]+)"', form)
        answer = ada.post(address, {**hidden_of(form), "f_seats": "77"}, follow=True)
        assert answer.redirect_chain == [(page_of(record), 302)]
        page = text(answer.content.decode())
        assert "Seats 77" in page
        assert "Undo" in page

    def test_keeps_sensitive_values_out_of_the_history_too(self, ada: Client, ben: Client, gig: Find) -> None:
        record = gig("Harbour")
        assert edit(ada, record, "f_fee", "8442").status_code == 200
        assert "8442" in ada.get(page_of(record)).content.decode().replace(",", "")
        page = ben.get(page_of(record)).content.decode().replace(",", "")
        assert "8442" not in page
        assert "7311" not in page


class TestEditInPlace:
    def test_saves_the_value_and_offers_undo(self, ben: Client, gig: Find) -> None:
        answer = edit(ben, gig("Cellar"), "f_seats", "95")
        told = json.loads(answer["HX-Trigger"])["toast"]
        assert answer.content.decode() == "95"
        assert told["text"] == "Saved"
        ben.post(told["undo"])
        assert gig("Cellar").values["f_seats"] == 90

    def test_says_what_is_wrong_and_keeps_what_was_typed(self, ben: Client, gig: Find) -> None:
        answer = edit(ben, gig("Cellar"), "f_seats", "many")
        assert answer.status_code == 422
        assert 'value="many"' in answer.content.decode()
        assert "errorlist" in answer.content.decode()
        assert gig("Cellar").values["f_seats"] == 90

    def test_lets_two_change_different_fields(self, ada: Client, ben: Client, gig: Find) -> None:
        record = gig("Cellar")
        begun = hidden_of(ben.get(f"{page_of(record)}edit/f_mood/").content.decode())
        edit(ada, record, "f_seats", "91")
        assert edit(ben, record, "f_mood", "calm", begun).status_code == 200
        assert gig("Cellar").values["f_seats"] == 91
        assert gig("Cellar").values["f_mood"] == "calm"

    def test_shows_the_second_both_versions_and_lets_them_choose(
        self, ada: Client, ben: Client, gig: Find
    ) -> None:
        record = gig("Cellar")
        begun = hidden_of(ben.get(f"{page_of(record)}edit/f_seats/").content.decode())
        edit(ada, record, "f_seats", "91")
        answer = edit(ben, record, "f_seats", "92", begun)
        page = answer.content.decode()
        assert answer.status_code == 409
        assert answer["HX-Retarget"] == "#dialog"
        assert "Ada Okafor changed Cellar meanwhile" in text(page)
        assert "91" in text(page)
        assert gig("Cellar").values["f_seats"] == 91
        ben.post(f"{page_of(record)}edit/", {**hidden_of(page), "choice_f_seats": "mine"})
        assert gig("Cellar").values["f_seats"] == 92

    def test_keeps_the_others_value_when_that_is_chosen(self, ada: Client, ben: Client, gig: Find) -> None:
        record = gig("Cellar")
        begun = hidden_of(ben.get(f"{page_of(record)}edit/f_seats/").content.decode())
        edit(ada, record, "f_seats", "91")
        page = edit(ben, record, "f_seats", "92", begun).content.decode()
        ben.post(f"{page_of(record)}edit/", {**hidden_of(page), "choice_f_seats": "theirs"})
        assert gig("Cellar").values["f_seats"] == 91

    def test_of_the_name_gives_the_link_to_the_record_back(self, ben: Client, gig: Find) -> None:
        record = gig("Cellar")
        address = f"{page_of(record)}edit/f_name/?handle"
        assert f'data-edit="{address}"' in ben.get(LIST).content.decode()
        begun = hidden_of(ben.get(address, headers=HTMX).content.decode())
        answer = ben.post(address, {**begun, "f_name": "The <Cellar>"}, headers=HTMX).content.decode()
        assert answer == f'<a href="{page_of(record)}" data-panel>The &lt;Cellar&gt;</a>'

    def test_refuses_a_field_that_one_may_not_read(self, ben: Client, gig: Find) -> None:
        assert ben.get(f"{page_of(gig('Harbour'))}edit/f_fee/").status_code == 404


class TestWholeForm:
    def test_adds_a_record(self, ben: Client, gigs: Collection, gig: Find) -> None:
        answer = ben.post(f"{LIST}new/", {"f_name": "Attic", "f_seats": "40", "f_mood": "calm"})
        assert answer["Location"] == page_of(gig("Attic"))
        assert gig("Attic").values["f_seats"] == 40

    def test_says_the_last_few_where_nobody_has_looked_for_long(
        self, ben: Client, gigs: Collection, gig: Find
    ) -> None:
        for number in range(MOST_KEPT + 3):
            assert ben.post(f"{LIST}new/", {"f_name": f"Gig {number}"}).status_code == 302
        page = ben.get(LIST).content.decode()
        assert len(re.findall(r'class="toast[ "]', page)) == MOST_KEPT

    def test_asks_again_with_everything_typed(self, ben: Client, gigs: Collection) -> None:
        answer = ben.post(f"{LIST}new/", {"f_name": "", "f_note": "kept"})
        assert answer.status_code == 422
        assert "kept" in answer.content.decode()
        assert "errorlist" in answer.content.decode()

    def test_saves_only_what_was_touched(self, ada: Client, ben: Client, gig: Find) -> None:
        record = gig("Cellar")
        begun = hidden_of(ben.get(f"{page_of(record)}edit/").content.decode())
        edit(ada, record, "f_seats", "91")
        sent = {"f_name": "The Cellar", "f_seats": "90", "f_mood": "loud", "f_on": "2026-11-14", "f_note": ""}
        ben.post(f"{page_of(record)}edit/", {**begun, **sent})
        assert gig("The Cellar").values["f_seats"] == 91


class TestBin:
    def test_takes_a_record_and_gives_it_back(self, ben: Client, gig: Find) -> None:
        record = gig("Cellar")
        ben.post(f"{page_of(record)}bin/")
        assert ben.get(page_of(record)).status_code == 404
        page = ben.get(LIST).content.decode()
        undo = re.search(r'action="(/undo/[^"]+)"', page)
        assert undo is not None
        ben.post(undo[1])
        assert ben.get(page_of(record)).status_code == 200

    def test_lists_what_lies_there_and_restores_it(self, ben: Client, gig: Find) -> None:
        record = gig("Cellar")
        ben.post(f"{page_of(record)}bin/")
        assert "Cellar" in text(ben.get(f"{LIST}bin/").content.decode())
        ben.post(f"{LIST}bin/restore/", {"pk": str(record.pk)})
        assert gig("Cellar").deleted_at is None

    def test_costs_as_many_queries_for_fifty_as_for_two(
        self, ada: Client, pulse: Organisation, gigs: Collection, gig: Find
    ) -> None:
        ada.post(f"{LIST}bulk/bin/", {"pk": [str(gig(name).pk) for name in ("Cellar", "Harbour")]})
        ada.get(LIST)
        few = queries(ada, pulse, f"{LIST}bin/")
        with enter(pulse, actor=SETTING_UP):
            add(gigs, *({"f_name": f"Gig {number}"} for number in range(50)))
            Record.objects.filter(collection=gigs).update(deleted_at=NOW)
        assert queries(ada, pulse, f"{LIST}bin/") == few

    def test_deletes_many_for_good_only_after_the_name_was_typed(
        self, ben: Client, pulse: Organisation, gigs: Collection, gig: Find
    ) -> None:
        pks = [str(gig(name).pk) for name in ("Cellar", "Harbour")]
        ben.post(f"{LIST}bulk/bin/", {"pk": pks})
        asked = ben.post(f"{LIST}bin/purge/", {"pk": pks})
        assert "Delete 2 records for good" in text(asked.content.decode())
        ben.post(f"{LIST}bin/purge/", {"pk": pks, "sure": "1", "confirm": "gigs"})
        assert _count(pulse, gigs) == 3
        ben.post(f"{LIST}bin/purge/", {"pk": pks, "sure": "1", "confirm": "Gigs"})
        assert _count(pulse, gigs) == 1

    def test_is_closed_to_who_may_not_delete(self, cy: Client, gig: Find, share: Share) -> None:
        record = gig("Cellar")
        share(record, "cy@pulse.example", "records.view")
        assert cy.get(page_of(record)).status_code == 200
        assert cy.post(f"{page_of(record)}bin/").status_code == 403
        assert cy.get(f"{LIST}bin/").status_code == 403


def _count(organisation: Organisation, collection: Collection) -> int:
    with enter(organisation, actor=SETTING_UP):
        return Record.objects.filter(collection=collection).count()
