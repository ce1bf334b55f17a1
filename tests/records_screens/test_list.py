"""The list of a collection: rows, filters, search, sort, and what it says when it has nothing to show."""

import re

import pytest
from django.db import connections
from django.test import Client
from django.test.utils import CaptureQueriesContext

from records.models import Collection
from tenants.context import enter
from tenants.models import Organisation
from tests.people import SETTING_UP, visitor
from tests.records_screens.conftest import LIST, Share, add

HTMX = {"HX-Request": "true"}


def names(page: str) -> list[str]:
    """Return the names in the first column, in order."""
    return re.findall(r"data-panel>([^<]+)</a></th>", page)


def text(page: str) -> str:
    """Return the words of a page with single spaces."""
    return " ".join(re.sub(r"<[^>]+>", " ", page).split())


class TestRows:
    def test_shows_the_newest_first_with_their_number(self, ada: Client, gigs: Collection) -> None:
        page = ada.get(LIST).content.decode()
        assert names(page) == ["Warehouse", "Cellar", "Harbour"]
        assert "3 records" in text(page)

    def test_are_filtered_by_what_the_address_says(self, ada: Client, gigs: Collection) -> None:
        page = ada.get(LIST, {"f": "f_mood:is:loud"}).content.decode()
        assert names(page) == ["Warehouse", "Cellar"]
        assert "Mood is Loud" in text(page)

    def test_are_sorted_by_a_heading_and_back_again(self, ada: Client, gigs: Collection) -> None:
        page = ada.get(LIST, {"sort": "f_seats"}).content.decode()
        assert names(page) == ["Cellar", "Harbour", "Warehouse"]
        assert 'aria-sort="ascending"' in page
        assert "?sort=-f_seats" in page

    def test_are_searched_as_a_fragment_with_the_count_beside_it(self, ada: Client, gigs: Collection) -> None:
        answer = ada.get(LIST, {"q": "cell"}, headers={**HTMX, "HX-Target": "content"})
        page = answer.content.decode()
        assert names(page) == ["Cellar"]
        assert "<html" not in page
        assert 'id="count" hx-swap-oob' in page

    def test_come_in_pages_that_never_repeat(
        self, ada: Client, pulse: Organisation, gigs: Collection
    ) -> None:
        with enter(pulse, actor=SETTING_UP):
            add(gigs, *({"f_name": f"Gig {number:02}"} for number in range(40)))
        first = ada.get(LIST, {"size": "25"}).content.decode()
        more = re.search(r'hx-get="([^"]+after=[^"]+)"', first)
        assert more is not None
        second = ada.get(more[1].replace("&amp;", "&"), headers=HTMX).content.decode()
        assert len(names(first)) == 25
        assert len(names(second)) == 18
        assert not set(names(first)) & set(names(second))
        assert "<table" not in second

    def test_are_escaped(self, ada: Client, pulse: Organisation, gigs: Collection) -> None:
        with enter(pulse, actor=SETTING_UP):
            add(gigs, {"f_name": "<script>1</script>", "f_note": "<img src=x onerror=y>"})
        page = ada.get(LIST).content.decode()
        assert "<script>1" not in page
        assert "<img src=x" not in page

    def test_with_long_names_show_the_whole_on_hover(
        self, ada: Client, pulse: Organisation, gigs: Collection
    ) -> None:
        with enter(pulse, actor=SETTING_UP):
            add(gigs, {"f_name": "An evening & " + "x" * 300})
        page = ada.get(LIST).content.decode()
        assert f'title="An evening &amp; {"x" * 300}" data-panel>' in page
        assert 'title="Cellar"' not in page

    def test_cost_as_many_queries_for_fifty_as_for_two(
        self, ada: Client, pulse: Organisation, gigs: Collection
    ) -> None:
        few = queries(ada, pulse, LIST)
        with enter(pulse, actor=SETTING_UP):
            add(gigs, *({"f_name": f"Gig {number}", "f_mood": "calm"} for number in range(60)))
        assert queries(ada, pulse, LIST) == few


def queries(client: Client, organisation: Organisation, address: str) -> int:
    """Return how many queries the organisation's shard answers for a page."""
    client.get(address)
    with CaptureQueriesContext(connections["shard_1"]) as asked:
        assert client.get(address).status_code == 200
    return len(asked)


class TestNothingToShow:
    def test_offers_to_clear_the_filter_that_excludes_most(self, ada: Client, gigs: Collection) -> None:
        page = ada.get(LIST, {"f": ["f_mood:is:loud", "f_seats:over:2000"]}).content.decode()
        assert "Clear Seats over 2000" in text(page)
        assert "Without Seats over 2000 there would be 2" in text(page)

    def test_names_what_is_wrong_with_the_address(self, ada: Client, gigs: Collection) -> None:
        answer = ada.get(LIST, {"f": "f_gone:is:1"})
        assert answer.status_code == 400
        assert "names a field that is not here any more" in text(answer.content.decode())
        assert "Clear the filters" in text(answer.content.decode())

    def test_of_an_empty_collection_is_a_way_to_fill_it(
        self, ada: Client, pulse: Organisation, gigs: Collection
    ) -> None:
        with enter(pulse, actor=SETTING_UP):
            gigs.records.all().delete()
        page = text(ada.get(LIST).content.decode())
        assert "add a record by hand" in page or "Add a record" in page


class TestWhoSees:
    def test_is_sent_to_sign_in_when_signed_out(self, pulse: Organisation, gigs: Collection) -> None:
        answer = visitor(pulse.primary_host).get(LIST)
        assert answer.status_code == 302
        assert answer["Location"].startswith("/accounts/login/")

    def test_is_not_there_for_a_guest_nor_for_another_organisation(
        self, cy: Client, dee: Client, gigs: Collection
    ) -> None:
        assert cy.get(LIST).status_code == 404
        assert dee.get(LIST).status_code == 404

    def test_hides_sensitive_fields_from_who_may_not_read_them(
        self, ada: Client, ben: Client, gigs: Collection
    ) -> None:
        assert "7311" in ada.get(LIST).content.decode().replace(",", "")
        page = ben.get(LIST).content.decode()
        assert "7311" not in page.replace(",", "")
        assert "Fee" not in text(page)

    def test_rows_are_picked_by_who_can_do_something_with_them(
        self, ada: Client, cy: Client, gigs: Collection, share: Share
    ) -> None:
        share(gigs, "cy@pulse.example", "records.view")
        seen = cy.get(LIST).content.decode()
        assert "Warehouse" in seen
        assert 'class="pick"' not in seen
        assert "data-pick-all" not in seen
        assert 'class="pick"' in ada.get(LIST).content.decode()
        share(gigs, "cy@pulse.example", "records.change")
        assert 'class="pick"' in cy.get(LIST).content.decode()

    @pytest.mark.parametrize("address", ["f=f_fee%3Aover%3A1", "sort=f_fee", "cols=f_fee"])
    def test_takes_no_question_about_them_either(self, ben: Client, gigs: Collection, address: str) -> None:
        assert ben.get(f"{LIST}?{address}").status_code == 400
