"""The pages of an import, as browsers see them."""

import re
from io import BytesIO
from typing import Any
from uuid import UUID

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from config.bodies import WholeBody
from jobs.testing import run_due
from records.models import Collection, Import, Record
from tenants.context import Actor, enter
from tenants.models import Organisation
from tests.conftest import ClientAs

PLACES = b"code,name,seats\nA,Arena,12000\nB,Barn,90\nC,=HYPERLINK(1),many\n"
ALL = ("design", "mapping", "check", "apply", "result", "undo", "read", "again", "go-on", "drop")


@pytest.fixture
def ada_at(client_as: ClientAs, pulse: Organisation) -> Client:
    return client_as("ada@pulse.example", pulse)


def url(name: str, pk: UUID) -> str:
    return reverse(f"records:{name}", args=[pk], urlconf="config.urls.tenant")


def send(
    client: Client, data: bytes = PLACES, to: str = "/imports/", headers: dict[str, str] | None = None
) -> Import:
    answer = client.post(to, {"file": SimpleUploadedFile("places.csv", data)}, headers=headers)
    assert answer.status_code in (200, 302), answer.content
    there = answer.headers.get("HX-Redirect") or answer.headers["Location"]
    found = re.fullmatch(r"/imports/([0-9a-f-]{36})/", there)
    assert found is not None
    return Import(pk=UUID(found[1]))


def state(organisation: Organisation, row: Import) -> str:
    with enter(organisation, actor=Actor.system("test")):
        row.refresh_from_db()
        return row.state


def fields_of(page: str) -> dict[str, str]:
    """Return what the browser would send of the form as it stands in the page."""
    said: dict[str, str] = {}
    for tag in re.findall(r"<input[^>]+>", page):
        name = re.search(r'name="([^"]+)"', tag)
        value = re.search(r'value="([^"]*)"', tag)
        if name and ('type="checkbox"' not in tag or " checked" in tag):
            said[name[1]] = value[1] if value else "on"
    for name, options in re.findall(r'<select name="([^"]+)".*?>(.*?)</select>', page, re.DOTALL):
        chosen = re.search(r'value="([^"]*)" selected', options)
        said[name] = chosen[1] if chosen else ""
    return said


class TestWay:
    def test_leads_from_the_drop_to_the_records(self, ada_at: Client, pulse: Organisation) -> None:
        row = send(ada_at)
        assert b"hx-get" in ada_at.get(url("import", row.pk)).content
        run_due(pulse)
        page = ada_at.get(url("import", row.pk)).content.decode()
        assert "Create the collection and import 3 rows" in page
        answer = ada_at.post(url("import-design", row.pk), fields_of(page))
        assert answer.status_code == 302, answer.content
        run_due(pulse)
        assert state(pulse, row) == "done"
        assert "records are in Places" in ada_at.get(url("import", row.pk)).content.decode()

    def test_shows_what_is_refused_and_asks(self, ada_at: Client, pulse: Organisation) -> None:
        row = send(ada_at)
        run_due(pulse)
        said = fields_of(ada_at.get(url("import", row.pk)).content.decode())
        seats = next(name for name, value in said.items() if value == "Seats").replace("name", "kind")
        ada_at.post(url("import-design", row.pk), {**said, seats: "integer"})
        run_due(pulse)
        page = ada_at.get(url("import", row.pk)).content.decode()
        assert "Import 2 rows, leave out 1" in page
        result: Any = ada_at.get(url("import-result", row.pk))
        assert b"many" in b"".join(result.streaming_content)
        assert result["X-Content-Type-Options"] == "nosniff"
        assert ada_at.post(url("import-apply", row.pk)).status_code == 302
        run_due(pulse)
        undo = ada_at.get(url("import-undo", row.pk)).content.decode()
        assert "2 records are deleted for good" in undo
        assert ada_at.post(url("import-undo", row.pk)).status_code == 302
        run_due(pulse)
        assert state(pulse, row) == "undone"

    def test_the_fragment_asks_for_the_page_when_the_state_changed(
        self, ada_at: Client, pulse: Organisation
    ) -> None:
        row = send(ada_at)
        poll = {"hx-request": "true", "hx-target": "import-progress"}
        there = f"{url('import', row.pk)}?seen=reading-"
        assert "HX-Refresh" not in ada_at.get(there, headers=poll).headers
        run_due(pulse)
        assert ada_at.get(there, headers=poll)["HX-Refresh"] == "true"

    def test_a_wrong_design_is_shown_again(self, ada_at: Client, pulse: Organisation) -> None:
        row = send(ada_at)
        run_due(pulse)
        said = fields_of(ada_at.get(url("import", row.pk)).content.decode())
        answer = ada_at.post(url("import-design", row.pk), {**said, "name": ""})
        assert answer.status_code == 422
        assert state(pulse, row) == "proposed"

    def test_the_script_of_the_drop_zone_is_sent_on(self, ada_at: Client) -> None:
        send(ada_at, headers={"hx-request": "true"})

    def test_two_files_at_once_are_refused_where_they_were_dropped(self, ada_at: Client) -> None:
        files = [SimpleUploadedFile(name, PLACES) for name in ("a.csv", "b.csv")]
        answer = ada_at.post("/imports/", {"file": files}, headers={"hx-request": "true"})
        assert answer.status_code == 422
        assert b"Choose one file" in answer.content

    def test_a_bad_file_gets_a_report(self, ada_at: Client, pulse: Organisation) -> None:
        row = send(ada_at, b"name,x\nM\xfcller,1\n")
        run_due(pulse)
        page = ada_at.get(url("import", row.pk)).content.decode()
        assert "Line 2 is not UTF-8 text" in page
        assert "Read it as Windows-1252" in page

    def test_a_file_for_a_collection_is_mapped(self, ada_at: Client, pulse: Organisation) -> None:
        with enter(pulse, actor=Actor.system("test")):
            Collection.objects.create(name="Plain", key="plain").fields.create(
                key="name", name="Name", type="text"
            )
        row = send(ada_at, to="/c/plain/import/")
        run_due(pulse)
        page = ada_at.get(url("import", row.pk)).content.decode()
        assert "New field: " in page
        ada_at.post(url("import-mapping", row.pk), fields_of(page))
        run_due(pulse)
        assert state(pulse, row) == "done"
        with enter(pulse, actor=Actor.system("test")):
            assert {one.values["name"] for one in Record.objects.all()} >= {"Arena", "Barn"}


