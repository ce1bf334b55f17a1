"""Sign-up on the public site: the address is confirmed before anything is made."""

import re
from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.core.cache import cache
from django.test import Client
from django.utils import timezone

from operations.actions import signups
from operations.models import SignUp
from tenants.models import Organisation
from tests.catcher import Caught, catching, text_of

TOLD = {
    "organisation_name": "Night Owls",
    "slug": "night-owls",
    "person_name": "Noor",
    "email": "noor@owls.example",
}
PASSWORD = "a long enough password"


@pytest.fixture
def public(db: None) -> Client:
    """A browser on the public site, with its tries before it."""
    cache.clear()
    return Client(HTTP_HOST="enclave.localhost", headers={"sec-fetch-site": "same-origin"})


@pytest.fixture
def caught() -> Iterator[Caught]:
    """The mails that the sweep sends for what was signed up."""
    with catching() as mails:
        yield mails


def link_after_sign_up(public: Client, caught: Caught, **changes: str) -> str:
    """Sign up, let the sweep send the mail, and return the path of the link in it."""
    answer = public.post("/sign-up/", {**TOLD, **changes})
    assert answer.status_code == 302, answer.content
    signups.send_waiting(at=timezone.now())
    found = re.search(r"http://enclave\.localhost:\d+(/confirm/\S+)", text_of(caught[-1]))
    assert found is not None
    return found[1]


class TestSignUp:
    def test_makes_an_organisation_after_the_link(self, public: Client, caught: Caught) -> None:
        link = link_after_sign_up(public, caught)
        answer = public.post(link, {"slug": "night-owls", "password": PASSWORD})
        assert answer.status_code == 302
        assert answer["location"].startswith("http://night-owls.enclave.localhost")
        assert Organisation.objects.get(slug="night-owls").name == "Night Owls"

    def test_makes_nothing_before_the_link(self, public: Client, caught: Caught) -> None:
        link = link_after_sign_up(public, caught)
        assert public.get(link).status_code == 200
        assert not Organisation.objects.filter(slug="night-owls").exists()

    def test_the_link_works_once(self, public: Client, caught: Caught) -> None:
        link = link_after_sign_up(public, caught)
        public.post(link, {"slug": "night-owls", "password": PASSWORD})
        again = public.post(link, {"slug": "night-owls-2", "password": PASSWORD})
        assert again.status_code == 410

    def test_an_old_link_does_nothing(self, public: Client, caught: Caught) -> None:
        link = link_after_sign_up(public, caught)
        SignUp.objects.update(asked_at=timezone.now() - timedelta(days=3))
        assert public.get(link).status_code == 410

    def test_only_the_digest_of_the_token_is_kept(self, public: Client, caught: Caught) -> None:
        token = link_after_sign_up(public, caught).split("/")[2]
        assert token not in str(list(SignUp.objects.values()))

    def test_a_taken_address_can_be_changed_on_the_way(self, public: Client, caught: Caught) -> None:
        link = link_after_sign_up(public, caught)
        taken = public.post(link, {"slug": "pulse", "password": PASSWORD})
        assert taken.status_code == 422
        assert public.post(link, {"slug": "owls-by-night", "password": PASSWORD}).status_code == 302

    @pytest.mark.parametrize("password", ["short", "password1234", ""])
    def test_a_weak_password_is_refused(self, public: Client, caught: Caught, password: str) -> None:
        link = link_after_sign_up(public, caught)
        assert public.post(link, {"slug": "night-owls", "password": password}).status_code == 422

    @pytest.mark.parametrize("slug", ["pulse", "admin", "No", "a--b"])
    def test_a_bad_address_keeps_what_was_typed(self, public: Client, slug: str) -> None:
        answer = public.post("/sign-up/", {**TOLD, "slug": slug})
        assert answer.status_code == 422
        assert "Night Owls" in answer.content.decode()

    def test_the_mail_has_one_receiver(self, public: Client, caught: Caught) -> None:
        answer = public.post("/sign-up/", {**TOLD, "email": "noor@owls.example\nBcc: x@evil.example"})
        assert answer.status_code == 422
        link_after_sign_up(public, caught)
        assert caught[-1]["To"] == "noor@owls.example"

    def test_a_failed_making_can_be_tried_again(
        self, public: Client, caught: Caught, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        link = link_after_sign_up(public, caught)

        def fail(*args: object, **kwargs: object) -> None:
            raise ZeroDivisionError

        monkeypatch.setattr(signups, "provision", fail)
        with pytest.raises(ZeroDivisionError):
            public.post(link, {"slug": "night-owls", "password": PASSWORD})
        monkeypatch.undo()
        assert public.post(link, {"slug": "night-owls", "password": PASSWORD}).status_code == 302


class TestPublicSite:
    @pytest.mark.parametrize("path", ["/", "/sign-up/", "/sign-up/sent/"])
    def test_opens(self, public: Client, path: str) -> None:
        assert public.get(path).status_code == 200

    @pytest.mark.parametrize("path", ["/accounts/login/", "/console/", "/people/"])
    def test_has_nothing_of_the_other_sites(self, public: Client, path: str) -> None:
        assert public.get(path).status_code == 404
