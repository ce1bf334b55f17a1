"""The pages of the trail: for those who may, filtered by their address, a part at a time."""

import re
from collections.abc import Callable

import pytest
from django.contrib.auth.models import Group
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.actions.people import add_person
from accounts.identity.models import User
from audit import access
from audit.models import Event
from permissions.actions.memberships import assign_role
from permissions.models import Role
from records.models import Collection, Record
from tenants.context import Actor, enter
from tenants.models import Organisation

ClientAs = Callable[[str, Organisation], Client]
URL = "/trail/"
HTMX = {"HX-Request": "true"}
# A test is one transaction, and somebody signs in within it: without this only that would be shown.
EVERY = {"every": "on"}


@pytest.fixture
def ada(pulse: Organisation, client_as: ClientAs) -> Client:
    """The owner's browser, after something has happened."""
    with enter(pulse, actor=Actor.system("Import")):
        Group.objects.create(name="<b>Crew</b>")
    return client_as("ada@pulse.example", pulse)


class TestTheTrailPage:
    def test_shows_sentences(self, ada: Client) -> None:
        response = ada.get(URL, EVERY)

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


class TestARefusal:
    def test_is_in_the_trail_with_who_and_what(
        self, ada: Client, pulse: Organisation, client_as: ClientAs
    ) -> None:
        assert client_as("ben@pulse.example", pulse).get(URL).status_code == 403

        page = ada.get(URL, {"action": "access.denied"}).content.decode()
        assert "Ben Castillo was not let in: read the trail" in page

    def test_is_there_also_when_a_view_says_so_itself(
        self, ada: Client, pulse: Organisation, client_as: ClientAs
    ) -> None:
        assert client_as("ben@pulse.example", pulse).get("/collections/bin/").status_code == 403

        page = ada.get(URL, {"action": "access.denied"}).content.decode()
        assert "Ben Castillo was not let in: GET /collections/bin/" in page

    def test_is_there_also_when_a_form_shows_it(
        self, ada: Client, pulse: Organisation, client_as: ClientAs
    ) -> None:
        with enter(pulse, actor=Actor.system("test")):
            owner = User.objects.get(email="ada@pulse.example")
            for name, role in (("Jo", "admin"), ("Lee", "owner")):
                person = add_person(email=f"{name}@pulse.example", name=name, at=timezone.now())
                assign_role(user=person, role=Role.objects.get(code=role), by=owner, at=timezone.now())
        url = f"/people/{person.pk}/deactivate/"
        assert client_as("jo@pulse.example", pulse).post(url).status_code >= 400

        page = ada.get(URL, {"action": "access.denied"}).content.decode()
        assert "Jo was not let in: This is decided by somebody with a higher role than yours." in page
        (entry, *_) = re.findall(r'href="(/trail/\d+/\d+/\d+/)"', page)
        assert f"POST {url}" in ada.get(entry).content.decode()


class TestWhatWasMeant:
    @pytest.fixture
    def joined(self, ada: Client, pulse: Organisation) -> Client:
        """The owner's browser, after somebody has joined."""
        with enter(pulse, actor=Actor.system("Import")):
            owner = User.objects.get(email="ada@pulse.example")
            jo = add_person(email="jo@pulse.example", name="Jo Park", at=timezone.now())
            assign_role(user=jo, role=Role.objects.get(code="member"), by=owner, at=timezone.now())
        return ada

    def test_stands_for_the_rows_written_with_it(self, joined: Client) -> None:
        page = joined.get(URL).content.decode()

        assert "Import made Jo Park a member of the organisation as Member" in page
        assert "Import added the membership" not in page

    @pytest.mark.parametrize("query", ["every=on", "action=added"])
    def test_is_joined_by_every_row_when_asked(self, joined: Client, query: str) -> None:
        assert (
            "Import added the membership Jo Park as Member" in joined.get(f"{URL}?{query}").content.decode()
        )

    def test_opens_the_rows_written_with_it(self, joined: Client) -> None:
        page = joined.get(URL, {"action": "member.joined"}).content.decode()
        (entry, *_) = re.findall(r'href="(/trail/\d+/\d+/\d+/)"[^>]*>Import made Jo Park', page)

        assert "Import added the membership Jo Park as Member" in joined.get(entry).content.decode()


class TestMany:
    @pytest.fixture
    def imported(self, pulse: Organisation) -> None:
        """Let 130 groups be made by two statements of one work."""
        with enter(pulse, actor=Actor.system("Import"), request_id="job-1"):
            made = Collection.objects.create(name="Gigs", key="gigs")
            for start in (0, 65):
                Record.objects.bulk_create(
                    Record(collection=made, values={"f": number}) for number in range(start, start + 65)
                )

    def test_are_one_line_that_opens_all_of_them(self, ada: Client, imported: None) -> None:
        page = ada.get(URL, EVERY).content.decode()
        assert "Import added 130 records of Gigs" in page
        url = re.findall(r'href="(/trail/together/[^"]+)"', page)[0].replace("&amp;", "&")

        seen: list[str] = []
        address = url
        for turn in range(9):
            answer = ada.get(address, headers=HTMX if turn else {})
            assert answer.status_code == 200
            text = answer.content.decode()
            assert turn or "130" in text
            seen += re.findall(r'href="(/trail/\d+/\d+/\d+/)"', text)
            more = re.findall(r'hx-get="(\?[^"]+)"', text)
            if not more:
                break
            address = url.partition("?")[0] + more[0].replace("&amp;", "&")
        assert len(seen) == len(set(seen)) == 130


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
