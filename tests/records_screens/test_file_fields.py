"""A field that holds a file: filled, replaced and emptied in its cell, and filled with a new record."""

import re
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone

from records.actions import fields
from records.models import Collection, Record, RecordFile
from records.values import FieldType
from tenants.context import enter
from tenants.models import Organisation
from tests.people import SETTING_UP
from tests.records_screens.conftest import LIST, Find, Share
from tests.records_screens.test_list import HTMX, text
from tests.records_screens.test_record import page_of


@pytest.fixture(autouse=True)
def own_folder(settings: Any, tmp_path: Any) -> None:
    """Keep what the tests upload to themselves."""
    settings.MEDIA_ROOT = str(tmp_path)


@pytest.fixture
def plan(pulse: Organisation, gigs: Collection) -> str:
    """The key of a file field of the gigs."""
    return add_field(pulse, gigs, "f_plan", "Plan")


def add_field(organisation: Organisation, gigs: Collection, key: str, name: str, **more: Any) -> str:
    with enter(organisation, actor=SETTING_UP):
        fields.add(
            collection=gigs, name=name, key=key, type=FieldType.FILE, by=None, at=timezone.now(), **more
        )
    return key


def put(client: Client, record: Record, *, key: str = "f_plan", name: str = "plan.pdf", **more: Any) -> Any:
    """Put a file into the field of a record, as the form in its cell does."""
    sent = {"file": SimpleUploadedFile(name, b"%PDF-1.7 a plan"), **more}
    return client.post(f"{page_of(record)}edit/{key}/", sent, headers={**HTMX, "HX-Target": "cell"})


def kept(organisation: Organisation, record: Record) -> list[str]:
    """Return the names of the files that the field of a record holds: one, or none."""
    with enter(organisation, actor=SETTING_UP):
        record.refresh_from_db()
        found = RecordFile.objects.filter(pk=record.values.get("f_plan"), deleted_at=None)
        return list(found.values_list("name", flat=True))


