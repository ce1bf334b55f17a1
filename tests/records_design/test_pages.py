"""Every page of design opens, for those who may design and for nobody else."""

import pytest
from django.test import Client

from records.models import Collection
from tenants.models import Organisation
from tests.conftest import ClientAs

PAGES = (
    "/collections/new/",
    "/collections/bin/",
    "/c/gigs/design/",
    "/c/gigs/design/add/",
    "/c/gigs/design/f/f_state/",
    "/c/gigs/design/f/f_state/remove/",
    "/c/gigs/settings/",
    "/c/gigs/settings/bin/",
)


@pytest.mark.parametrize("page", PAGES)
class TestEveryPage:
    def test_opens_for_the_owner(self, ada: Client, gigs: Collection, page: str) -> None:
        assert ada.get(page).status_code == 200

    def test_opens_for_an_admin(self, ann: Client, gigs: Collection, page: str) -> None:
        assert ann.get(page).status_code == 200

    def test_refuses_a_member(
        self, pulse: Organisation, client_as: ClientAs, gigs: Collection, page: str
    ) -> None:
        assert client_as("ben@pulse.example", pulse).get(page).status_code == 403

    def test_leads_who_is_signed_out_to_sign_in(
        self, pulse: Organisation, gigs: Collection, page: str
    ) -> None:
        response = Client(HTTP_HOST=pulse.primary_host).get(page)

        assert (response.status_code, "login" in response.headers["Location"]) == (302, True)

    def test_carries_no_inline_script_or_style(self, ada: Client, gigs: Collection, page: str) -> None:
        text = ada.get(page).content.decode()

        assert [word for word in (" style=", "<style", " onclick=", "<script>") if word in text] == []


@pytest.mark.parametrize("page", [page for page in PAGES if page.startswith("/c/")])
class TestACollectionOneDoesNotSee:
    def test_is_not_there_for_a_guest(
        self, pulse: Organisation, client_as: ClientAs, gigs: Collection, page: str
    ) -> None:
        assert client_as("cy@pulse.example", pulse).get(page).status_code == 404

    def test_is_not_there_in_another_organisation(
        self, tide: Organisation, client_as: ClientAs, gigs: Collection, page: str
    ) -> None:
        assert client_as("dee@tide.example", tide).get(page).status_code == 404
