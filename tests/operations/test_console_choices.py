"""What the console asks where there is nothing to choose from: one shard, and one release."""

from typing import Any

import pytest
from django.test import Client

from tenants.models import Organisation, Release
from tests.operations.test_console import LIST

pytestmark = pytest.mark.usefixtures("organisations")


@pytest.fixture
def lonely(settings: Any) -> None:
    """An installation with one shard."""
    settings.SHARD_ALIASES = ("shard_1",)


class TestOneShard:
    def test_is_not_asked_for_a_new_organisation(self, console: Client, lonely: None) -> None:
        page = console.get(f"{LIST}make/").content.decode()
        assert "<select" not in page
        told = {
            "name": "Only Here",
            "slug": "only-here",
            "owner_name": "Moa",
            "owner_email": "moa@made.example",
            "reason": "Asked for by phone",
        }
        assert console.post(f"{LIST}make/", told).status_code == 302
        assert Organisation.objects.get(slug="only-here").shard_id == "shard_1"

    def test_without_room_says_so(self, console: Client, lonely: None, pulse: Organisation) -> None:
        type(pulse.shard).objects.update(is_open=False)
        told = {
            "name": "Not Here",
            "slug": "not-here",
            "owner_name": "Moa",
            "owner_email": "moa@made.example",
            "reason": "Asked for by phone",
        }
        answer = console.post(f"{LIST}make/", told)
        assert answer.status_code == 422
        assert "No new organisations can be made" in answer.content.decode()

    def test_is_none_to_move_to(self, console: Client, lonely: None, pulse: Organisation) -> None:
        page = console.get(f"{LIST}{pulse.pk}/move/").content.decode()
        assert "There is no other shard" in page
        assert "<select" not in page


class TestOneRelease:
    # One that nobody serves is none to be on.
    @pytest.mark.parametrize("other", [{}, {"pool": ""}, {"pool": "10.0.0.7:1", "state": "withdrawn"}])
    def test_is_none_to_place_on(
        self,
        console: Client,
        pulse: Organisation,
        other: dict[str, str],
    ) -> None:
        if other:
            Release.objects.create(name="next", **other)
        answer = console.get(f"{LIST}{pulse.pk}/release/")
        page = answer.content.decode()
        assert "There is no other release to be on" in page
        assert "/console/tenants/release/add/" in page
        assert "<select" not in page
        assert (
            console.post(f"{LIST}{pulse.pk}/release/", {"release": "next", "reason": "Because"}).status_code
            == 200
        )
        assert Organisation.objects.get(pk=pulse.pk).release == "current"
