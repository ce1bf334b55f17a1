"""Files: what they are is found in them, where they lie is the server's choice."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

from accounts.identity.models import User
from records.actions import files
from records.actions.refusals import CannotDesign
from records.files import storage
from records.files.refusals import FileRefused
from records.models import Collection, Record, RecordFile
from tenants.models import Organisation
from tests.records.conftest import NOW, Design, add

PNG = b"\x89PNG\r\n\x1a\n" + b"\x00" * 32
HTML = b"<html><script>alert(1)</script>"


@pytest.fixture
def gigs(design: Design) -> Collection:
    return design(name="text", poster="file")


@pytest.fixture
def gig(gigs: Collection) -> Record:
    return add(gigs, {"name": "Bass"})[0]


def attach(record: Record, content: bytes, by: User, name: str = "a.png", field: str = "") -> RecordFile:
    return files.attach(record=record, name=name, chunks=[content], by=by, at=NOW, field_key=field)


class TestAttach:
    @pytest.mark.parametrize(
        ("content", "name", "kind"),
        [
            (PNG, "holiday.html", "image/png"),
            (HTML, "holiday.png", "text/plain"),
            (b"<svg onload='x()'/>", "a.svg", "text/plain"),
            (b"a,b\n1,2\n", "a.csv", "text/csv"),
            (b"%PDF-1.7 " + b" " * 300, "a", "application/pdf"),
            (b"\x00\x01\x02", "a.txt", "application/octet-stream"),
            ("æ".encode() * 5000, "a.txt", "text/plain"),
        ],
    )
    def test_finds_the_type_in_the_content(
        self, gig: Record, ada: User, content: bytes, name: str, kind: str
    ) -> None:
        assert attach(gig, content, ada, name).content_type == kind

    @pytest.mark.parametrize("name", ["../../etc/passwd", "C:\\x\\y.png", "a\u202egnp.exe", "", "x" * 900])
    def test_keeps_no_path_of_the_sender(
        self, inside: Organisation, gig: Record, ada: User, name: str
    ) -> None:
        file = attach(gig, PNG, ada, name)
        home = Path(settings.MEDIA_ROOT).resolve() / inside.schema_name
        assert home in storage.location(file).parents
        assert file.name
        assert not set(file.name) & {"/", "\\", "\u202e"}
        assert b"".join(storage.open_content(file)) == PNG

    def test_refuses_empty_and_large_ones_and_leaves_nothing(
        self, gig: Record, ada: User, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(storage, "LARGEST", 10)
        before = set(storage.folder().glob("??/*"))
        for content in (b"", b"x" * 11):
            with pytest.raises(FileRefused):
                attach(gig, content, ada)
        with pytest.raises(CannotDesign):
            attach(gig, b"x", ada, field="name")
        assert set(storage.folder().glob("??/*")) == before

    def test_puts_it_into_its_field_and_takes_it_out_again(self, gig: Record, ada: User) -> None:
        file = attach(gig, PNG, ada, field="poster")
        gig.refresh_from_db()
        assert (gig.values["poster"], gig.version) == (str(file.pk), 2)
        files.remove(file=file, by=ada, at=NOW)
        gig.refresh_from_db()
        assert "poster" not in gig.values

    def test_sweeps_content_that_no_row_has_named_for_a_month(
        self, gig: Record, ada: User, settings: Any, tmp_path: Path
    ) -> None:
        settings.MEDIA_ROOT = str(tmp_path)
        kept, removed, lost, back = (attach(gig, PNG, ada) for _ in range(4))
        files.remove(file=removed, by=ada, at=NOW)
        places = [storage.location(one) for one in (kept, removed, lost, back)]

        def swept(days: float) -> list[bool]:
            at = datetime.now(UTC) + timedelta(days=days)
            storage.sweep(storage.folder(), storage.named(), at=at)
            return [place.exists() for place in places]

        RecordFile.objects.filter(pk__in=[lost.pk, back.pk]).delete()
        assert swept(0) == swept(1) == [True] * 4
        back.save(force_insert=True)
        assert swept(2) == swept(30.5) == [True] * 4
        RecordFile.objects.filter(pk=back.pk).delete()
        # Its month begins anew.
        assert swept(31.5) == swept(61) == [True, True, False, True]
        assert swept(62) == [True, True, False, False]

    def test_leaves_content_alone_that_a_request_may_be_writing(
        self, gig: Record, ada: User, settings: Any, tmp_path: Path
    ) -> None:
        settings.MEDIA_ROOT = str(tmp_path)
        young = storage.location(attach(gig, PNG, ada))
        storage.sweep(storage.folder(), set(), at=datetime.now(UTC) + timedelta(hours=5))
        assert young.exists()
        assert not list((storage.folder() / "unnamed").iterdir())

    def test_never_leads_out_of_the_folder(self, gig: Record, ada: User) -> None:
        file = attach(gig, PNG, ada)
        file.path = "../../../etc/passwd"
        with pytest.raises(ValueError, match="leads out"):
            storage.open_content(file)