class TestInPlace:
    def test_a_file_is_put_in_and_leads_to_its_content(
        self, ben: Client, pulse: Organisation, gig: Find, plan: str
    ) -> None:
        record = gig("Cellar")
        form = ben.get(f"{page_of(record)}edit/{plan}/", headers=HTMX).content.decode()
        assert 'type="file"' in form
        assert "multipart/form-data" in form
        answer = put(ben, record)
        assert kept(pulse, record) == ["plan.pdf"]
        link = re.search(r'href="([^"]+/files/[^"]+/)"', answer.content.decode())
        assert link is not None
        for page in (LIST, page_of(record)):
            assert f'href="{link[1]}"' in ben.get(page).content.decode()
        assert ben.get(link[1]).status_code == 302

    def test_its_form_is_taken_from_a_browser_that_sends_it_by_itself(
        self, ben: Client, pulse: Organisation, gig: Find, plan: str
    ) -> None:
        record = gig("Cellar")
        form = ben.get(f"{page_of(record)}edit/{plan}/", headers=HTMX).content.decode()
        assert f'method="post" action="{page_of(record)}files/" enctype="multipart/form-data"' in form
        sent = {"field": plan, "file": SimpleUploadedFile("plan.pdf", b"%PDF-1.7")}
        assert ben.post(f"{page_of(record)}files/", sent).status_code == 302
        assert kept(pulse, record) == ["plan.pdf"]

    def test_another_takes_its_place_and_the_first_stays_attached(
        self, ben: Client, pulse: Organisation, gig: Find, plan: str
    ) -> None:
        put(ben, gig("Cellar"))
        put(ben, gig("Cellar"), name="new plan.pdf")
        assert kept(pulse, gig("Cellar")) == ["new plan.pdf"]
        assert " plan.pdf" in text(ben.get(page_of(gig("Cellar"))).content.decode())

    def test_the_page_of_the_record_lists_it_at_once(self, ben: Client, gig: Find, plan: str) -> None:
        record = gig("Cellar")
        sent = {"file": SimpleUploadedFile("plan.pdf", b"%PDF-1.7")}
        answer = ben.post(f"{page_of(record)}edit/{plan}/?whole", sent, headers=HTMX).content.decode()
        assert 'id="files" hx-swap-oob="true"' in answer
        assert "hx-swap-oob" not in put(ben, record).content.decode()

    def test_it_is_taken_out_and_brought_back(
        self, ben: Client, pulse: Organisation, gig: Find, plan: str
    ) -> None:
        record = gig("Cellar")
        put(ben, record)
        address = f"{page_of(record)}edit/{plan}/"
        assert "Remove plan.pdf" in text(ben.get(address, headers=HTMX).content.decode())
        answer = ben.post(address, {"clear": "1"}, headers=HTMX)
        assert kept(pulse, record) == []
        undo = re.search(r'"undo": "([^"]+)"', answer["HX-Trigger"])
        assert undo is not None
        ben.post(undo[1])
        assert kept(pulse, record) == ["plan.pdf"]

    def test_a_required_one_is_replaced_but_not_taken_out(
        self, ben: Client, pulse: Organisation, gigs: Collection, gig: Find
    ) -> None:
        add_field(pulse, gigs, "f_plan", "Plan", required=True)
        record = gig("Cellar")
        put(ben, record)
        answer = ben.post(f"{page_of(record)}edit/f_plan/", {"clear": "1"}, headers=HTMX)
        assert answer.status_code == 422
        assert "Plan is required" in answer.content.decode()
        assert kept(pulse, record) == ["plan.pdf"]

    def test_an_empty_file_is_refused_in_the_cell(self, ben: Client, gig: Find, plan: str) -> None:
        sent = {"file": SimpleUploadedFile("plan.pdf", b"")}
        answer = ben.post(f"{page_of(gig('Cellar'))}edit/{plan}/", sent, headers=HTMX)
        assert answer.status_code == 422
        assert "This file is empty" in answer.content.decode()

    def test_is_not_for_who_only_looks_nor_for_another_organisation(
        self, cy: Client, dee: Client, gig: Find, plan: str, share: Share
    ) -> None:
        share(gig("Cellar"), "cy@pulse.example", "records.view")
        assert put(cy, gig("Cellar")).status_code == 403
        assert put(dee, gig("Cellar")).status_code == 404

    def test_of_a_sensitive_field_is_not_there_without_the_right(
        self, ada: Client, ben: Client, pulse: Organisation, gigs: Collection, gig: Find
    ) -> None:
        add_field(pulse, gigs, "f_plan", "Plan", sensitive=True)
        assert put(ben, gig("Cellar")).status_code == 404
        link = re.search(r'href="([^"]+/files/[^"]+/)"', put(ada, gig("Cellar")).content.decode())
        assert link is not None
        assert ben.get(link[1]).status_code == 404


class TestNewRecord:
    def test_brings_its_file_along(self, ben: Client, pulse: Organisation, gig: Find, plan: str) -> None:
        sent = {"f_name": "Barge", plan: SimpleUploadedFile("plan.pdf", b"%PDF-1.7")}
        answer = ben.post(f"{LIST}new/", sent)
        assert answer.status_code == 302
        assert kept(pulse, gig("Barge")) == ["plan.pdf"]

    def test_is_not_kept_without_a_file_that_is_required(
        self, ben: Client, pulse: Organisation, gigs: Collection
    ) -> None:
        add_field(pulse, gigs, "f_plan", "Plan", required=True)
        answer = ben.post(f"{LIST}new/", {"f_name": ""})
        assert answer.status_code == 422
        assert answer.content.decode().count("This is required.") == 2
        assert ben.post(f"{LIST}new/", {"f_name": "Barge"}).status_code == 422
        with enter(pulse, actor=SETTING_UP):
            assert Record.objects.filter(collection=gigs).count() == 3

    def test_is_not_kept_with_a_file_that_is_refused(
        self, ben: Client, pulse: Organisation, gigs: Collection, plan: str
    ) -> None:
        sent = {"f_name": "Barge", plan: SimpleUploadedFile("plan.pdf", b"")}
        answer = ben.post(f"{LIST}new/", sent)
        assert answer.status_code == 422
        assert "This file is empty" in answer.content.decode()
        with enter(pulse, actor=SETTING_UP):
            assert not Record.objects.filter(collection=gigs, values__f_name="Barge").exists()
