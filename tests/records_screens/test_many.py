"""What is done to many rows, and saved views."""

import re

import pytest
from django.test import Client
from django.utils import timezone

from jobs.models import Job
from jobs.testing import run_due
from permissions.actions.memberships import assign_role
from permissions.actions.roles import create_role
from permissions.models.roles import MEMBER_RANK
from records.actions import bulk
from records.models import Collection, Record, RecordUserGrant, SavedView
from records.tables import counting
from tenants.context import enter
from tenants.models import Organisation
from tests.people import SETTING_UP
from tests.records_screens.conftest import LIST, Find, Share, add, user_of
from tests.records_screens.test_list import names, text
from tests.records_screens.test_record import hidden_of


def moods(organisation: Organisation, collection: Collection) -> list[str]:
    """Return the mood of each gig, in order."""
    with enter(organisation, actor=SETTING_UP):
        return [row.values.get("f_mood", "") for row in Record.objects.live().filter(collection=collection)]


class TestChange:
    def test_gives_all_that_is_picked_the_same_value(
        self, ben: Client, pulse: Organisation, gigs: Collection, gig: Find
    ) -> None:
        picked = [str(gig(name).pk) for name in ("Cellar", "Harbour")]
        asked = ben.post(f"{LIST}bulk/change/", {"pk": picked, "field": "f_mood"})
        assert "Change 2 records" in text(asked.content.decode())
        sent = {**hidden_of(asked.content.decode()), "field": "f_mood", "f_mood": "calm", "set": "1"}
        ben.post(f"{LIST}bulk/change/", sent)
        assert sorted(moods(pulse, gigs)) == ["calm", "calm", "loud"]

    def test_of_all_that_match_says_first_what_will_happen(
        self, ben: Client, pulse: Organisation, gigs: Collection
    ) -> None:
        sent = {"all": "1", "f": "f_mood:is:loud", "field": "f_mood", "f_mood": "calm", "set": "1"}
        asked = ben.post(f"{LIST}bulk/change/", sent).content.decode()
        assert "Set Mood of 2 records to Calm" in text(asked)
        assert moods(pulse, gigs).count("loud") == 2
        ben.post(f"{LIST}bulk/change/", hidden_of(asked))
        assert moods(pulse, gigs).count("loud") == 0

    def test_says_what_is_wrong_with_the_value(self, ben: Client, gig: Find) -> None:
        sent = {"pk": str(gig("Cellar").pk), "field": "f_seats", "f_seats": "many", "set": "1"}
        answer = ben.post(f"{LIST}bulk/change/", sent)
        assert answer.status_code == 422
        assert 'value="many"' in answer.content.decode()

    def test_leaves_alone_what_one_may_not_change(self, cy: Client, gig: Find, share: Share) -> None:
        share(gig("Cellar"), "cy@pulse.example", "records.view")
        share(gig("Harbour"), "cy@pulse.example", "records.change")
        picked = [str(gig(name).pk) for name in ("Cellar", "Harbour", "Warehouse")]
        sent = {"pk": picked, "field": "f_seats", "f_seats": "7", "set": "1"}
        cy.post(f"{LIST}bulk/change/", sent)
        found = [gig(name).values["f_seats"] for name in ("Cellar", "Harbour", "Warehouse")]
        assert found == [90, 7, 1500]

    def test_does_not_offer_sensitive_fields(self, ben: Client, gig: Find) -> None:
        sent = {"pk": str(gig("Harbour").pk), "field": "f_fee", "f_fee": "1", "set": "1"}
        ben.post(f"{LIST}bulk/change/", sent)
        assert gig("Harbour").values["f_fee"] == 7311


class TestAllThatMatch:
    @pytest.mark.parametrize(("counted", "words"), [(10_000, "Select all 33"), (5, "Select all that match")])
    def test_can_be_picked_whether_or_not_they_are_counted(
        self,
        ben: Client,
        pulse: Organisation,
        gigs: Collection,
        monkeypatch: pytest.MonkeyPatch,
        counted: int,
        words: str,
    ) -> None:
        monkeypatch.setattr(counting.count_up_to, "__defaults__", (counted,))
        with enter(pulse, actor=SETTING_UP):
            add(gigs, *({"f_name": f"Gig {number}", "f_seats": 1} for number in range(30)))
        page = ben.get(LIST, {"size": "25", "f": "f_seats:over:0"}).content.decode()
        assert words in text(page)


