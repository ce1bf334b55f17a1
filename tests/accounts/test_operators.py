"""Sign-in at the operators' console: a second step is not a choice."""

import pyotp
import pytest
from django.conf import settings
from django.test import Client

from accounts.identity.models import User
from tenants.context import control_plane
from tenants.models import Organisation
from tests.conftest import PASSWORD
from tests.people import visitor

LOGIN = "/accounts/login/"
ENROL = "/accounts/2fa/totp/activate/"


@pytest.fixture
def oz(db: None) -> User:
    """An operator with a password and nothing else."""
    with control_plane():
        return User.objects.create_superuser("oz@enclave.example", "Oz", PASSWORD)


def with_password(client: Client, email: str = "oz@enclave.example") -> str:
    response = client.post(LOGIN, {"login": email, "password": PASSWORD})
    return response.headers.get("Location", "")


def enrol(client: Client) -> str:
    secret = str(client.get(ENROL).context["form"].secret)
    assert client.post(ENROL, {"code": pyotp.TOTP(secret).now()}).status_code == 302
    return secret


class TestConsole:
    @pytest.mark.parametrize(
        "path", ["/", "/console/", "/console/tenants/organisation/", "/accounts/password/change/"]
    )
    def test_shows_nothing_before_the_second_step_is_set_up(self, oz: User, path: str) -> None:
        client = visitor(settings.OPERATORS_HOST)
        with_password(client)
        assert client.get(path)["Location"] == ENROL

    def test_opens_after_the_enrolment(self, oz: User) -> None:
        client = visitor(settings.OPERATORS_HOST)
        with_password(client)
        enrol(client)
        assert client.get("/console/").status_code == 200

    def test_asks_for_the_code_from_then_on(self, oz: User) -> None:
        first = visitor(settings.OPERATORS_HOST)
        with_password(first)
        secret = enrol(first)
        client = visitor(settings.OPERATORS_HOST)
        assert with_password(client) == "/accounts/2fa/authenticate/"
        assert client.get("/console/").status_code == 302
        assert (
            client.post("/accounts/2fa/authenticate/", {"code": pyotp.TOTP(secret).now()}).status_code == 302
        )
        assert client.get("/console/").status_code == 200

    def test_is_not_for_people_of_organisations(self, pulse: Organisation) -> None:
        client = visitor(settings.OPERATORS_HOST)
        assert with_password(client, "ada@pulse.example") == ""
        assert client.get("/console/").status_code == 302

    def test_says_whose_page_it_is(self, db: None) -> None:
        page = visitor(settings.OPERATORS_HOST).get(LOGIN).content.decode()
        assert "Enclave operators" in page
        assert "operators_entrance.css" in page
