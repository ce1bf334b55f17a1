"""Files of a record, and their content on its own host."""

from typing import Any
from urllib.parse import urlsplit

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone

from accounts.identity.models import Session
from permissions.actions.grants import revoke
from records.models import RecordFile
from tenants.context import enter
from tenants.models import Organisation
from tests.people import SETTING_UP, visitor
from tests.records_screens.conftest import Find, Share, user_of
from tests.records_screens.test_list import text
from tests.records_screens.test_record import page_of

HTML = b"<html><script>alert(document.cookie)</script></html>"


@pytest.fixture(autouse=True)
def own_folder(settings: Any, tmp_path: Any) -> None:
    """Keep what the tests upload to themselves."""
    settings.MEDIA_ROOT = str(tmp_path)


@pytest.fixture
def attached(pulse: Organisation, ada: Client, gig: Find) -> RecordFile:
    """A page with a script, attached by Ada as a picture."""
    record = gig("Cellar")
    sent = SimpleUploadedFile("stage plan.png", HTML, content_type="image/png")
    assert ada.post(f"{page_of(record)}files/", {"file": sent}).status_code == 302
    with enter(pulse, actor=SETTING_UP):
        return RecordFile.objects.select_related("record").get(record=record)


def ticket_for(client: Client, file: RecordFile) -> tuple[str, str]:
    """Return the host and the address that a file's link leads to."""
    answer = client.get(f"{page_of(file.record)}files/{file.pk}/")
    assert answer.status_code == 302
    parts = urlsplit(answer["Location"])
    return str(parts.hostname), f"{parts.path}?{parts.query}"


def fetch(host: str, address: str) -> Any:
    """Return the answer of the content host to a browser without any cookie."""
    return visitor(host).get(address)


class TestAttached:
    def test_stands_on_the_page_with_kind_and_size(self, ada: Client, attached: RecordFile) -> None:
        page = text(ada.get(page_of(attached.record)).content.decode())
        assert "stage plan.png" in page
        assert "Text, 1 kB" in page

    def test_is_refused_when_empty(self, ada: Client, gig: Find) -> None:
        sent = SimpleUploadedFile("empty.txt", b"")
        address = f"{page_of(gig('Cellar'))}files/"
        answer = ada.post(address, {"file": sent}, headers={"HX-Request": "true"})
        assert answer.status_code == 422
        assert "empty" in answer.content.decode()

    def test_is_removed_and_brought_back(self, ada: Client, attached: RecordFile) -> None:
        address = f"{page_of(attached.record)}files/{attached.pk}/"
        ada.post(f"{address}remove/")
        page = ada.get(page_of(attached.record)).content.decode()
        assert f"{address}remove/" not in page
        assert f'action="{address}back/"' in page
        ada.post(f"{address}back/")
        assert f"{address}remove/" in ada.get(page_of(attached.record)).content.decode()

    def test_cannot_be_added_by_who_only_looks(self, cy: Client, gig: Find, share: Share) -> None:
        share(gig("Cellar"), "cy@pulse.example", "records.view")
        sent = SimpleUploadedFile("a.txt", b"a")
        assert cy.post(f"{page_of(gig('Cellar'))}files/", {"file": sent}).status_code == 403


class TestContent:
    def test_is_served_from_its_own_host_as_a_download(self, ada: Client, attached: RecordFile) -> None:
        host, address = ticket_for(ada, attached)
        answer = fetch(host, address)
        assert host.endswith(".content.localhost")
        assert b"".join(answer.streaming_content) == HTML
        assert answer["Content-Disposition"] == 'attachment; filename="stage plan.png"'
        assert answer["X-Content-Type-Options"] == "nosniff"
        assert "sandbox" in answer["Content-Security-Policy"]
        assert answer["Content-Type"] == "text/plain"
        assert not answer.cookies

    def test_is_not_served_from_the_organisations_host(
        self, ada: Client, pulse: Organisation, attached: RecordFile
    ) -> None:
        _, address = ticket_for(ada, attached)
        assert ada.get(address).status_code == 404

    def test_needs_a_ticket_that_is_whole(self, ada: Client, attached: RecordFile) -> None:
        host, address = ticket_for(ada, attached)
        path, _, ticket = address.partition("?")
        assert fetch(host, path).status_code == 404
        other = "E" if ticket.endswith("A") else "A"
        assert fetch(host, f"{path}?{ticket[:-1]}{other}").status_code == 404

    def test_is_not_opened_by_the_ticket_of_another_file(
        self, ada: Client, pulse: Organisation, attached: RecordFile
    ) -> None:
        sent = SimpleUploadedFile("other.txt", b"other")
        ada.post(f"{page_of(attached.record)}files/", {"file": sent})
        with enter(pulse, actor=SETTING_UP):
            other = RecordFile.objects.exclude(pk=attached.pk).get()
        host, address = ticket_for(ada, attached)
        assert fetch(host, address.replace(str(attached.pk), str(other.pk))).status_code == 404

    def test_ends_after_a_minute(
        self, ada: Client, attached: RecordFile, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        host, address = ticket_for(ada, attached)
        monkeypatch.setattr("records.views.content.GOOD_FOR", -1)
        assert fetch(host, address).status_code == 404

    def test_ends_with_the_session(self, ada: Client, pulse: Organisation, attached: RecordFile) -> None:
        host, address = ticket_for(ada, attached)
        with enter(pulse, actor=SETTING_UP):
            Session.objects.filter(user__email="ada@pulse.example").delete()
        assert fetch(host, address).status_code == 404

    def test_ends_with_the_right(
        self, cy: Client, pulse: Organisation, attached: RecordFile, share: Share
    ) -> None:
        share(attached.record, "cy@pulse.example", "records.view")
        host, address = ticket_for(cy, attached)
        guest = user_of(pulse, "cy@pulse.example")
        owner = user_of(pulse, "ada@pulse.example")
        with enter(pulse, actor=SETTING_UP):
            revoke(obj=attached.record, to=guest, by=owner, at=timezone.now())
        assert fetch(host, address).status_code == 404

    def test_is_not_served_from_another_organisations_content_host(
        self, ada: Client, tide: Organisation, attached: RecordFile
    ) -> None:
        _, address = ticket_for(ada, attached)
        assert fetch(f"{tide.content_label}.content.localhost", address).status_code == 404
