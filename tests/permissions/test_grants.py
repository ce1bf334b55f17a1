"""Sharing: who may give what to whom, for how long, and what is left when it ends."""

from datetime import datetime

import pytest
from guardian.shortcuts import assign_perm

from accounts.identity.models import User
from permissions import perms
from permissions.actions.grants import grant, revoke
from permissions.actions.groups import add_to_group, create_group, delete_group, end_in_group, leave_group
from permissions.actions.memberships import deactivate, end_membership, reactivate
from permissions.actions.roles import create_role, set_guest_ceiling
from permissions.models import GroupProfile
from permissions.models.roles import MEMBER_RANK
from permissions.policies import policy_for
from permissions.refusals import (
    AlreadyThere,
    EndsTooEarly,
    LongerThanYouHold,
    MoreThanYouHold,
    NotAllowed,
    NotAMember,
    NotGrantable,
)
from records.models import Collection, Record
from tests.permissions.conftest import DAY, role

VIEW, CHANGE, SHARE, DELETE = (
    perms.RECORDS_VIEW,
    perms.RECORDS_CHANGE,
    perms.RECORDS_SHARE,
    perms.RECORDS_DELETE,
)


def names(user: User, obj: Record | Collection, at: datetime) -> frozenset[str]:
    """Return what a person may do to an object, without what follows from seeing it."""
    return policy_for(type(obj)).perms_of(user, obj, at) - {perms.COLLECTIONS_VIEW}


class TestGrant:
    def test_gives_a_guest_one_record(self, ada: User, cy: User, event: Record, at: datetime) -> None:
        assert names(cy, event, at) == frozenset()
        grant(obj=event, to=cy, names=[CHANGE], by=ada, at=at)
        assert names(cy, event, at) == {VIEW, CHANGE}
        assert list(policy_for(Record).visible_to(cy, at)) == [event]

    def test_ends_at_its_end(self, ada: User, cy: User, event: Record, at: datetime) -> None:
        grant(obj=event, to=cy, names=[VIEW], by=ada, at=at, ends_at=at + DAY)
        assert names(cy, event, at + DAY - DAY / 1000)
        assert not names(cy, event, at + DAY)

    def test_given_again_replaces_the_end(self, ada: User, cy: User, event: Record, at: datetime) -> None:
        grant(obj=event, to=cy, names=[VIEW], by=ada, at=at, ends_at=at + DAY)
        grant(obj=event, to=cy, names=[VIEW], by=ada, at=at)
        assert names(cy, event, at + 9 * DAY) == {VIEW}

    def test_on_a_collection_reaches_its_records(
        self, ada: User, cy: User, events: Collection, event: Record, at: datetime
    ) -> None:
        grant(obj=events, to=cy, names=[VIEW], by=ada, at=at)
        assert names(cy, event, at) == {VIEW}
        assert policy_for(Record).visible_to(cy, at).count() == 2

    def test_stays_under_the_ceiling(self, ada: User, cy: User, event: Record, at: datetime) -> None:
        grant(obj=event, to=cy, names=[DELETE, SHARE], by=ada, at=at)
        assert names(cy, event, at) == {VIEW}

    def test_feels_the_ceiling_lowered_at_once(
        self, ada: User, cy: User, event: Record, at: datetime
    ) -> None:
        grant(obj=event, to=cy, names=[VIEW], by=ada, at=at)
        set_guest_ceiling(names=[], by=ada, at=at)
        assert not policy_for(Record).visible_to(cy, at).exists()

    def test_of_guardian_itself_counts(self, cy: User, event: Record, at: datetime) -> None:
        assign_perm("records_view", cy, event)
        assert names(cy, event, at) == {VIEW}

    def test_goes_with_its_object(self, ada: User, cy: User, event: Record, at: datetime) -> None:
        grant(obj=event, to=cy, names=[VIEW], by=ada, at=at)
        key, collection = event.pk, event.collection
        event.delete()
        made = Record.objects.create(pk=key, collection=collection)
        assert not names(cy, made, at)


class TestWhoMayGrant:
    def test_not_a_guest(self, ada: User, ben: User, cy: User, event: Record, at: datetime) -> None:
        grant(obj=event, to=cy, names=[SHARE, CHANGE], by=ada, at=at)
        with pytest.raises(NotAllowed):
            grant(obj=event, to=ben, names=[VIEW], by=cy, at=at)

    def test_not_more_than_one_holds(self, ben: User, cy: User, event: Record, at: datetime) -> None:
        with pytest.raises(MoreThanYouHold):
            grant(obj=event, to=cy, names=["records.sensitive"], by=ben, at=at)

    def test_not_for_longer_than_one_holds(
        self, ada: User, ben: User, cy: User, event: Record, at: datetime
    ) -> None:
        end_membership(user=ben, by=ada, at=at, ends_at=at + 2 * DAY)
        grant(obj=event, to=cy, names=[VIEW], by=ben, at=at, ends_at=at + DAY)
        for end in (at + 3 * DAY, None):
            with pytest.raises(LongerThanYouHold):
                grant(obj=event, to=cy, names=[VIEW], by=ben, at=at, ends_at=end)

    def test_not_to_who_does_not_belong(self, ada: User, ben: User, event: Record, at: datetime) -> None:
        deactivate(user=ben, by=ada, at=at)
        with pytest.raises(NotAMember):
            grant(obj=event, to=ben, names=[VIEW], by=ada, at=at)

    @pytest.mark.parametrize("asked", [[], [perms.PEOPLE_MANAGE], [perms.COLLECTIONS_DESIGN]])
    def test_not_what_is_not_about_the_object(
        self, ada: User, cy: User, event: Record, at: datetime, asked: list[str]
    ) -> None:
        with pytest.raises(NotGrantable):
            grant(obj=event, to=cy, names=asked, by=ada, at=at)

    def test_not_into_the_past(self, ada: User, cy: User, event: Record, at: datetime) -> None:
        with pytest.raises(EndsTooEarly):
            grant(obj=event, to=cy, names=[VIEW], by=ada, at=at, ends_at=at)


