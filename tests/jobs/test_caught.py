"""The page of caught mail: what a real mail server took is read there, and only while developing."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from django.test import Client

from accounts.actions.resets import request_reset
from config.embedded.mail import FolderHandler
from config.embedded.ports import free_port
from jobs.testing import run_due
from tenants.context import enter
from tenants.models import Organisation
from tests.people import SETTING_UP


@pytest.fixture
def catcher(tmp_path: Path, settings: Any) -> Iterator[Path]:
    """The catcher of bin/up, as the server that mail goes to."""
    server: Any = Controller(FolderHandler(tmp_path), hostname="127.0.0.1", port=free_port())
    server.start()
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", server.port
    settings.MAIL_CATCHER_FOLDER = str(tmp_path)
    yield tmp_path
    server.stop()


@pytest.fixture
def public(db: None) -> Client:
    """A browser on the public site."""
    return Client(HTTP_HOST="enclave.localhost")


class TestCaughtMail:
    def test_is_listed_and_its_link_can_be_followed(
        self, pulse: Organisation, public: Client, catcher: Path
    ) -> None:
        with enter(pulse, actor=SETTING_UP):
            request_reset(email="ada@pulse.example")
        run_due(pulse)
        page = public.get("/mail/").content.decode()
        assert "Choose a new password for Pulse Nights" in page
        path = re.search(r'href="(/mail/[^"]+/)"', page)
        assert path is not None
        shown = public.get(path[1]).content.decode()
        assert "ada@pulse.example" in shown
        assert 'href="http://pulse.enclave.localhost:8000/accounts/password/reset/key/' in shown

    def test_is_found_by_its_address(self, public: Client, catcher: Path) -> None:
        for name, to in (("1-0000000a", "ada@x.example"), ("2-0000000b", "ben@x.example")):
            file = catcher / f"20261101T00000000000{name}.eml"
            file.write_text(f"X-Envelope-To: {to}\r\nSubject: Hello\r\n\r\nHi <b>you</b>\r\n")
        page = public.get("/mail/", {"q": "BEN@"}).content.decode()
        assert "ben@x.example" in page
        assert "ada@x.example" not in page
        assert "&lt;b&gt;" in public.get("/mail/20261101T000000000002-0000000b/").content.decode()

    @pytest.mark.parametrize("name", ["20261101T000000000001-0000000a", "secret-key", "a"])
    def test_is_nothing_else_in_the_folder(self, public: Client, catcher: Path, name: str) -> None:
        (catcher / "secret-key.eml").write_text("no mail of the catcher")
        assert public.get(f"/mail/{name}/").status_code == 404

    @pytest.mark.parametrize(
        "chosen", [{"MAIL_CATCHER_FOLDER": ""}, {"DEVELOPMENT": False}], ids=["no catcher", "in earnest"]
    )
    def test_is_nowhere_else(
        self, public: Client, catcher: Path, settings: Any, chosen: dict[str, object]
    ) -> None:
        for setting, value in chosen.items():
            setattr(settings, setting, value)
        assert public.get("/mail/").status_code == 404

    def test_is_not_on_the_site_of_an_organisation(self, pulse: Organisation, catcher: Path) -> None:
        assert Client(HTTP_HOST=pulse.primary_host).get("/mail/").status_code == 404
