"""The console's lists: what an empty one says, what looks again by itself, and who is found by a schema."""

import html
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.identity.models import User
from operations.admin import console as site
from operations.console.tables import ReadOnlyAdmin
from operations.models import Backfill, BackfillState, FleetRun, FleetState, Restore
from tenants.models import Organisation

STATES = "/console/operations/fleetstate/"
# There is always an operator, who looks at it; and organisations are not simply deleted.
EMPTY = [
    model
    for model, admin in site._registry.items()
    if isinstance(admin, ReadOnlyAdmin) and model not in (User, Organisation)
]


def page_of(console: Client, address: str) -> str:  # not the fixture
    """Return a page as people read it."""
    return html.unescape(console.get(address).content.decode())


def list_of(model: Any) -> str:
    """Return the address of a list."""
    name = f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist"
    return reverse(name, urlconf="config.urls.operators")


class TestEmptiness:
    @pytest.mark.parametrize("model", EMPTY, ids=lambda model: model.__name__)
    def test_says_what_will_be_here(self, console: Client, model: Any) -> None:
        model.objects.all().delete()
        admin: Any = site._registry[model]
        assert admin.nothing_yet
        shown = page_of(console, list_of(model))
        assert admin.nothing_yet in shown
        assert "<table" not in shown

    def test_of_a_search_leads_back(self, console: Client, pulse: Organisation) -> None:
        shown = page_of(console, f"{list_of(Organisation)}?q=nobody-at-all")
        assert "Nothing is like that." in shown
        assert site._registry[Organisation].nothing_yet not in shown  # type: ignore[attr-defined]  # a ReadOnlyAdmin


class TestMigrations:
    def test_show_version_ring_and_what_went_wrong(self, console: Client, pulse: Organisation) -> None:
        said = "ProgrammingError: " + "no such column, " * 20
        FleetState.objects.filter(organisation=pulse).update(version="1234567890abcdef", error=said)
        shown = page_of(console, STATES)
        assert '<span title="1234567890abcdef">12345678…</span>' in shown
        assert ">Failed<" in shown
        assert "Everybody" in shown
        assert f'title="{said}"' in shown

    @pytest.mark.parametrize(
        ("schema", "columns"),
        [
            ("failed", {"error": "no"}),
            ("behind", {"version": "old"}),
            ("differs", {"differs": "An index more"}),
        ],
    )
    def test_are_found(
        self,
        console: Client,
        pulse: Organisation,
        schema: str,
        columns: dict[str, str],
    ) -> None:
        assert "Pulse Nights" not in page_of(console, f"{STATES}?schema={schema}")
        FleetState.objects.filter(organisation=pulse).update(**columns)
        assert "Pulse Nights" in page_of(console, f"{STATES}?schema={schema}")
        assert f"{STATES}?schema={schema}" in page_of(console, "/console/")

    def test_follow_a_run(self, console: Client) -> None:
        assert "data-poll" not in page_of(console, STATES)
        run = FleetRun.objects.create(aim="x", total=200, migrated=50, failed=3, ring="early")
        for address in (STATES, "/console/operations/fleetrun/"):
            shown = page_of(console, address)
            assert "data-poll" in shown
            assert f"/console/operations/fleetrun/{run.pk}/change/" in shown
        assert f"{STATES}?schema=failed" in page_of(console, f"/console/operations/fleetrun/{run.pk}/change/")
        run_ended = {"ended_at": timezone.now(), "state": "done"}
        FleetRun.objects.update(**run_ended)
        assert "data-poll" not in page_of(console, STATES)


class TestOtherWork:
    def test_looks_again_by_itself_while_it_goes_on(self, console: Client, pulse: Organisation) -> None:
        now = timezone.now()
        restore = Restore.objects.create(
            organisation=pulse, to_time=now, reason="Because", asked_by="oz", asked_at=now, step="approved"
        )
        backfill = Backfill.objects.create(name="a", started_at=now)
        state = BackfillState.objects.create(backfill=backfill, organisation=pulse, state="running")
        addresses = [
            *("/console/operations/restore/", f"/console/operations/restore/{restore.pk}/change/"),
            *("/console/operations/backfill/", f"/console/operations/backfill/{backfill.pk}/change/"),
            "/console/operations/backfillstate/",
        ]
        assert [address for address in addresses if "data-poll" not in page_of(console, address)] == []
        BackfillState.objects.filter(pk=state.pk).update(state="done")
        Restore.objects.update(step="done")
        assert [address for address in addresses if "data-poll" in page_of(console, address)] == []
