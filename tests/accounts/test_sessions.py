"""Sessions: where they are valid, and what ends them on the next request."""

from datetime import timedelta

import pytest
from django.conf import settings
from django.test import Client
from django.utils import timezone

from accounts.actions.people import sign_out_everywhere
from accounts.identity.models import Session, User
from accounts.sessions import SessionStore
from permissions.actions.memberships import assign_role
from permissions.models import Role
from tenants.context import NoTenant, control_plane, enter
from tenants.models import Domain, Organisation
from tests.accounts.test_invitations import past
from tests.accounts.test_sign_in import LOGIN
from tests.conftest import PASSWORD
from tests.people import SETTING_UP, make_person, signed_in, visitor

COOKIE = settings.SESSION_COOKIE_NAME
# A page that only a signed-in person gets.
PAGE = "/accounts/password/change/"


def opens(client: Client) -> bool:
    return client.get(PAGE).status_code == 200


class TestWhereItIsValid:
    def test_on_its_host(self, pulse: Organisation) -> None:
        assert opens(signed_in(pulse, "ada@pulse.example"))

    def test_not_on_another_organisations_host(self, pulse: Organisation, other: Organisation) -> None:
        make_person(other, "ada@pulse.example", "Ada of Other")
        thief = visitor(other.primary_host)
        thief.cookies[COOKIE] = signed_in(pulse, "ada@pulse.example").cookies[COOKIE].value
        assert not opens(thief)

    def test_not_on_a_second_host_of_the_same_organisation(self, pulse: Organisation) -> None:
        with control_plane():
            Domain.objects.create(domain="pulse.example", tenant=pulse, is_primary=False)
        thief = visitor("pulse.example")
        thief.cookies[COOKIE] = signed_in(pulse, "ada@pulse.example").cookies[COOKIE].value
        assert not opens(thief)

    def test_not_at_the_console(self, pulse: Organisation) -> None:
        thief = visitor(settings.OPERATORS_HOST)
        thief.cookies[COOKIE] = signed_in(pulse, "ada@pulse.example").cookies[COOKIE].value
        assert not opens(thief)

    def test_not_when_copied_into_another_schema(self, pulse: Organisation, other: Organisation) -> None:
        client = signed_in(pulse, "ada@pulse.example")
        eve = make_person(other, "eve2@other.example", "Eve")
        with enter(pulse, actor=SETTING_UP):
            columns = Session.objects.values().get(user__email="ada@pulse.example")
        with enter(other, actor=SETTING_UP):
            Session.objects.create(**{**columns, "user_id": eve.pk})
        thief = visitor(other.primary_host)
        thief.cookies[COOKIE] = client.cookies[COOKIE].value
        assert not opens(thief)

    def test_not_when_it_says_that_it_is_another_organisations(
        self, pulse: Organisation, other: Organisation
    ) -> None:
        client = signed_in(pulse, "ada@pulse.example")
        with enter(pulse, actor=SETTING_UP):
            Session.objects.update(organisation_id=other.pk)
        assert not opens(client)

    def test_not_where_files_are_served(self, pulse: Organisation) -> None:
        """The content site knows no session, and sets none: its cookie would be anybody's."""
        client = visitor(f"{pulse.content_label}.{settings.CONTENT_DOMAIN}")
        client.cookies[COOKIE] = signed_in(pulse, "ada@pulse.example").cookies[COOKIE].value
        request = client.get("/00000000-0000-7000-8000-000000000001/plan.pdf").wsgi_request
        assert not request.user.is_authenticated

    def test_nowhere_outside_a_site(self, db: None) -> None:
        assert SessionStore("some-token-of-somebody").get("anything") is None
        with pytest.raises(NoTenant):
            SessionStore().save()


class TestWhatEndsIt:
    def test_deactivation(self, pulse: Organisation) -> None:
        client = signed_in(pulse, "ada@pulse.example")
        with enter(pulse, actor=SETTING_UP):
            User.objects.filter(email="ada@pulse.example").update(is_active=False)
        assert not opens(client)

    def test_a_raised_version(self, pulse: Organisation) -> None:
        client = signed_in(pulse, "ada@pulse.example")
        with enter(pulse, actor=SETTING_UP):
            User.objects.filter(email="ada@pulse.example").update(session_version=7)
        assert not opens(client)

    def test_a_new_password(self, pulse: Organisation) -> None:
        client = signed_in(pulse, "ada@pulse.example")
        with enter(pulse, actor=SETTING_UP):
            ada = User.objects.get(email="ada@pulse.example")
            ada.set_password("another long password")
            ada.save(update_fields=["password"])
        assert not opens(client)

    @pytest.mark.parametrize("limit", ["idle_until", "ends_at"])
    def test_a_limit(self, pulse: Organisation, limit: str) -> None:
        client = signed_in(pulse, "ada@pulse.example")
        with enter(pulse, actor=SETTING_UP):
            Session.objects.update(**{limit: timezone.now() - timedelta(seconds=1)})
        assert not opens(client)

    def test_the_last_day_of_a_membership(self, pulse: Organisation) -> None:
        client = signed_in(pulse, "ben@pulse.example")
        past(pulse, "ben@pulse.example")
        assert not opens(client)
        again = visitor(pulse.primary_host)
        answer = again.post(LOGIN, {"login": "ben@pulse.example", "password": PASSWORD})
        assert answer["Location"] == "/accounts/inactive/"
        assert not opens(again)

    def test_signing_out_everywhere_keeps_this_one(self, pulse: Organisation) -> None:
        here, there = signed_in(pulse, "ada@pulse.example"), signed_in(pulse, "ada@pulse.example")
        with enter(pulse, actor=SETTING_UP):
            ada = User.objects.get(email="ada@pulse.example")
            kept = Session.objects.of(ada.pk).earliest("created_at")
            assert sign_out_everywhere(user=ada, keep=kept.pk) == 1
        assert opens(here)
        assert not opens(there)

    def test_signing_out(self, pulse: Organisation) -> None:
        client = signed_in(pulse, "ada@pulse.example")
        token = client.cookies[COOKIE].value
        response = client.post("/accounts/logout/")
        assert response.status_code == 302
        assert response["Clear-Site-Data"] == '"cache", "storage"'
        assert response.cookies[COOKIE]["max-age"] == 0
        client.cookies[COOKIE] = token
        assert not opens(client)


