"""The one list: nothing of the tenant plane is forgotten, and nothing wrong gets into it."""

import pytest
from django.contrib.auth.models import Group
from django.core.exceptions import ImproperlyConfigured

from accounts.identity.models import User
from audit import checks, codes, denials
from audit.actions import events
from audit.registry import Trail, trail
from tenants.context import Actor, enter
from tenants.models import Organisation
from tests.audit.conftest import Left


class TestTheList:
    def test_holds_every_model_of_the_tenant_plane(self) -> None:
        assert checks.forgotten(trail) == []

    def test_gives_a_reason_for_everything_left_out(self) -> None:
        assert all(len(reason) > 15 for reason in trail.excluded().values())

    def test_masks_or_keeps_apart_what_is_secret_or_personal(self) -> None:
        user = trail.captured_for(User)

        assert user.masked == ("password",)
        assert set(user.personal) == {"email", "name"}

    def test_connects_no_signal_of_the_library(self) -> None:
        assert trail.contains(Group)
        assert trail._signals == {}

    def test_misses_a_model_that_nobody_registered(self) -> None:
        assert User in checks.forgotten(Trail())

    def test_refuses_an_unknown_field(self) -> None:
        with pytest.raises(ImproperlyConfigured, match="unknown field 'shoe_size'"):
            Trail().register(User, personal=["shoe_size"])

    def test_refuses_an_exclusion_without_a_reason(self) -> None:
        with pytest.raises(ImproperlyConfigured, match="without a reason"):
            Trail().exclude(User, reason=" ")

    def test_lets_a_room_say_otherwise_later(self) -> None:
        registry = Trail()
        registry.register(Group)
        registry.exclude(Group, reason="This room keeps groups elsewhere.")

        assert registry.captured() == []
        assert registry.knows(Group)


class TestTheVocabulary:
    @pytest.mark.parametrize(
        "name", ["joined", "Member.joined", "auth.group.added", "member-joined", "a.b;c"]
    )
    def test_refuses_what_is_not_a_code(self, name: str) -> None:
        with pytest.raises(ImproperlyConfigured):
            codes.declare(name, sentence="{actor} did")

    def test_refuses_other_words_for_a_known_code(self) -> None:
        with pytest.raises(ImproperlyConfigured, match="twice"):
            codes.declare("trail.erased", sentence="{actor} did something else")


class TestDenials:
    def test_are_written_after_the_rollback(self, inside: object, left: Left, pulse: Organisation) -> None:
        denials.forget()
        with enter(pulse, actor=Actor.anonymous(), request_id="r-2"):
            denials.collect("sign_in.failed", personal={"address": "cy@x.example"})
        assert left.events() == []

        assert denials.write_collected(pulse) == 1
        assert denials.write_collected(pulse) == 0

        (event,) = left.events()
        assert (event["code"], event["request"]) == ("sign_in.failed", "r-2")
        assert event["by"]["kind"] == "anonymous"
        assert event["private"] == {"details": {"address": "cy@x.example"}}

    def test_are_limited(self, inside: object, left: Left, pulse: Organisation) -> None:
        denials.forget()
        for _ in range(60):
            denials.collect("access.denied", details={"what": "x"})

        assert denials.write_collected(pulse) == 50

    def test_need_a_declared_code(self, inside: object) -> None:
        with pytest.raises(codes.UnknownCode):
            denials.collect("door.kicked")


def test_a_reference_to_a_numbered_row_is_a_uuid() -> None:
    type_id, key = events.reference(Group(pk=258))

    assert type_id > 0
    assert str(key) == "00000000-0000-0000-0000-000000000102"
