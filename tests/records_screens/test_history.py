"""What the trail says of records: in words, as far back as it goes, and to nobody more than they may read."""

import re

import pytest
from django.test import Client
from django.utils import timezone

from permissions import perms
from permissions.actions.memberships import assign_role
from permissions.actions.roles import create_role
from permissions.models.roles import MEMBER_RANK
from records.actions import fields, records
from records.models import Collection, Record
from tenants.context import Actor, enter
from tenants.models import Organisation
from tests.people import SETTING_UP, make_person, signed_in
from tests.records_screens.conftest import LIST, NOW, Find, user_of
from tests.records_screens.test_list import HTMX, text

TRAIL = "/trail/"


def change(organisation: Organisation, record: Record, **values: object) -> None:
    """Change values of a record as Ada."""
    ada = user_of(organisation, "ada@pulse.example")
    with enter(organisation, actor=Actor(kind="person", id=ada.pk)):
        Record.objects.filter(pk=record.pk).update(values={**record.values, **values})


@pytest.fixture
def auditor(pulse: Organisation) -> Client:
    """The browser of somebody who may read the trail, and nothing that is sensitive."""
    make_person(pulse, "una@pulse.example", "Una Berg")
    ada, una = user_of(pulse, "ada@pulse.example"), user_of(pulse, "una@pulse.example")
    with enter(pulse, actor=SETTING_UP):
        role = create_role(
            name="Auditor", names=[perms.TRAIL_VIEW], rank=MEMBER_RANK, by=ada, at=timezone.now()
        )
        assign_role(user=una, role=role, by=ada, at=timezone.now())
    return signed_in(pulse, "una@pulse.example")


class TestTheTrailPage:
    def test_says_values_as_the_collection_shows_them(
        self, ada: Client, pulse: Organisation, gig: Find
    ) -> None:
        change(pulse, gig("Harbour"), f_mood="loud", f_fee=8442)

        page = text(ada.get(TRAIL, {"every": "on"}).content.decode())
        assert "Mood Calm → Loud" in page
        assert "Fee 7,311.00 EUR → 8,442.00 EUR" in page

    def test_keeps_what_is_sensitive_from_who_may_not_see_it(
        self, auditor: Client, pulse: Organisation, gig: Find
    ) -> None:
        record = gig("Harbour")
        change(pulse, record, f_mood="loud", f_fee=8442)

        page = auditor.get(TRAIL, {"object": str(record.pk)}).content.decode()
        assert "Mood Calm → Loud" in text(page)
        entries = re.findall(r'href="(/trail/\d+/\d+/\d+/)"', page)
        assert len(entries) == 2
        for shown in (page, *(auditor.get(entry).content.decode() for entry in entries)):
            assert "8442" not in shown.replace(",", "")
            assert "7311" not in shown.replace(",", "")

    @pytest.mark.parametrize("whole", [False, True], ids=["record", "collection"])
    def test_keeps_it_also_when_the_record_is_gone(
        self, auditor: Client, pulse: Organisation, gigs: Collection, gig: Find, whole: bool
    ) -> None:
        record = gig("Harbour")
        change(pulse, record, f_fee=8442)
        with enter(pulse, actor=SETTING_UP):
            (gigs if whole else Record.objects.filter(pk=record.pk)).delete()

        page = auditor.get(TRAIL, {"object": str(record.pk)}).content.decode()
        entries = re.findall(r'href="(/trail/\d+/\d+/\d+/)"', page)
        assert len(entries) == 3
        for shown in (page, *(auditor.get(entry).content.decode() for entry in entries)):
            assert "8442" not in shown.replace(",", "")
            assert "7311" not in shown.replace(",", "")


class TestTheRecordsOwnPart:
    def test_keeps_a_sensitive_field_that_was_removed_since(
        self, ada: Client, ben: Client, pulse: Organisation, gigs: Collection, gig: Find
    ) -> None:
        record = gig("Harbour")
        change(pulse, record, f_fee=8442)
        with enter(pulse, actor=SETTING_UP):
            fields.remove(field=gigs.fields.get(key="f_fee"), by=None, at=NOW)

        address = f"{LIST}r/{record.pk}/"
        assert "8,442.00 EUR" in ada.get(address).content.decode()
        page = ben.get(address).content.decode().replace(",", "")
        assert "8442" not in page
        assert "7311" not in page

    def test_goes_back_to_the_beginning(self, ben: Client, pulse: Organisation, gig: Find) -> None:
        record = gig("Cellar")
        for seats in range(100, 145):
            change(pulse, record, f_seats=seats)

        found: list[str] = []
        address, fragments = f"{LIST}r/{record.pk}/", 0
        while address:
            headers = {**HTMX, "HX-Target": "here"} if fragments else {}
            page = ben.get(address, headers=headers).content.decode()
            found += re.findall(r"Seats \d+ → (\d+)", text(page))
            more = re.findall(r'hx-get="([^"]+/history/[^"]+)"', page)
            address, fragments = (more[0] if more else ""), fragments + 1
        assert found == [str(seats) for seats in reversed(range(100, 145))]
        assert fragments == 3

    def test_is_a_page_too(self, ben: Client, gig: Find) -> None:
        page = ben.get(f"{LIST}r/{gig('Cellar').pk}/history/").content.decode()
        assert "<html" in page
        assert "added the record Cellar" in text(page)


def test_the_record_leads_to_its_part_of_the_trail(ada: Client, ben: Client, gig: Find) -> None:
    page = ada.get(f"{LIST}r/{gig('Cellar').pk}/").content.decode()
    (link,) = re.findall(r'href="(/trail/[^"]+)"', page.partition("record-more")[2])
    answer = ada.get(link.replace("&amp;", "&"))

    assert "added the record Cellar" in text(answer.content.decode())
    assert "/trail/" not in ben.get(f"{LIST}r/{gig('Cellar').pk}/").content.decode()


def test_binning_is_said_in_words(ada: Client, pulse: Organisation, gigs: Collection, gig: Find) -> None:
    record, who = gig("Cellar"), user_of(pulse, "ada@pulse.example")
    with enter(pulse, actor=Actor(kind="person", id=who.pk)):
        records.move_to_bin(collection=gigs, ids=[record.pk], by=who, at=timezone.now())
        records.restore(collection=gigs, ids=[record.pk], by=who, at=timezone.now())

    page = text(ada.get(TRAIL, {"object": str(record.pk)}).content.decode())
    assert "Ada Okafor moved the record Cellar to the bin" in page
    assert "Ada Okafor took the record Cellar out of the bin" in page
