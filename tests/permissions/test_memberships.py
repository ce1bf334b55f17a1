"""Memberships: who belongs, in which role; the ladder; and the last owner."""

from datetime import datetime

import pytest
from django.db import IntegrityError, transaction

from accounts.actions.people import add_person
from accounts.identity.models import User
from permissions import perms
from permissions.actions.groups import add_to_group
from permissions.actions.memberships import (
    assign_role,
    deactivate,
    end_membership,
    found_owner,
    lift_last_day,
    reactivate,
    shut_out_leavers,
)
from permissions.holder import holds, load
from permissions.models import GroupMembership, GroupProfile, Membership
from permissions.models.closed import WriteRefused
from permissions.refusals import (
    AboveYou,
    AlreadyThere,
    Deactivated,
    EndsTooEarly,
    LastOwner,
    NotAllowed,
    NotAMember,
    NotYourself,
)
from tests.permissions.conftest import DAY, role


class TestTheCast:
    @pytest.mark.parametrize(("name", "code"), [("ada", "owner"), ("ben", "member"), ("cy", "guest")])
    def test_has_its_roles(self, request: pytest.FixtureRequest, at: datetime, name: str, code: str) -> None:
        holder = load(request.getfixturevalue(name), at=at)
        assert holder.role is not None
        assert holder.role.code == code

    def test_an_owner_holds_everything(self, ada: User, at: datetime) -> None:
        assert load(ada, at=at).held == perms.every_name()

    def test_a_guest_holds_nothing_by_role(self, cy: User, at: datetime) -> None:
        assert load(cy, at=at).held == frozenset()

    def test_flags_of_operators_mean_nothing(self, cy: User, at: datetime) -> None:
        User.objects.filter(pk=cy.pk).update(is_superuser=True, is_staff=True)
        cy.refresh_from_db()
        assert load(cy, at=at).held == frozenset()

    def test_who_never_joined_holds_nothing(self, inside: None, at: datetime) -> None:
        stranger = add_person(email="stranger@pulse.example", name="S", at=at)
        assert not load(stranger, at=at).is_member

    def test_nobody_founds_twice(self, ben: User, at: datetime) -> None:
        with pytest.raises(AlreadyThere):
            found_owner(user=ben, at=at)


class TestAssignRole:
    def test_replaces_the_role_and_keeps_the_period_before(self, ada: User, ben: User, at: datetime) -> None:
        assign_role(user=ben, role=role("admin"), by=ada, at=at)
        assert holds(ben, perms.PEOPLE_MANAGE, at=at)
        periods = list(Membership.objects.filter(user=ben).order_by("starts_at"))
        assert [period.ends_at is None for period in periods] == [False, True]

    def test_the_same_role_again_is_refused(self, ada: User, ben: User, at: datetime) -> None:
        with pytest.raises(AlreadyThere):
            assign_role(user=ben, role=role("member"), by=ada, at=at)

    def test_a_member_gives_no_roles(self, ben: User, cy: User, at: datetime) -> None:
        with pytest.raises(NotAllowed):
            assign_role(user=cy, role=role("member"), by=ben, at=at)

    def test_an_admin_does_not_raise_themself(self, ann: User, at: datetime) -> None:
        with pytest.raises(NotYourself):
            assign_role(user=ann, role=role("owner"), by=ann, at=at)

    def test_an_admin_does_not_make_owners(self, ann: User, ben: User, at: datetime) -> None:
        with pytest.raises(AboveYou):
            assign_role(user=ben, role=role("owner"), by=ann, at=at)

    def test_an_admin_does_not_lower_an_owner(self, ann: User, ada: User, at: datetime) -> None:
        with pytest.raises(AboveYou):
            assign_role(user=ada, role=role("guest"), by=ann, at=at)

    def test_who_was_lowered_cannot_act_with_a_time_from_before(
        self, ann: User, ada: User, cy: User, at: datetime
    ) -> None:
        assign_role(user=ann, role=role("member"), by=ada, at=at + DAY)
        with pytest.raises(NotAllowed):
            assign_role(user=cy, role=role("member"), by=ann, at=at)

    def test_nobody_deactivated_gets_a_role(self, ada: User, ben: User, at: datetime) -> None:
        deactivate(user=ben, by=ada, at=at)
        with pytest.raises(Deactivated):
            assign_role(user=ben, role=role("member"), by=ada, at=at)


class TestTheLastOwner:
    def test_cannot_be_lowered(self, ada: User, at: datetime) -> None:
        with pytest.raises(LastOwner):
            assign_role(user=ada, role=role("admin"), by=ada, at=at)

    def test_cannot_leave(self, ada: User, at: datetime) -> None:
        with pytest.raises(LastOwner):
            end_membership(user=ada, by=ada, at=at)

    def test_cannot_plan_to_leave(self, ada: User, at: datetime) -> None:
        with pytest.raises(LastOwner):
            end_membership(user=ada, by=ada, at=at, ends_at=at + DAY)

    def test_is_not_counted_with_an_owner_who_will_leave(self, ada: User, ben: User, at: datetime) -> None:
        assign_role(user=ben, role=role("owner"), by=ada, at=at)
        end_membership(user=ben, by=ben, at=at, ends_at=at + DAY)
        with pytest.raises(LastOwner):
            end_membership(user=ada, by=ada, at=at)

    def test_may_leave_once_there_is_another(self, ada: User, ben: User, at: datetime) -> None:
        assign_role(user=ben, role=role("owner"), by=ada, at=at)
        end_membership(user=ada, by=ada, at=at)
        assert not load(ada, at=at).is_member


