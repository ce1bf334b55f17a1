"""The pages of the trail: for those who may, filtered by their address, a part at a time."""

from collections.abc import Callable

import pytest
from django.contrib.auth.models import Group
from django.test import Client
from django.urls import reverse

from audit import access
from audit.models import Event
from tenants.context import Actor, enter
from tenants.models import Organisation

ClientAs = Callable[[str, Organisation], Client]
URL = "/trail/"
HTMX = {"HX-Request": "true"}


@pytest.fixture
def ada(pulse: Organisation, client_as: ClientAs) -> Client:
    """The owner's browser, after something has happened."""
    with enter(pulse, actor=Actor.system("Import")):
        Group.objects.create(name="<b>Crew</b>")
    return client_as("ada@pulse.example", pulse)


class TestTheTrailPage:
    def test_shows_sentences(self, ada: Client) -> None:
        response = ada.get(URL)

        assert response.status_code == 200
        assert "Import added the group &lt;b&gt;Crew&lt;/b&gt;" in response.content.decode()

    def test_is_only_its_rows_for_htmx(self, ada: Client) -> None:
        response = ada.get(URL, headers=HTMX)

        assert response.content.decode().lstrip().startswith("<tr>")
        assert "HX-Request" in response["Vary"]

    def test_filters_by_its_address(self, ada: Client) -> None:
        shown = ada.get(URL, {"action": "added", "since": "2000-01-01"}).content.decode()
        hidden = ada.get(URL, {"until": "2000-01-01"}).content.decode()

        assert "Import added the group" in shown
        assert "Import added the group" not in hidden
        assert "Nothing matches" in hidden

    @pytest.mark.parametrize(
        "query",
        ["person=x", "kind=99", "action='", "since=never", "object=1", "after=1.2.3", "after=%00", "kind=-1"],
    )
    def test_takes_no_harm_from_a_wrong_address(self, ada: Client, query: str) -> None:
        assert ada.get(f"{URL}?{query}").status_code == 200

    def test_is_forbidden_to_a_member(self, ada: Client, pulse: Organisation, client_as: ClientAs) -> None:
        response = client_as("ben@pulse.example", pulse).get(URL)

        assert response.status_code == 403
        assert client_as("ben@pulse.example", pulse).get(f"{URL}1/1/1/").status_code == 403
        assert client_as("ben@pulse.example", pulse).get(f"{URL}together/1.1/").status_code == 403

    def test_is_closed_to_somebody_not_signed_in(self, pulse: Organisation) -> None:
        response = Client(HTTP_HOST=pulse.primary_host).get(URL)

        assert response.status_code in (302, 403)

    def test_shows_another_organisation_nothing_of_it(
        self, ada: Client, tide: Organisation, client_as: ClientAs
    ) -> None:
        assert "Crew" not in client_as("dee@tide.example", tide).get(URL).content.decode()


class TestAnEntry:
    def test_shows_what_changed(self, ada: Client, pulse: Organisation) -> None:
        with enter(pulse, actor=Actor.system("Import")):
            Group.objects.update(name="Night crew")
            event = Event.objects.get(code="auth.group.changed")
        url = reverse("trail:detail", args=[event.epoch, event.txid, event.eid], urlconf="config.urls.tenant")

        page = ada.get(url).content.decode()
        assert "Night crew" in page
        assert "&lt;b&gt;Crew&lt;/b&gt;" in page

    @pytest.mark.parametrize(
        "url", [f"{URL}1/2/3/", f"{URL}{2**70}/1/1/", f"{URL}1/{2**63}/1/", f"{URL}together/1.1/"]
    )
    def test_that_is_not_there_is_not_found(self, ada: Client, url: str) -> None:
        assert ada.get(url).status_code == 404


def test_nobody_may_see_it_until_somebody_decides(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(access, "_answers", [])

    class Person:
        is_authenticated = True

    assert not access.may_see_trail(Person())
