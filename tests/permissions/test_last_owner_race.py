"""The last owner stays under 50 parallel tries, in an organisation that is really committed."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connections
from django.utils import timezone

from accounts.actions.people import add_person
from accounts.identity.models import User
from operations.actions.provisioning import Wish, provision
from permissions.actions.memberships import assign_role, deactivate, end_membership
from permissions.models import Membership, Role
from permissions.refusals import AboveYou, Deactivated, LastOwner, NotAllowed, NotAMember
from tenants.context import Actor, enter
from tenants.models import Organisation

TRIES = 50
ACTOR = Actor.system("race")
REFUSALS = (LastOwner, NotAllowed, AboveYou, NotAMember, Deactivated)


@pytest.fixture(scope="module")
def crowd(organisations: dict[str, Organisation]) -> Organisation:
    """An organisation whose fifty people are all owners."""
    made = provision(Wish("crowd", "Crowd", "owner-0@crowd.example", "Owner 0", shard="shard_1"))
    with enter(made, actor=ACTOR):
        first = User.objects.get(email="owner-0@crowd.example")
        owner = Role.objects.get(code="owner")
        for number in range(1, TRIES):
            person = add_person(
                email=f"owner-{number}@crowd.example", name=f"Owner {number}", at=timezone.now()
            )
            assign_role(user=person, role=owner, by=first, at=timezone.now())
    return made


@pytest.fixture(scope="module")
def duo(organisations: dict[str, Organisation]) -> Organisation:
    """An organisation with one owner, whatever other tests left of the crowd."""
    return provision(Wish("duo", "Duo", "one@duo.example", "One", shard="shard_1"))


def leave(user: User, other: User) -> None:
    """End one's own membership."""
    end_membership(user=user, by=user, at=timezone.now())


def lower_self(user: User, other: User) -> None:
    """Become a member."""
    assign_role(user=user, role=Role.objects.get(code="member"), by=user, at=timezone.now())


def shut_out_next(user: User, other: User) -> None:
    """Deactivate the next one in the circle."""
    deactivate(user=other, by=user, at=timezone.now())


WAYS = (leave, lower_self)


class TestFiftyAtOnce:
    def test_leave_exactly_one_owner(self, crowd: Organisation) -> None:
        with enter(crowd, actor=ACTOR):
            people = list(User.objects.order_by("pk"))
        start = threading.Barrier(TRIES)

        def attempt(number: int) -> bool:
            user, other = people[number], people[(number + 1) % TRIES]
            start.wait()
            try:
                with enter(crowd, actor=ACTOR):
                    WAYS[number % 2](user, other)
            except REFUSALS:
                return False
            finally:
                connections.close_all()
            return True

        with ThreadPoolExecutor(TRIES) as pool:
            went = sum(pool.map(attempt, range(TRIES)))
        with enter(crowd, actor=ACTOR):
            left = Membership.objects.lasting_owners(at=timezone.now()).count()
        assert (went, left) == (TRIES - 1, 1)

    def test_two_owners_who_shut_each_other_out_leave_one(self, duo: Organisation) -> None:
        """Each is allowed to when it begins; whoever comes second no longer is."""
        with enter(duo, actor=ACTOR):
            one = Membership.objects.lasting_owners(at=timezone.now()).select_related("user").get().user
            two = add_person(email="second@duo.example", name="Second", at=timezone.now())
            assign_role(user=two, role=Role.objects.get(code="owner"), by=one, at=timezone.now())
        start = threading.Barrier(2)

        def attempt(pair: tuple[User, User]) -> bool:
            start.wait()
            try:
                with enter(duo, actor=ACTOR):
                    shut_out_next(*pair)
            except REFUSALS:
                return False
            finally:
                connections.close_all()
            return True

        with ThreadPoolExecutor(2) as pool:
            went = list(pool.map(attempt, [(one, two), (two, one)]))
        assert sorted(went) == [False, True]
