"""The operators' console: organisations, acts with a reason, and nothing of what organisations own."""

import pytest
from django.conf import settings
from django.core.cache import cache
from django.test import Client

from accounts.identity.models import User
from operations.models import OperatorAct
from tenants.context import control_plane
from tenants.models import Organisation
from tenants.placement import State
from tests.accounts.test_operators import enrol, with_password
from tests.conftest import PASSWORD
from tests.people import visitor

LIST = "/console/tenants/organisation/"


@pytest.fixture
def console(db: None) -> Client:
    """An operator's browser, past the second step."""
    cache.clear()
    with control_plane():
        User.objects.create_superuser("oz@enclave.example", "Oz", PASSWORD)
    client = visitor(settings.OPERATORS_HOST)
    with_password(client)
    enrol(client)
    return client


def state_page(organisation: Organisation, state: State) -> str:
    """Return where an organisation's state is changed."""
    return f"{LIST}{organisation.pk}/state/{state.value}/"


class TestOrganisations:
    def test_are_listed_with_their_states(self, console: Client, pulse: Organisation) -> None:
        page = console.get(LIST).content.decode()
        assert "Pulse Nights" in page
        assert "pulse.enclave.localhost" in page

    def test_show_nothing_that_they_own(self, console: Client, pulse: Organisation) -> None:
        page = console.get(f"{LIST}{pulse.pk}/change/").content.decode()
        assert "ada@pulse.example" not in page

    def test_are_made_with_a_reason(self, console: Client) -> None:
        told = {
            "name": "Made Here",
            "slug": "made-here",
            "owner_name": "Moa",
            "owner_email": "moa@made.example",
            "shard": "shard_2",
            "reason": "Asked for by phone",
        }
        assert console.post(f"{LIST}make/", told).status_code == 302
        assert Organisation.objects.get(slug="made-here").shard_id == "shard_2"
        assert OperatorAct.objects.get().reason == "Asked for by phone"

    @pytest.mark.parametrize("page", ["add/", "{pk}/delete/"])
    def test_are_not_written_behind_the_actions(
        self, console: Client, pulse: Organisation, page: str
    ) -> None:
        assert console.get(LIST + page.format(pk=pulse.pk)).status_code == 403


class TestState:
    def test_says_first_what_happens(self, console: Client, pulse: Organisation) -> None:
        page = console.get(state_page(pulse, State.SUSPENDED)).content.decode()
        assert "cannot sign in" in page

    def test_is_felt_at_once_and_written_down(self, console: Client, pulse: Organisation) -> None:
        console.post(state_page(pulse, State.SUSPENDED), {"reason": "Invoice not paid"})
        assert visitor(pulse.primary_host).get("/accounts/login/").status_code == 503
        act = OperatorAct.objects.get()
        assert (act.act, act.reason, act.operator_label) == (
            "suspended",
            "Invoice not paid",
            "oz@enclave.example",
        )

    @pytest.mark.parametrize("reason", ["", "short"])
    def test_needs_a_reason(self, console: Client, pulse: Organisation, reason: str) -> None:
        assert console.post(state_page(pulse, State.SUSPENDED), {"reason": reason}).status_code == 422
        assert not OperatorAct.objects.exists()

    @pytest.mark.parametrize("state", ["gone", "trial", "nonsense"])
    def test_goes_only_where_it_may(self, console: Client, pulse: Organisation, state: str) -> None:
        assert console.post(f"{LIST}{pulse.pk}/state/{state}/", {"reason": "Because"}).status_code == 403


class TestWalls:
    @pytest.mark.parametrize("path", ["/console/", LIST, "/console/identity/user/"])
    def test_nobody_else_gets_in(self, db: None, path: str) -> None:
        assert visitor(settings.OPERATORS_HOST).get(path).status_code == 302

    def test_it_is_not_on_an_organisation_s_host(self, pulse: Organisation) -> None:
        assert visitor(pulse.primary_host).get("/console/").status_code == 404
