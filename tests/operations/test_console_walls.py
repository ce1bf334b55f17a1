"""Every address of the operators' console, tried by everybody who has no business there."""

from collections.abc import Iterator
from uuid import UUID

import pytest
from django.conf import settings
from django.core.cache import cache
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from accounts.identity.models import User
from operations.admin import console as site
from operations.models import OperatorAct
from tenants.context import control_plane
from tenants.models import Organisation
from tests.accounts.test_operators import ENROL, enrol, with_password
from tests.conftest import PASSWORD, ClientAs
from tests.people import visitor

URLCONF = "config.urls.operators"
NOBODY = UUID(int=1)
# The acts, and what stands in their addresses. Whoever adds an address to the console adds it here.
ACTS: dict[str, dict[str, object]] = {
    "organisation-make": {},
    "organisation-state": {"pk": NOBODY, "state": "suspended"},
    "organisation-ring": {"pk": NOBODY},
    "organisation-restore": {"pk": NOBODY},
    "organisation-release": {"pk": NOBODY},
    "organisation-export": {"pk": NOBODY},
    "organisation-erase": {"pk": NOBODY},
    "organisation-move": {"pk": NOBODY},
    "organisation-merge": {"pk": NOBODY},
    "move": {"pk": NOBODY},
    "move-cancel": {"pk": NOBODY},
    "run-stop": {"pk": NOBODY},
    "restore-approve": {"pk": NOBODY},
    "restore-decline": {"pk": NOBODY},
    "restore-undo": {"pk": NOBODY},
    "erasure-approve": {"pk": NOBODY},
    "erasure-cancel": {"pk": NOBODY},
    "split-approve": {"pk": NOBODY},
    "split-cancel": {"pk": NOBODY},
    "split-undo": {"pk": NOBODY},
    "split-close": {"pk": NOBODY},
    "merge-approve": {"pk": NOBODY},
    "merge-cancel": {"pk": NOBODY},
    "merge-undo": {"pk": NOBODY},
    "merge-close": {"pk": NOBODY},
    "backfill-start": {"name": "nothing"},
    "backfill-act": {"pk": NOBODY, "act": "pause"},
    "backfill-act-in": {"pk": NOBODY, "act": "pause", "only": "pulse"},
}
# What the framework brings.
FRAME: dict[str, dict[str, object]] = {
    "index": {},
    "logout": {},
    "password_change": {},
    "password_change_done": {},
    "autocomplete": {},
    "jsi18n": {},
    "view_on_site": {"content_type_id": 1, "object_id": 1},
    "app_list": {"app_label": "operations"},
}
# It leads to the sign-in, whoever asks.
OPEN = {"login"}
PAGES: dict[str, dict[str, object]] = {
    "changelist": {},
    "add": {},
    "history": {"object_id": NOBODY},
    "delete": {"object_id": NOBODY},
    "change": {"object_id": NOBODY},
}
OF_TABLES = {
    f"{model._meta.app_label}_{model._meta.model_name}_{page}": args
    for model in site._registry
    for page, args in PAGES.items()
}
TABLE: dict[str, dict[str, object]] = {**ACTS, **FRAME, **OF_TABLES}
# The two ways in which the framework catches what has no name.
UNNAMED = ("/console/tenants/organisation/1/", "/console/nothing/at/all/")
ADDRESSES = [
    *(reverse(f"admin:{name}", urlconf=URLCONF, kwargs=args) for name, args in TABLE.items()),
    *UNNAMED,
]


def names(resolver: URLResolver) -> Iterator[str]:
    """Return the names of all addresses below one, and "" for those without."""
    for one in resolver.url_patterns:
        if isinstance(one, URLPattern):
            yield one.name or ""
        else:
            yield from names(one)


def test_no_address_is_missing_from_the_table() -> None:
    resolvers = [one for one in get_resolver(URLCONF).url_patterns if isinstance(one, URLResolver)]
    [below] = [one for one in resolvers if one.namespace == site.name]
    assert sorted(set(names(below)) - {"", *OPEN}) == sorted(TABLE)


def answers(client: Client, addresses: list[str]) -> dict[str, set[str]]:
    """Return what came back, each with the addresses that answered so: a status, and where it leads."""
    found: dict[str, set[str]] = {}
    for address in addresses:
        for method in (client.get, client.post):
            response = method(address)
            leads = response.headers.get("Location", "").split("?")[0]
            found.setdefault(f"{response.status_code} {leads}".strip(), set()).add(address)
    return found


class TestWalls:
    def test_whoever_is_not_signed_in_is_led_to_the_sign_in(self, db: None) -> None:
        client = visitor(settings.OPERATORS_HOST)
        out = reverse("admin:logout", urlconf=URLCONF)
        found = answers(client, [address for address in ADDRESSES if address != out])
        assert set(found) == {"302 /console/login/"}, found
        assert set(answers(client, [out])) == {"302 /console/"}
        assert client.get("/console/login/")["Location"].startswith("/accounts/login/")

    def test_none_is_on_an_organisation_s_host(self, pulse: Organisation, client_as: ClientAs) -> None:
        assert set(answers(client_as("ada@pulse.example", pulse), ADDRESSES)) == {"404"}

    def test_a_password_alone_is_not_enough(self, db: None) -> None:
        cache.clear()
        with control_plane():
            User.objects.create_superuser("oz@enclave.example", "Oz", PASSWORD)
        client = visitor(settings.OPERATORS_HOST)
        with_password(client)
        assert set(answers(client, ADDRESSES)) == {f"302 {ENROL}"}

    @pytest.mark.parametrize(
        "rights", [{}, {"is_staff": True}, {"is_superuser": True}], ids=["none", "staff", "superuser"]
    )
    def test_an_account_without_the_rights_does_nothing(
        self, pulse: Organisation, rights: dict[str, bool]
    ) -> None:
        cache.clear()
        with control_plane():
            User.objects.create_user("nox@enclave.example", "Nox", PASSWORD, **rights)
        client = visitor(settings.OPERATORS_HOST)
        with_password(client, "nox@enclave.example")
        enrol(client)
        real = [address.replace(str(NOBODY), str(pulse.pk)) for address in ADDRESSES]
        out = reverse("admin:logout", urlconf=URLCONF)
        found = answers(client, [address for address in real if address != out])
        assert set(found) == {"302 /console/login/"}, found
        # And there it ends: back and forth between sign-in and console would never.
        assert client.get("/console/login/?next=/console/").status_code == 403
        told = {"reason": "Because I can"}
        assert (
            client.post(f"/console/tenants/organisation/{pulse.pk}/state/suspended/", told).status_code == 302
        )
        assert Organisation.objects.get(pk=pulse.pk).state == pulse.state
        assert not OperatorAct.objects.exists()

    def test_an_operator_finds_no_fault_anywhere(
        self,
        console: Client,
        pulse: Organisation,
    ) -> None:
        out = reverse("admin:logout", urlconf=URLCONF)
        real = [address.replace(str(NOBODY), str(pulse.pk)) for address in ADDRESSES if address != out]
        faults = {status: which for status, which in answers(console, real).items() if status >= "5"}
        assert faults == {}
        deletions = [address for address in real if address.endswith("/delete/")]
        assert set(answers(console, deletions)) <= {"403", "302 /console/"}