class TestRevoke:
    def test_takes_what_implies_it_too(self, ada: User, cy: User, event: Record, at: datetime) -> None:
        grant(obj=event, to=cy, names=[CHANGE], by=ada, at=at)
        assert revoke(obj=event, to=cy, names=[VIEW], by=ada, at=at) == {VIEW, CHANGE}
        assert not names(cy, event, at)

    def test_leaves_the_rest(self, ada: User, cy: User, event: Record, at: datetime) -> None:
        grant(obj=event, to=cy, names=[CHANGE], by=ada, at=at)
        revoke(obj=event, to=cy, names=[CHANGE], by=ada, at=at)
        assert names(cy, event, at) == {VIEW}

    def test_everybody_may_give_up_their_own(self, ada: User, cy: User, event: Record, at: datetime) -> None:
        grant(obj=event, to=cy, names=[VIEW], by=ada, at=at)
        assert revoke(obj=event, to=cy, by=cy, at=at) == {VIEW}

    def test_nobody_takes_what_they_could_not_give(
        self, ada: User, ben: User, cy: User, event: Record, at: datetime
    ) -> None:
        grant(obj=event, to=cy, names=["records.sensitive"], by=ada, at=at)
        with pytest.raises(MoreThanYouHold):
            revoke(obj=event, to=cy, by=ben, at=at)


class TestGroups:
    def test_give_while_one_is_in_them(
        self, ada: User, cy: User, staff: GroupProfile, event: Record, at: datetime
    ) -> None:
        grant(obj=event, to=staff, names=[VIEW], by=ada, at=at)
        add_to_group(group=staff, user=cy, by=ada, at=at, starts_at=at + DAY, ends_at=at + 2 * DAY)
        seen = [bool(names(cy, event, at + n * DAY / 2)) for n in range(5)]
        assert seen == [False, False, True, True, False]

    def test_end_when_told(
        self, ada: User, cy: User, staff: GroupProfile, event: Record, at: datetime
    ) -> None:
        grant(obj=event, to=staff, names=[VIEW], by=ada, at=at)
        add_to_group(group=staff, user=cy, by=ada, at=at)
        end_in_group(group=staff, user=cy, by=ada, at=at + DAY)
        assert names(cy, event, at)
        assert not names(cy, event, at + DAY)

    def test_refuse_periods_that_meet(self, ada: User, cy: User, staff: GroupProfile, at: datetime) -> None:
        add_to_group(group=staff, user=cy, by=ada, at=at)
        with pytest.raises(AlreadyThere):
            add_to_group(group=staff, user=cy, by=ada, at=at + DAY)

    def test_may_be_left_and_entered_again(
        self, ada: User, cy: User, staff: GroupProfile, at: datetime
    ) -> None:
        add_to_group(group=staff, user=cy, by=ada, at=at)
        leave_group(group=staff, by=cy, at=at + DAY)
        add_to_group(group=staff, user=cy, by=ada, at=at + DAY)

    def test_made_again_inherit_nothing(
        self, ada: User, cy: User, staff: GroupProfile, event: Record, at: datetime
    ) -> None:
        grant(obj=event, to=staff, names=[VIEW], by=ada, at=at)
        delete_group(group=staff, by=ada, at=at)
        again = create_group(name="Door staff", by=ada, at=at)
        add_to_group(group=again, user=cy, by=ada, at=at)
        assert not names(cy, event, at)

    def test_are_no_way_to_more_than_one_holds(
        self, ada: User, ben: User, staff: GroupProfile, event: Record, at: datetime
    ) -> None:
        """Who manages groups could else put themself into one with more than they have."""
        from permissions.actions.memberships import assign_role

        groups_only = create_role(name="Grouper", names=["groups.manage"], rank=MEMBER_RANK, by=ada, at=at)
        grant(obj=event, to=staff, names=[VIEW], by=ada, at=at)
        assign_role(user=ben, role=groups_only, by=ada, at=at)
        with pytest.raises(MoreThanYouHold):
            add_to_group(group=staff, user=ben, by=ben, at=at)

    def test_are_left_by_who_is_deactivated(
        self, ada: User, cy: User, staff: GroupProfile, event: Record, at: datetime
    ) -> None:
        grant(obj=event, to=staff, names=[VIEW], by=ada, at=at)
        add_to_group(group=staff, user=cy, by=ada, at=at)
        deactivate(user=cy, by=ada, at=at)
        reactivate(user=cy, role=role("guest"), by=ada, at=at)
        assert not names(cy, event, at)
