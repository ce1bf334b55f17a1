"""Cache keys: two organisations never share one, however the parts are named."""

import pytest
from django.core.cache import cache

from tenants.cache import make_key
from tenants.context import Actor, control_plane, enter
from tenants.models import Organisation

ACTOR = Actor.system("test")


class TestCache:
    def test_what_one_organisation_keeps_another_does_not_find(
        self, pulse: Organisation, tide: Organisation
    ) -> None:
        with enter(pulse, actor=ACTOR):
            cache.set("plan", "pulse's")
        with enter(tide, actor=ACTOR):
            assert cache.get("plan") is None
        with enter(pulse, actor=ACTOR):
            assert cache.get("plan") == "pulse's"

    def test_the_control_plane_has_its_own(self, pulse: Organisation) -> None:
        with enter(pulse, actor=ACTOR):
            cache.set("plan", "pulse's")
        with control_plane():
            assert cache.get("plan") is None

    @pytest.mark.parametrize(
        ("one", "other"),
        [(("a", "b:c"), ("a:b", "c")), (("1:a", "b"), ("1", "a:b")), (("", "ab"), ("a", "b"))],
    )
    def test_no_two_names_make_one_key(self, one: tuple[str, str], other: tuple[str, str]) -> None:
        assert make_key(one[1], one[0], 1) != make_key(other[1], other[0], 1)
