"""Lists that no index serves: said in words, helped with a button, and ended before they take too long."""

import pytest
from django.test import Client

from jobs.models import Job
from records.actions import loading
from records.models import Collection, IndexState
from records.models.index import IndexStatus
from records.tables import patience
from records.values import dumps
from records.views import slowness
from tenants.context import enter
from tenants.models import Organisation
from tests.people import SETTING_UP
from tests.records_screens.conftest import LIST, NOW
from tests.records_screens.test_list import HTMX, names, text

QUICK = f"{LIST}design/f/f_seats/quick/"


@pytest.fixture(autouse=True)
def three_is_large(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let three records be as many as twenty thousand."""
    monkeypatch.setattr(slowness, "LARGE", 3)


class TestReasons:
    @pytest.mark.parametrize(
        ("address", "words"),
        [
            ("?sort=f_seats", "Sorting by Seats reads every record."),
            ("?f=f_seats:over:5", "Filtering by Seats reads every record."),
            ("?f=f_name:has:ell", "Looking inside Name reads every record. The search is quicker."),
            (
                "?f=f_on:filled:&f=f_mood:not:calm&sort=-f_seats",
                "Filtering by Date and Mood and sorting by Seats reads",
            ),
        ],
    )
    def test_are_said(self, ada: Client, gigs: Collection, address: str, words: str) -> None:
        assert words in text(ada.get(f"{LIST}{address}").content.decode())

    def test_are_not_said_of_few_records(
        self, ada: Client, gigs: Collection, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(slowness, "LARGE", 4)
        assert "reads every record" not in ada.get(f"{LIST}?sort=f_seats").content.decode()

    def test_are_not_said_of_what_an_index_serves(
        self, ada: Client, pulse: Organisation, gigs: Collection
    ) -> None:
        with enter(pulse, actor=SETTING_UP):
            for number, status in enumerate((IndexStatus.WANTED, IndexStatus.READY)):
                key = ("f_seats", "f_on")[number]
                IndexState.objects.create(
                    collection=gigs, field_key=key, kind="order", name=key, status=status
                )
        assert "reads every record" not in ada.get(f"{LIST}?sort=f_on").content.decode()
        assert (
            "reads every record" not in ada.get(f"{LIST}?f=f_on:is:2026-11-14&sort=f_mood").content.decode()
        )
        assert "Seats is being prepared" in text(ada.get(f"{LIST}?sort=f_seats").content.decode())
        assert "slow" not in ada.get(LIST).content.decode()


class TestMakingQuick:
    def test_is_a_button_for_those_who_design(self, ada: Client, ben: Client, gigs: Collection) -> None:
        assert QUICK in ada.get(f"{LIST}?sort=f_seats").content.decode()
        assert QUICK not in ben.get(f"{LIST}?sort=f_seats").content.decode()

    def test_asks_for_an_index_and_leads_back(
        self, ada: Client, pulse: Organisation, gigs: Collection
    ) -> None:
        answer = ada.post(QUICK, {"next": f"{LIST}?sort=f_seats"})
        assert answer["Location"] == f"{LIST}?sort=f_seats"
        page = text(ada.get(answer["Location"]).content.decode())
        assert "Seats is being prepared" in page
        with enter(pulse, actor=SETTING_UP):
            assert gigs.fields.get(key="f_seats").indexed
            assert Job.objects.filter(kind="records.index").count() == 1

    def test_tries_again_what_could_not_be_prepared(
        self, ada: Client, pulse: Organisation, gigs: Collection
    ) -> None:
        ada.post(QUICK)
        with enter(pulse, actor=SETTING_UP):
            IndexState.objects.update(status=IndexStatus.FAILED, error="The disk is full.")
        ada.post(QUICK)
        with enter(pulse, actor=SETTING_UP):
            assert {one.status for one in IndexState.objects.all()} == {IndexStatus.WANTED}
            assert Job.objects.filter(kind="records.index").count() == 2

    def test_is_not_for_members_nor_for_another_organisation(
        self, ben: Client, dee: Client, pulse: Organisation, gigs: Collection
    ) -> None:
        assert ben.post(QUICK).status_code == 403
        assert dee.post(QUICK).status_code == 404
        with enter(pulse, actor=SETTING_UP):
            assert not IndexState.objects.exists()


class TestPatience:
    @pytest.fixture
    def many(self, pulse: Organisation, gigs: Collection, monkeypatch: pytest.MonkeyPatch) -> None:
        """So many gigs that sorting them takes longer than a person waits here."""
        monkeypatch.setattr(patience, "MOST", 0.001)
        with enter(pulse, actor=SETTING_UP):
            rows = (dumps({"f_name": "x" * 300, "f_seats": number}) for number in range(4_000))
            loading.copy_in(collection=gigs, rows=rows, import_id=None, by=None, at=NOW)

    def test_ends_with_a_plain_answer_that_keeps_the_filters(self, ada: Client, many: None) -> None:
        answer = ada.get(f"{LIST}?sort=f_seats&f=f_seats:over:1")
        page = text(answer.content.decode())
        assert answer.status_code == 503
        assert "This list takes too long to put together" in page
        assert "Remove the filter Seats over 1" in page
        assert QUICK in answer.content.decode()

    def test_leaves_quick_lists_alone(self, ada: Client, many: None) -> None:
        page = ada.get(LIST, headers={**HTMX, "HX-Target": "content"}).content.decode()
        assert len(names(page)) == 50
