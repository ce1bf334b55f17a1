"""Backfills in the console: seen, started, paused and resumed, by operators only."""

import pytest
from django.conf import settings
from django.test import Client

from operations.actions.backfills import start
from operations.backfills import admitting
from operations.models import Backfill, BackfillState, OperatorAct, Progress
from tenants.models import Organisation
from tests.backfills.conftest import known_backfills  # noqa: F401  # used by being here
from tests.backfills.kinds import NAME
from tests.people import visitor

LIST = "/console/operations/backfill/"
STATES = "/console/operations/backfillstate/"


def begun() -> Backfill:
    """Start a backfill."""
    return start(name=NAME, reason="It is a test", by=None)


class TestPages:
    def test_start_it_with_a_reason(self, console: Client, pulse: Organisation) -> None:
        assert f"Start {NAME}" in console.get(LIST).content.decode()
        page = f"{LIST}start/{NAME}/"
        assert "two at a time" in console.get(page).content.decode()
        assert console.post(page, {"reason": "short"}).status_code == 422
        assert console.post(page, {"reason": "Out everywhere since noon"}).status_code == 302
        assert BackfillState.objects.filter(organisation=pulse, state=Progress.WAITING).exists()
        act = OperatorAct.objects.get()
        assert (act.organisation_label, act.act, act.operator_label) == (
            f"Backfill {NAME}",
            "started",
            "oz@enclave.example",
        )
        assert console.post(page, {"reason": "Once more, please"}).status_code == 422

    def test_show_how_far_everybody_is(self, console: Client, pulse: Organisation) -> None:
        backfill = begun()
        BackfillState.objects.filter(organisation=pulse).update(
            state="failed", error="No room", done=1, total=4
        )
        page = console.get(f"{LIST}{backfill.pk}/change/").content.decode()
        assert ">1 failed<" in page
        assert "1 of 4" in page
        assert ">Resume<" in page
        found = console.get(f"{STATES}?state__exact=failed").content.decode()
        assert "Pulse Nights" in found
        assert "No room" in found
        assert "1 backfill failed in an organisation" in console.get("/console/").content.decode()

    def test_pause_and_resume_all_or_one(self, console: Client, pulse: Organisation) -> None:
        backfill = begun()
        told = {"reason": "Because of the sale"}
        assert console.post(f"{LIST}{backfill.pk}/pause/all/", told).status_code == 302
        assert ">Paused<" in console.get(LIST).content.decode()
        assert console.post(f"{LIST}{backfill.pk}/pause/all/", told).status_code == 422
        assert console.post(f"{LIST}{backfill.pk}/resume/all/", told).status_code == 302
        assert console.post(f"{LIST}{backfill.pk}/pause/in/pulse/", told).status_code == 302
        admitting.sweep()
        assert BackfillState.objects.get(organisation=pulse).state == Progress.PAUSED

    @pytest.mark.parametrize("path", ["start/gear.nothing/", "{pk}/drop/all/", "{pk}/pause/in/nowhere/"])
    def test_know_nothing_else(self, console: Client, pulse: Organisation, path: str) -> None:
        assert console.get(LIST + path.format(pk=begun().pk)).status_code == 404


class TestWalls:
    def test_nobody_else_gets_in(self, pulse: Organisation) -> None:
        pk = begun().pk
        paths = [
            *(LIST, STATES, f"{LIST}{pk}/change/", f"{LIST}start/{NAME}/"),
            *(f"{LIST}{pk}/pause/all/", f"{LIST}{pk}/resume/in/pulse/"),
        ]
        for path in paths:
            stranger = visitor(settings.OPERATORS_HOST)
            assert stranger.get(path).status_code == 302
            assert stranger.post(path, {"reason": "Because I can"}).status_code in (302, 403)
            assert visitor(pulse.primary_host).get(path).status_code == 404
        assert not Backfill.objects.get().is_paused