class TestLeaving:
    def test_a_period_may_end_later(self, ada: User, ben: User, at: datetime) -> None:
        end_membership(user=ben, by=ada, at=at, ends_at=at + DAY)
        assert load(ben, at=at).is_member
        assert not load(ben, at=at + DAY).is_member

    def test_nobody_puts_off_their_own(self, ada: User, ann: User, at: datetime) -> None:
        end_membership(user=ann, by=ada, at=at, ends_at=at + DAY)
        end_membership(user=ann, by=ann, at=at, ends_at=at + DAY / 2)
        with pytest.raises(NotYourself):
            end_membership(user=ann, by=ann, at=at, ends_at=at + DAY)
        with pytest.raises(NotYourself):
            lift_last_day(user=ann, by=ann, at=at)
        end_membership(user=ann, by=ada, at=at, ends_at=at + 2 * DAY)
        lift_last_day(user=ann, by=ada, at=at)
        with pytest.raises(AlreadyThere):
            lift_last_day(user=ann, by=ada, at=at)

    def test_a_planned_day_stays_with_another_role(self, ada: User, ben: User, at: datetime) -> None:
        end_membership(user=ben, by=ada, at=at, ends_at=at + DAY)
        assign_role(user=ben, role=role("admin"), by=ada, at=at)
        assert not load(ben, at=at + DAY).is_member

    def test_who_left_on_a_planned_day_is_shut_out_by_the_sweep(
        self, ada: User, ben: User, staff: GroupProfile, at: datetime
    ) -> None:
        add_to_group(group=staff, user=ben, by=ada, at=at)
        end_membership(user=ben, by=ada, at=at, ends_at=at + DAY)
        version = ben.session_version
        assert shut_out_leavers(at=at) == 0
        assert shut_out_leavers(at=at + DAY) == 1
        assert shut_out_leavers(at=at + DAY) == 0
        ben.refresh_from_db()
        assert (ben.is_active, ben.session_version) == (False, version + 1)
        assert not GroupMembership.objects.current(at=at + DAY).filter(user=ben).exists()

    def test_who_comes_back_is_in_no_group(
        self, ada: User, ben: User, staff: GroupProfile, at: datetime
    ) -> None:
        add_to_group(group=staff, user=ben, by=ada, at=at)
        end_membership(user=ben, by=ada, at=at, ends_at=at + DAY)
        reactivate(user=ben, role=role("member"), by=ada, at=at + DAY)
        assert not load(ben, at=at + DAY).groups

    def test_not_before_now(self, ada: User, ben: User, at: datetime) -> None:
        with pytest.raises(EndsTooEarly):
            end_membership(user=ben, by=ada, at=at + DAY, ends_at=at)

    def test_only_once(self, ada: User, ben: User, at: datetime) -> None:
        end_membership(user=ben, by=ben, at=at)
        with pytest.raises(NotAMember):
            end_membership(user=ben, by=ada, at=at)

    def test_deactivation_ends_role_groups_and_sessions(self, ada: User, ben: User, at: datetime) -> None:
        version = ben.session_version
        deactivate(user=ben, by=ada, at=at)
        ben.refresh_from_db()
        assert (ben.is_active, ben.session_version) == (False, version + 1)
        assert not load(ben, at=at).is_member
        assert not GroupMembership.objects.current(at=at).filter(user=ben).exists()

    def test_an_inactive_person_with_a_membership_holds_nothing(self, ben: User, at: datetime) -> None:
        User.objects.filter(pk=ben.pk).update(is_active=False)
        assert load(ben, at=at).held == frozenset()

    def test_an_admin_does_not_deactivate_an_owner(self, ann: User, ada: User, at: datetime) -> None:
        with pytest.raises(AboveYou):
            deactivate(user=ada, by=ann, at=at)

    def test_nobody_deactivates_themself(self, ada: User, at: datetime) -> None:
        with pytest.raises(NotYourself):
            deactivate(user=ada, by=ada, at=at)

    def test_reactivation_gives_a_role_again(self, ada: User, ben: User, at: datetime) -> None:
        deactivate(user=ben, by=ada, at=at)
        reactivate(user=ben, role=role("guest"), by=ada, at=at + DAY)
        assert load(ben, at=at + DAY).rank == role("guest").rank

    def test_an_admin_does_not_bring_back_an_owner(
        self, ann: User, ada: User, ben: User, at: datetime
    ) -> None:
        assign_role(user=ben, role=role("owner"), by=ada, at=at)
        deactivate(user=ben, by=ada, at=at)
        with pytest.raises(AboveYou):
            reactivate(user=ben, role=role("member"), by=ann, at=at)


class TestTheDatabase:
    def test_refuses_periods_that_overlap(self, ben: User, at: datetime) -> None:
        with pytest.raises(IntegrityError, match="membership_periods_apart"), transaction.atomic():
            Membership.writer.create(user=ben, role=role("guest"), starts_at=at, ends_at=at + DAY)

    def test_lets_periods_of_two_people_overlap(self, ben: User, cy: User, at: datetime) -> None:
        assert Membership.objects.current(at=at).filter(user__in=[ben, cy]).count() == 2

    def test_writes_go_through_actions(self, ben: User) -> None:
        with pytest.raises(WriteRefused):
            Membership.objects.filter(user=ben).update(role=role("owner"))
