"""The disk that uploads go to is full: the page says so, nothing is half kept, and later it works."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from tenants.models import Organisation
from tests.conftest import ClientAs
from tests.faults.console import UPLOADS, told
from tests.faults.disks import filled, small_disk

pytestmark = pytest.mark.nightly
MUCH = b"city,people\n" + b"Oslo,700000\n" * 200_000


@pytest.fixture(autouse=True)
def second() -> None:
    """No second database is needed here."""


@pytest.fixture(autouse=True)
def well() -> None:
    """Nor is it left running."""


@pytest.fixture
def disk() -> Iterator[Path]:
    """A disk of eight megabytes."""
    with small_disk(8) as folder:
        yield folder


@pytest.fixture
def ada(client_as: ClientAs, pulse: Organisation) -> Client:
    """The browser of somebody who imports."""
    browser = client_as("ada@pulse.example", pulse)
    browser.raise_request_exception = False
    return browser


def send(browser: Client) -> Any:
    """Drop a file of two megabytes."""
    return browser.post("/imports/", {"file": SimpleUploadedFile("places.csv", MUCH)})


def files_in(folder: Path) -> list[Path]:
    """Return what lies in a folder, but for what fills it."""
    return [path for path in folder.rglob("*") if path.is_file() and path.name != "ballast"]


class TestFullDisk:
    def test_is_said_and_nothing_is_half_kept(self, ada: Client, disk: Path, settings: Any) -> None:
        settings.MEDIA_ROOT = str(disk)
        settings.UPLOAD_LIMIT = 4_000_000
        assert told() == set()
        with filled(disk):
            answer = send(ada)
            assert answer.status_code == 503
            assert "Nothing can be saved right now" in answer.content.decode()
            assert ada.get("/imports/").status_code == 200
            assert files_in(disk) == []
            assert told() == {UPLOADS}
        assert send(ada).status_code == 302
