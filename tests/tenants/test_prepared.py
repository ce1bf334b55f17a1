"""A question that is compiled once answers as if it were built each time."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth.models import Group
from django.core.exceptions import ImproperlyConfigured
from django.db import connections
from django.db.models import QuerySet, Value
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.identity.models import Session, User
from permissions.models import Membership
from tenants.context import Actor, NoTenant, enter
from tenants.models import Organisation
from tenants.prepared import BYTES, KEY, MOMENT, TEXT, Prepared
from tests.rooms.gear.models import Speaker

ACTOR = Actor.system("test")


def named(name: str) -> QuerySet[Speaker]:
    return Speaker.objects.filter(name=name).annotate(said=Value("loud")).order_by("serial")


@pytest.fixture
def speakers() -> Prepared[Speaker]:
    return Prepared(named, name=TEXT)


class TestAnswers:
    def test_each_value_and_each_organisation_has_its_own(
        self, pulse: Organisation, tide: Organisation, other: Organisation, speakers: Prepared[Speaker]
    ) -> None:
        for number, organisation in enumerate((pulse, tide, other)):
            with enter(organisation, actor=ACTOR):
                for name in ("Sub", "Top"):
                    Speaker.objects.create(name=name, serial=f"{organisation.slug} {name} {number}")
        for number, organisation in enumerate((pulse, tide, other)):
            with enter(organisation, actor=ACTOR):
                assert [one.serial for one in speakers(name="Top")] == [f"{organisation.slug} Top {number}"]
                (sub,) = speakers(name="Sub")
                assert (sub, vars(sub)["said"]) == (named("Sub").get(), "loud")
                assert sub._state.db == organisation.placement().alias
                assert speakers(name="None") == []

    def test_outside_an_organisation_there_is_none(
        self, pulse: Organisation, speakers: Prepared[Speaker]
    ) -> None:
        with enter(pulse, actor=ACTOR):
            speakers(name="Sub")
        with pytest.raises(NoTenant):
            speakers(name="Sub")

    def test_what_is_joined_and_what_is_fetched_beside_comes_along(self, pulse: Organisation) -> None:
        of_person = Prepared(
            lambda user_id, at: (
                Membership.objects.current(at=at)
                .filter(user_id=user_id)
                .select_related("role", "user")
                .prefetch_related("user__group_memberships")[:1]
            ),
            user_id=KEY,
            at=MOMENT,
        )
        with enter(pulse, actor=ACTOR):
            for name, email in (("Owner", "ada@pulse.example"), ("Member", "ben@pulse.example")):
                person = User.objects.get(email=email)
                with CaptureQueriesContext(connections["shard_1"]) as caught:
                    (found,) = of_person(user_id=person.pk, at=timezone.now())
                    assert (found.role.name, found.user) == (name, person)
                    assert list(found.user.group_memberships.all()) == []
                assert len(caught) == 2
            assert of_person(user_id=uuid4(), at=timezone.now()) == []

    def test_bytes_are_found(self, pulse: Organisation) -> None:
        of_token = Prepared(lambda key: Session.objects.filter(digest=key), key=BYTES)
        now = timezone.now()
        times = {"created_at": now, "last_seen_at": now, "ends_at": now, "idle_until": now}
        with enter(pulse, actor=ACTOR):
            for key in (b"one", b"two"):
                Session.objects.create(digest=key, host="h", data="", idle=timedelta(), **times)
            assert [bytes(one.digest) for one in of_token(key=b"two")] == [b"two"]

    def test_it_is_built_once(self, pulse: Organisation) -> None:
        built: list[str] = []

        def build(name: str) -> QuerySet[Group]:
            built.append(name)
            return Group.objects.filter(name=name)

        groups = Prepared(build, name=TEXT)
        with enter(pulse, actor=ACTOR):
            groups(name="a")
            groups(name="b")
        assert built == [TEXT]

    def test_what_can_find_nothing_asks_nothing(self, pulse: Organisation) -> None:
        nobody = Prepared(lambda name: Speaker.objects.filter(name=name, pk__in=()), name=TEXT)
        with enter(pulse, actor=ACTOR), CaptureQueriesContext(connections["shard_1"]) as caught:
            assert nobody(name="Sub") == []
        assert [query for query in caught if "gear" in query["sql"]] == []


class TestASchemaOfTheReleaseBefore:
    def test_has_a_statement_of_its_own(
        self, pulse: Organisation, speakers: Prepared[Speaker], request: pytest.FixtureRequest
    ) -> None:
        with enter(pulse, actor=ACTOR):
            Speaker.objects.create(name="Sub", serial="1", watts=90)
            assert speakers(name="Sub")[0].watts == 90
            request.getfixturevalue("watts_to_come")
            with CaptureQueriesContext(connections["shard_1"]) as caught:
                (found,) = speakers(name="Sub")
                assert "watts" in found.get_deferred_fields()
            assert not [query for query in caught if "watts" in query["sql"].replace("gear.", "")]

    def test_that_is_migrated_meanwhile_is_not_remembered_as_what_it_was(
        self, pulse: Organisation, watts_to_come: None, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        answers = [frozenset({"gear.0002_to_come"}), frozenset(), frozenset()]
        monkeypatch.setattr("tenants.capabilities.lacking", lambda: answers.pop(0))
        speakers = Prepared(named, name=TEXT)
        with enter(pulse, actor=ACTOR):
            speakers(name="Sub")
        assert speakers._kept == {}


class TestRefuses:
    @pytest.mark.parametrize(
        "values", [{}, {"name": None}, {"name": 5}, {"name": "a", "more": "b"}, {"names": "a"}]
    )
    def test_a_value_that_could_change_the_statement(
        self, pulse: Organisation, speakers: Prepared[Speaker], values: dict[str, Any]
    ) -> None:
        with enter(pulse, actor=ACTOR), pytest.raises(TypeError):
            speakers(**values)

    def test_a_value_that_is_nowhere_in_the_statement(self, pulse: Organisation) -> None:
        unused: Callable[..., QuerySet[Speaker]] = lambda name: Speaker.objects.all()  # noqa: E731 # passed on
        with enter(pulse, actor=ACTOR), pytest.raises(ImproperlyConfigured):
            Prepared(unused, name=TEXT)(name="a")

    def test_two_values_that_would_be_exchanged(self) -> None:
        with pytest.raises(ImproperlyConfigured):
            Prepared(named, name=TEXT, serial=TEXT)
