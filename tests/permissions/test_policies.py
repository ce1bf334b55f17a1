"""One policy answers list, detail and why: whatever is granted, the three never disagree."""

import random
from collections.abc import Callable
from datetime import datetime

import pytest
from django.db import connections
from django.test.utils import CaptureQueriesContext

from accounts.identity.models import User
from permissions import perms
from permissions.actions.grants import grant
from permissions.actions.groups import add_to_group, create_group
from permissions.actions.roles import set_guest_ceiling
from permissions.holder import load
from permissions.models import GroupProfile
from permissions.policies import policy_for
from records.models import Collection, Record
from records.perms import ON_COLLECTION, ON_RECORD
from tests.permissions.conftest import DAY


@pytest.fixture
def world(ada: User, ben: User, cy: User, at: datetime) -> Callable[[random.Random], list[Record]]:
    """Make collections, records, groups, periods and grants by the throw of dice."""

    def make(dice: random.Random) -> list[Record]:
        groups = [create_group(name=f"G{n}", by=ada, at=at) for n in range(3)]
        for group in groups:
            for user in (ben, cy):
                if dice.random() < 0.6:
                    end = dice.choice([None, at + dice.randint(1, 4) * DAY])
                    begin = at + dice.randint(0, 2) * DAY
                    if end is None or end > begin:
                        add_to_group(group=group, user=user, by=ada, at=at, starts_at=begin, ends_at=end)
        collections = [Collection.objects.create(name=f"C{n}", key=f"c{n}") for n in range(3)]
        records = [Record.objects.create(collection=dice.choice(collections)) for _ in range(10)]
        to: list[User | GroupProfile] = [ben, cy, *groups]
        for _ in range(12):
            on_record = dice.random() < 0.7
            grantable = ON_RECORD if on_record else ON_COLLECTION
            grant(
                obj=dice.choice(records) if on_record else dice.choice(collections),
                to=dice.choice(to),
                names=dice.sample(grantable, dice.randint(1, 2)),
                by=ada,
                at=at,
                ends_at=dice.choice([None, at + dice.randint(1, 4) * DAY]),
            )
        set_guest_ceiling(names=dice.sample(ON_RECORD, dice.randint(0, 3)), by=ada, at=at)
        return records

    return make


class TestTheThreeAnswers:
    @pytest.mark.parametrize(
        "seed", [*range(3), *(pytest.param(seed, marks=pytest.mark.nightly) for seed in range(3, 12))]
    )
    def test_never_disagree(
        self,
        world: Callable[[random.Random], list[Record]],
        ben: User,
        cy: User,
        at: datetime,
        seed: int,
    ) -> None:
        records, policy = world(random.Random(seed)), policy_for(Record)
        for user in (ben, cy):
            for when in (at, at + 1.5 * DAY):
                held = policy.perms_of_many(user, records, when)
                for perm in (perms.RECORDS_VIEW, perms.RECORDS_CHANGE, perms.RECORDS_SHARE):
                    listed = set(policy.visible_to(user, when, to=perm).values_list("pk", flat=True))
                    allowed = {one.pk for one in records if policy.allows(user, perm, one, when)}
                    assert listed == allowed == {pk for pk, names in held.items() if perm in names}
                seen = set(policy.visible_to(user, when).values_list("pk", flat=True))
                assert {one.pk for one in records if policy.why(user, one, when)} == seen
                within = {
                    one.pk
                    for collection in Collection.objects.all()
                    for one in policy.visible_within(user, collection, when)
                }
                assert within == seen

    def test_nothing_is_allowed_on_what_lies_in_the_bin(self, ada: User, event: Record, at: datetime) -> None:
        Record.objects.filter(pk=event.pk).update(deleted_at=at)
        assert not policy_for(Record).allows(ada, perms.RECORDS_VIEW, event, at)
        assert policy_for(Record).perms_of(ada, event, at) == frozenset()


class TestCost:
    def test_a_holder_takes_one_query(self, cy: User, at: datetime) -> None:
        with CaptureQueriesContext(connections["shard_1"]) as caught:
            load(cy, at=at)
        assert len(caught) == 1

    def test_a_page_costs_the_same_for_two_rows_and_for_fifty(
        self, ada: User, cy: User, events: Collection, at: datetime
    ) -> None:
        grant(obj=events, to=cy, names=[perms.RECORDS_VIEW], by=ada, at=at)

        def cost() -> int:
            with CaptureQueriesContext(connections["shard_1"]) as caught:
                holder = load(cy, at=at)
                rows = list(policy_for(Record).visible_to(holder, at))
                policy_for(Record).perms_of_many(holder, rows, at)
            return len(caught)

        few = cost()
        Record.objects.bulk_create([Record(collection=events) for _ in range(48)])
        assert cost() == few


class TestWhy:
    def test_names_the_role(self, ben: User, event: Record, at: datetime) -> None:
        (reason,) = policy_for(Record).why(ben, event, at)
        assert reason.sentence == "Member role allows viewing, changing, deleting and sharing of every record"

    def test_names_group_giver_end_and_collection(
        self, ada: User, cy: User, staff: GroupProfile, events: Collection, event: Record, at: datetime
    ) -> None:
        midnight = (at + 3 * DAY).replace(hour=0, minute=0, second=0, microsecond=0)
        add_to_group(group=staff, user=cy, by=ada, at=at)
        grant(obj=events, to=staff, names=[perms.RECORDS_VIEW], by=ada, at=at, ends_at=midnight)
        (reason,) = policy_for(Record).why(cy, event, at)
        day = midnight - DAY
        assert reason.sentence == (
            "Inherited from the collection Events: shared with the group Door staff by Ada Okafor "
            f"until {day.day} {day:%B %Y}, for viewing"
        )

    def test_says_what_a_ceiling_takes_away(self, ada: User, cy: User, event: Record, at: datetime) -> None:
        grant(obj=event, to=cy, names=[perms.RECORDS_DELETE], by=ada, at=at)
        sentences = [reason.sentence for reason in policy_for(Record).why(cy, event, at)]
        assert "Shared with Cy Novak by Ada Okafor, for viewing and deleting" in sentences
        assert any(sentence.startswith("Guests may do no more than") for sentence in sentences)