class TestMoveToBin:
    def test_can_be_undone_from_the_page(self, ben: Client, gig: Find) -> None:
        picked = [str(gig(name).pk) for name in ("Cellar", "Harbour")]
        ben.post(f"{LIST}bulk/bin/", {"pk": picked})
        page = ben.get(LIST).content.decode()
        assert names(page) == ["Warehouse"]
        undo = re.search(r'action="(/undo/[^"]+)"', page)
        assert undo is not None
        ben.post(undo[1])
        assert len(names(ben.get(LIST).content.decode())) == 3

    def test_goes_on_as_a_job_when_there_are_many(
        self, ben: Client, pulse: Organisation, gigs: Collection
    ) -> None:
        with enter(pulse, actor=SETTING_UP):
            add(gigs)
            Record.objects.bulk_create(
                Record(collection=gigs, values={"f_name": f"Gig {number}"}) for number in range(bulk.AT_ONCE)
            )
        asked = ben.post(f"{LIST}bulk/bin/", {"all": "1"}).content.decode()
        assert "It goes on as a job" in text(asked)
        answer = ben.post(f"{LIST}bulk/bin/", hidden_of(asked))
        assert answer["Location"].startswith("/jobs/")

    def test_as_a_job_is_undone_from_its_result(
        self,
        ada: Client,
        ben: Client,
        pulse: Organisation,
        gigs: Collection,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setattr(counting.count_up_to, "__defaults__", (bulk.AT_ONCE + 1,))
        with enter(pulse, actor=SETTING_UP):
            Record.objects.bulk_create(
                Record(collection=gigs, values={"f_name": f"Gig {number}"}) for number in range(bulk.AT_ONCE)
            )
        asked = ben.post(f"{LIST}bulk/bin/", {"all": "1"}).content.decode()
        job = ben.post(f"{LIST}bulk/bin/", hidden_of(asked))["Location"]
        run_due(pulse)
        with enter(pulse, actor=SETTING_UP):
            # The page said "over 1,001"; the bar needs the whole.
            assert Job.objects.get(kind="records.bulk").total == bulk.AT_ONCE + 3
        undo = re.search(r'href="(/undo/[^"]+)"', ben.get(job).content.decode())
        assert undo is not None
        assert "Undo moving to the bin 1,003 records of Gigs" in text(ben.get(undo[1]).content.decode())
        assert ada.get(undo[1]).status_code == 409
        assert names(ben.get(LIST).content.decode()) == []
        ben.post(undo[1])
        run_due(pulse)
        with enter(pulse, actor=SETTING_UP):
            assert Record.objects.live().filter(collection=gigs).count() == bulk.AT_ONCE + 3

    def test_of_the_one_record_that_somebody_was_given_is_undone_while_they_may(
        self, ben: Client, pulse: Organisation, gig: Find, share: Share
    ) -> None:
        record = gig("Cellar")
        member, owner = (user_of(pulse, f"{name}@pulse.example") for name in ("ben", "ada"))
        with enter(pulse, actor=SETTING_UP):
            at = timezone.now()
            role = create_role(name="Door", names=["jobs.view"], rank=MEMBER_RANK, by=owner, at=at)
            assign_role(user=member, role=role, by=owner, at=at)
        share(record, "ben@pulse.example", "records.delete")
        for is_still_shared in (True, False):
            there = ben.post(f"{LIST}r/{record.pk}/bin/")["Location"]
            undo = re.search(r'action="(/undo/[^"]+)"', ben.get(there).content.decode())
            assert undo is not None
            if not is_still_shared:
                with enter(pulse, actor=SETTING_UP):
                    RecordUserGrant.objects.filter(user=member).delete()
            assert ben.post(undo[1]).status_code == (302 if is_still_shared else 404)
            assert (gig("Cellar").deleted_at is None) is is_still_shared

    def test_cannot_be_undone_by_another(self, ada: Client, ben: Client, gig: Find) -> None:
        ben.post(f"{LIST}bulk/bin/", {"pk": [str(gig("Cellar").pk)]})
        undo = re.search(r'action="(/undo/[^"]+)"', ben.get(LIST).content.decode())
        assert undo is not None
        assert ada.post(undo[1]).status_code == 409
        assert gig("Cellar").deleted_at is not None


class TestSavedViews:
    def save(self, client: Client, **more: str) -> str:
        """Save the loud gigs as a view and return where that leads."""
        sent = {"name": "Loud ones", "f": "f_mood:is:loud", **more}
        return str(client.post(f"{LIST}views/new/", sent)["Location"])

    def test_lead_to_the_list_as_it_was(self, ben: Client, gigs: Collection) -> None:
        page = ben.get(self.save(ben)).content.decode()
        assert names(page) == ["Warehouse", "Cellar"]
        assert "Loud ones" in text(page)

    def test_are_ones_own_until_shared(self, ada: Client, ben: Client, gigs: Collection) -> None:
        self.save(ben)
        assert "Loud ones" not in ada.get(LIST).content.decode()
        self.save(ben, name="Everybody's", is_shared="on")
        assert "Everybody&#x27;s" in ada.get(LIST).content.decode()

    def test_say_so_when_the_list_differs_and_can_take_it_over(
        self, ben: Client, pulse: Organisation, gigs: Collection
    ) -> None:
        view = self.save(ben).rpartition("view=")[2]
        page = ben.get(f"{LIST}?f=f_mood%3Ais%3Acalm&view={view}").content.decode()
        assert "changed" in text(page)
        ben.post(f"{LIST}views/{view}/update/", {"f": "f_mood:is:calm"})
        with enter(pulse, actor=SETTING_UP):
            assert SavedView.objects.get(pk=view).filters == [["f_mood", "is", ["calm"]]]

    def test_of_another_cannot_be_changed(self, ben: Client, cy: Client, gigs: Collection) -> None:
        view = self.save(ben).rpartition("view=")[2]
        assert cy.post(f"{LIST}views/{view}/remove/").status_code == 404

    def test_cannot_have_the_same_name_twice(self, ben: Client, gigs: Collection) -> None:
        self.save(ben)
        answer = ben.post(f"{LIST}views/new/", {"name": "loud ones"})
        assert answer.status_code == 422
        assert "You have a view called" in text(answer.content.decode())


class TestFilterForm:
    def test_adds_a_filter_to_the_address(self, ben: Client, gigs: Collection) -> None:
        asked = {"f": "f_mood:is:loud", "field": "f_seats", "op": "over", "value": "100", "set": "1"}
        answer = ben.get(f"{LIST}filter/", asked)
        assert answer["Location"] == f"{LIST}?f=f_mood%3Ais%3Aloud&f=f_seats%3Aover%3A100"

    def test_changes_the_filter_of_a_chip(self, ben: Client, gigs: Collection) -> None:
        asked = {
            "f": "f_seats:over:5",
            "at": "0",
            "field": "f_seats",
            "op": "under",
            "value": "9",
            "set": "1",
        }
        assert ben.get(f"{LIST}filter/", asked)["Location"] == f"{LIST}?f=f_seats%3Aunder%3A9"

    def test_says_what_is_wrong_with_a_value(self, ben: Client, gigs: Collection) -> None:
        asked = {"field": "f_seats", "op": "over", "value": "many", "set": "1"}
        answer = ben.get(f"{LIST}filter/", asked)
        assert answer.status_code == 422
        assert 'value="many"' in answer.content.decode()

    def test_offers_choices_as_a_list(self, ben: Client, gigs: Collection) -> None:
        page = ben.get(f"{LIST}filter/", {"field": "f_mood", "op": "is"}).content.decode()
        assert '<option value="calm">Calm</option>' in page