class TestItsToken:
    """A token is never older than what it stands for."""

    def raised(self, pulse: Organisation) -> None:
        with enter(pulse, actor=SETTING_UP):
            ada, ben = (User.objects.get(email=f"{name}@pulse.example") for name in ("ada", "ben"))
            assign_role(user=ben, role=Role.objects.get(code="admin"), by=ada, at=timezone.now())

    def test_is_replaced_after_a_change_of_role(self, pulse: Organisation) -> None:
        client = signed_in(pulse, "ben@pulse.example")
        before = client.cookies[COOKIE].value
        with enter(pulse, actor=SETTING_UP):
            kept = Session.objects.values("pk", "authenticated_at", "ends_at", "idle").get()
        self.raised(pulse)
        assert opens(client)
        assert client.cookies[COOKIE].value != before
        assert opens(client)
        thief = visitor(pulse.primary_host)
        thief.cookies[COOKIE] = before
        assert not opens(thief)
        with enter(pulse, actor=SETTING_UP):
            assert Session.objects.values("pk", "authenticated_at", "ends_at", "idle").get() == kept

    def test_is_replaced_once(self, pulse: Organisation) -> None:
        client = signed_in(pulse, "ben@pulse.example")
        self.raised(pulse)
        opens(client)
        renewed = client.cookies[COOKIE].value
        opens(client)
        assert client.cookies[COOKIE].value == renewed

    @pytest.mark.parametrize(
        ("path", "headers"),
        [
            (PAGE, {"HX-Request": "true"}),
            (PAGE, {"Sec-Fetch-Mode": "cors"}),
            ("/nowhere/", {}),
        ],
        ids=["fragment", "script", "error"],
    )
    def test_is_kept_where_a_new_one_would_be_lost(
        self, pulse: Organisation, path: str, headers: dict[str, str]
    ) -> None:
        client = signed_in(pulse, "ben@pulse.example")
        before = client.cookies[COOKIE].value
        self.raised(pulse)
        client.get(path, headers=headers)
        assert client.cookies[COOKIE].value == before
        assert opens(client)

    def test_is_replaced_when_the_password_was_asked_again(self, pulse: Organisation) -> None:
        client = signed_in(pulse, "ada@pulse.example")
        before = client.cookies[COOKIE].value
        answer = client.post("/accounts/reauthenticate/", {"password": PASSWORD})
        assert answer.status_code == 302
        assert client.cookies[COOKIE].value != before
        assert opens(client)
        thief = visitor(pulse.primary_host)
        thief.cookies[COOKIE] = before
        assert not opens(thief)

    def test_is_not_thrown_away_by_an_answer_to_the_old_one(self, pulse: Organisation) -> None:
        """Two pages are opened at once: the second arrives when the first has renewed the token."""
        client = signed_in(pulse, "ben@pulse.example")
        late = visitor(pulse.primary_host)
        late.cookies[COOKIE] = client.cookies[COOKIE].value
        self.raised(pulse)
        assert opens(client)
        assert COOKIE not in late.get(PAGE).cookies

    def test_is_kept_when_the_password_was_wrong(self, pulse: Organisation) -> None:
        client = signed_in(pulse, "ada@pulse.example")
        before = client.cookies[COOKIE].value
        client.post("/accounts/reauthenticate/", {"password": "wrong"})
        assert client.cookies[COOKIE].value == before


class TestWhatItCosts:
    def test_no_row_for_a_visitor(self, pulse: Organisation) -> None:
        visitor("pulse.enclave.localhost").get("/accounts/login/")
        with enter(pulse, actor=SETTING_UP):
            assert not Session.objects.exists()

    def test_a_visit_is_noted_once_in_a_while(self, pulse: Organisation) -> None:
        client = signed_in(pulse, "ada@pulse.example")
        with enter(pulse, actor=SETTING_UP):
            Session.objects.update(last_seen_at=timezone.now() - timedelta(hours=1))
        opens(client)
        with enter(pulse, actor=SETTING_UP):
            seen = Session.objects.get().last_seen_at
        opens(client)
        with enter(pulse, actor=SETTING_UP):
            assert Session.objects.get().last_seen_at == seen
        assert timezone.now() - seen < timedelta(minutes=1)

    def test_data_is_not_readable_in_the_table(self, pulse: Organisation) -> None:
        with enter(pulse, actor=SETTING_UP):
            store = SessionStore()
            store["secret"] = "JBSWY3DPEHPK3PXP"
            store.save()
            assert "JBSWY3DPEHPK3PXP" not in Session.objects.get().data
            assert SessionStore(store.session_key)["secret"] == "JBSWY3DPEHPK3PXP"