class TestOthers:
    def test_another_organisation_finds_nothing(
        self, ada_at: Client, pulse: Organisation, tide: Organisation, client_as: ClientAs
    ) -> None:
        row = send(ada_at)
        run_due(pulse)
        dee = client_as("dee@tide.example", tide)
        assert dee.get(url("import", row.pk)).status_code == 404
        for name in ALL:
            there = url(f"import-{name}", row.pk)
            assert {dee.get(there).status_code, dee.post(there).status_code} <= {404, 405}

    @pytest.mark.parametrize("email", ["ben@pulse.example", "cy@pulse.example"])
    def test_colleagues_do_not_see_a_file_that_is_not_in_a_collection_yet(
        self, ada_at: Client, pulse: Organisation, client_as: ClientAs, email: str
    ) -> None:
        row = send(ada_at)
        run_due(pulse)
        assert client_as(email, pulse).get(url("import", row.pk)).status_code == 404

    def test_a_member_may_not_begin_a_new_collection(self, pulse: Organisation, client_as: ClientAs) -> None:
        ben = client_as("ben@pulse.example", pulse)
        assert ben.get("/imports/").status_code == 403
        assert ben.post("/imports/", {"file": SimpleUploadedFile("a.csv", PLACES)}).status_code == 403


class TestUploads:
    def test_of_a_hundred_thousand_parts_are_turned_away(self, ada_at: Client) -> None:
        for head in (b'name="file"; filename="a.csv"', b'name="x"'):
            part = b"--cut\r\nContent-Disposition: form-data; " + head + b"\r\n\r\n1\r\n"
            body = part * 100_000 + b"--cut--\r\n"
            answer = ada_at.post("/imports/", body, content_type="multipart/form-data; boundary=cut")
            assert answer.status_code == 400

    def test_that_break_off_begin_no_import(self, ada_at: Client, pulse: Organisation) -> None:
        body = b'--cut\r\nContent-Disposition: form-data; name="file"; filename="a.csv"\r\n\r\nname,x\nA,1\n'
        broken = WholeBody(BytesIO(body), len(body) + 100)
        more: dict[str, Any] = {"wsgi.input": broken, "CONTENT_LENGTH": str(len(body) + 100)}
        answer = ada_at.post("/imports/", b"x", content_type="multipart/form-data; boundary=cut", **more)
        assert answer.status_code == 408
        with enter(pulse, actor=Actor.system("test")):
            assert not Import.objects.exists()

    def test_that_say_they_are_too_large_are_turned_away_unread(self, ada_at: Client, settings: Any) -> None:
        settings.UPLOAD_LIMIT = -(1024 * 1024) + 100
        answer = ada_at.post("/imports/", {"file": SimpleUploadedFile("a.csv", PLACES * 10)})
        assert answer.status_code == 413
        assert b"too large" in answer.content
