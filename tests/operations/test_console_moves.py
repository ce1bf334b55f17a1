"""Moves in the console: asked for with a reason, followed, taken back."""

import html

from django.conf import settings
from django.test import Client
from django.utils import timezone

from operations.models import Move, OperatorAct
from tenants.models import Organisation
from tests.conftest import ClientAs
from tests.operations.test_console import LIST
from tests.people import visitor


class TestMoves:
    def test_are_asked_for_with_a_reason_followed_and_taken_back(
        self, console: Client, pulse: Organisation
    ) -> None:
        address = f"{LIST}{pulse.pk}/move/"
        assert "Every row is compared" in console.get(address).content.decode()
        assert console.post(address, {"target": "shard_2", "reason": ""}).status_code == 422
        answer = console.post(address, {"target": "shard_2", "reason": "Closer to its people"})
        assert answer.status_code == 302
        page = console.get(answer.headers["Location"]).content.decode()
        assert "Closer to its people" in page
        assert "data-poll" in page
        again = console.post(address, {"target": "shard_2", "reason": "Closer to its people"})
        assert "is being moved already" in html.unescape(again.content.decode())
        back = f"{answer.headers['Location']}cancel/"
        assert "nothing that they saved is lost" in console.get(back).content.decode()
        assert console.post(back, {"reason": ""}).status_code == 422
        assert Move.objects.get().cancel_asked_at is None
        assert console.post(back, {"reason": "The wrong one"}).status_code == 302
        assert OperatorAct.objects.filter(reason="The wrong one").count() == 1
        move = Move.objects.get()
        assert move.cancel_asked_at is not None
        assert [act.act for act in OperatorAct.objects.order_by("at")] == [
            "move to shard_2",
            "move to shard_2 cancelled",
        ]
        fragment = console.get(answer.headers["Location"], headers={"hx-request": "true"}).content.decode()
        assert "<html" not in fragment
        assert "It is being taken back" in fragment

    def test_are_nobody_elses_business(self, pulse: Organisation, client_as: ClientAs) -> None:
        somebody = visitor(settings.OPERATORS_HOST)
        assert somebody.get(f"{LIST}{pulse.pk}/move/").status_code == 302
        assert somebody.post(f"{LIST}{pulse.pk}/move/", {"target": "shard_2"}).status_code in (302, 403)
        assert not Move.objects.exists()
        inside = client_as("ada@pulse.example", pulse)
        assert inside.get(f"{LIST}{pulse.pk}/move/").status_code == 404

    def test_show_what_went_wrong(self, console: Client, pulse: Organisation) -> None:
        move = Move.objects.create(
            organisation=pulse,
            source_id="shard_1",
            target_id="shard_2",
            schema_name=pulse.schema_name,
            epoch=1,
            step="reverted",
            reason="A reason",
            asked_by="oz@enclave.example",
            asked_at=timezone.now(),
            error="gear_speaker: the row 7 is missing in the copy",
        )
        page = console.get(f"{LIST}moves/{move.pk}/").content.decode()
        assert "the row 7 is missing" in page
        assert "data-poll" not in page
        assert "Move it to another shard" in console.get(f"{LIST}{pulse.pk}/change/").content.decode()
