"""The organisation's look, and the way from one organisation to another."""

import io

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone
from PIL import Image

from accounts.actions.directory import repair
from accounts.actions.profile import accent_digest, redraw
from accounts.identity.models import Session, User
from accounts.refusals import NotAnImage
from accounts.sweeps import tidy
from tenants.context import enter
from tenants.models import DirectoryEntry, Organisation
from tests.accounts.test_invitations import past
from tests.people import SETTING_UP, make_person, signed_in, visitor

SETTINGS = "/settings/"
LOOK = {"display_name": "Pulse", "mark": "PN", "accent": "#0A7F5B", "time_zone": "Europe/Berlin"}


def picture(kind: str = "PNG", size: tuple[int, int] = (1200, 600)) -> bytes:
    out = io.BytesIO()
    image = Image.new("RGB", size, "#0a7f5b")
    exif = image.getexif()
    exif[0x010E] = "secret place"
    image.save(out, kind, exif=exif)
    return out.getvalue()


class TestLook:
    def test_is_saved_and_shown_on_all_pages(self, pulse: Organisation) -> None:
        client = signed_in(pulse, "ada@pulse.example")
        assert client.post(SETTINGS, LOOK).status_code == 302
        page = visitor("pulse.enclave.localhost").get("/accounts/login/").content.decode()
        assert f"/-/brand-{accent_digest('#0a7f5b')}.css" in page
        assert ">Pulse<" in page.replace("\n", "")

    @pytest.mark.parametrize("accent", ["red", "#fff", "#12345g", "#123456;}", "url(x)"])
    def test_takes_colours_only(self, pulse: Organisation, accent: str) -> None:
        client = signed_in(pulse, "ada@pulse.example")
        assert client.post(SETTINGS, {**LOOK, "accent": accent}).status_code == 422

    def test_takes_known_time_zones_only(self, pulse: Organisation) -> None:
        client = signed_in(pulse, "ada@pulse.example")
        assert client.post(SETTINGS, {**LOOK, "time_zone": "../etc/passwd"}).status_code == 422

    def test_its_stylesheet_is_kept_for_long_under_its_own_name(self, pulse: Organisation) -> None:
        client = visitor("pulse.enclave.localhost")
        response = client.get(f"/-/brand-{accent_digest('#4b45b0')}.css")
        assert response["Content-Type"] == "text/css; charset=utf-8"
        assert "immutable" in response["Cache-Control"]
        assert b"--brand:#4b45b0" in response.content
        assert client.get("/-/brand-000000000000.css").status_code == 404

    def test_is_not_changed_by_members(self, pulse: Organisation) -> None:
        assert signed_in(pulse, "ben@pulse.example").post(SETTINGS, LOOK).status_code == 403


class TestLogo:
    @pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
    def test_is_drawn_anew(self, pulse: Organisation, kind: str) -> None:
        client = signed_in(pulse, "ada@pulse.example")
        upload = SimpleUploadedFile("logo.svg", picture(kind), content_type="image/svg+xml")
        assert client.post("/settings/logo/", {"logo": upload}).status_code == 302
        page = client.get(SETTINGS).content.decode()
        path = page.split('src="/-/logo-')[1].split('"')[0]
        response = visitor("pulse.enclave.localhost").get(f"/-/logo-{path}")
        assert response["Content-Type"] == "image/png"
        drawn = Image.open(io.BytesIO(response.content))
        assert drawn.size == (512, 256)
        assert not drawn.getexif()
        assert b"secret place" not in response.content

    @pytest.mark.parametrize(
        "content",
        [b"", b"<svg xmlns='http://www.w3.org/2000/svg'/>", b"\x89PNG\r\n\x1a\n broken", b"%PDF-1.7"],
    )
    def test_is_a_picture_of_dots(self, content: bytes) -> None:
        with pytest.raises(NotAnImage):
            redraw(content)

    def test_has_not_too_many_dots(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("accounts.actions.profile._MOST_PIXELS", 1000)
        with pytest.raises(NotAnImage, match="pixels"):
            redraw(picture("PNG", (100, 100)))

    def test_says_what_is_wrong(self, pulse: Organisation) -> None:
        client = signed_in(pulse, "ada@pulse.example")
        upload = SimpleUploadedFile("logo.png", b"not a picture")
        assert client.post("/settings/logo/", {"logo": upload}).status_code == 422


class TestSwitcher:
    def test_lists_where_the_same_verified_address_is_somebody(
        self, pulse: Organisation, tide: Organisation
    ) -> None:
        make_person(tide, "ada@pulse.example", "Ada at Tide")
        repair(tide)
        page = signed_in(pulse, "ada@pulse.example").get("/organisations/").content.decode()
        assert "Tide Sessions" in page
        assert "http://tide.enclave.localhost:8000/accounts/login/?address=ada%40pulse.example" in page

    def test_lists_nothing_to_others(self, pulse: Organisation, tide: Organisation) -> None:
        page = signed_in(pulse, "ben@pulse.example").get("/organisations/").content.decode()
        assert "Tide Sessions" not in page

    def test_the_sign_in_page_has_the_address_already(self, tide: Organisation) -> None:
        page = visitor("tide.enclave.localhost").get("/accounts/login/?address=ada%40pulse.example%22%3E")
        assert 'value="ada@pulse.example&quot;&gt;"' in page.content.decode()


class TestDirectory:
    def test_is_mended(self, pulse: Organisation) -> None:
        repair(pulse)
        assert repair(pulse) == 0
        with enter(pulse, actor=SETTING_UP):
            User.objects.filter(email="ben@pulse.example").update(is_active=False)
        make_person(pulse, "fay@pulse.example", "Fay")
        assert repair(pulse) == 2
        assert not DirectoryEntry.objects.of("ben@pulse.example").exists()
        assert DirectoryEntry.objects.of("FAY@pulse.example").count() == 1
        assert repair(pulse) == 0


class TestTidying:
    def test_deletes_ended_sessions_and_mends_the_directory(self, pulse: Organisation) -> None:
        signed_in(pulse, "ben@pulse.example")
        signed_in(pulse, "cy@pulse.example")
        with enter(pulse, actor=SETTING_UP):
            ben = User.objects.get(email="ben@pulse.example")
            Session.objects.of(ben.pk).update(idle_until=timezone.now())
        assert tidy() >= 2
        with enter(pulse, actor=SETTING_UP):
            assert [session.user.email for session in Session.objects.all() if session.user] == [
                "cy@pulse.example"
            ]
        assert DirectoryEntry.objects.of("ben@pulse.example").count() == 1

    def test_ends_what_is_left_of_who_left_on_a_planned_day(self, pulse: Organisation) -> None:
        repair(pulse)
        assert DirectoryEntry.objects.of("cy@pulse.example").exists()
        past(pulse, "cy@pulse.example")
        tidy()
        with enter(pulse, actor=SETTING_UP):
            assert not User.objects.get(email="cy@pulse.example").is_active
        assert not DirectoryEntry.objects.of("cy@pulse.example").exists()
