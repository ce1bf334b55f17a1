"""Own roles and the vocabulary: closed lists, and no way up through a role."""

from collections.abc import Callable
from datetime import datetime

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.http import HttpRequest, HttpResponse
from django.urls import path

from accounts.identity.models import User
from permissions import checks, perms
from permissions.access import opens, requires
from permissions.actions.memberships import assign_role
from permissions.actions.roles import change_role, create_role, delete_role, set_guest_ceiling
from permissions.holder import holds
from permissions.models import GroupProfile, Role
from permissions.models.roles import ADMIN_RANK, GUEST_RANK, MEMBER_RANK, OWNER_RANK
from permissions.policies import NoPolicy, policy_for
from permissions.refusals import (
    AboveYou,
    BuiltIn,
    MoreThanYouHold,
    NameTaken,
    NotAllowed,
    NotYourself,
    Retired,
    RoleInUse,
)
from tests.permissions.conftest import role


class TestTheVocabulary:
    def test_refuses_unknown_names_at_import(self) -> None:
        for use in (requires, perms.known, perms.givers, lambda name: opens(GroupProfile, to=name)):
            with pytest.raises(perms.UnknownPermission):
                use("people.veiw")

    def test_refuses_a_name_declared_twice(self) -> None:
        with pytest.raises(ImproperlyConfigured):
            perms.declare("people.view", label="See people", help="")

    def test_closes_what_implies(self) -> None:
        assert perms.RECORDS_VIEW in perms.closed([perms.RECORDS_CHANGE])
        assert perms.RECORDS_CHANGE in perms.givers(perms.RECORDS_VIEW)

    def test_refuses_models_without_policy(self) -> None:
        with pytest.raises(NoPolicy):
            policy_for(GroupProfile)


def page(request: HttpRequest) -> HttpResponse:
    """Answer nothing."""
    return HttpResponse()


class TestTheCheck:
    def test_finds_nothing_now(self) -> None:
        assert checks.every_view_declares_access(None) == []
        assert checks.every_grant_has_its_permission(None) == []

    @pytest.mark.parametrize("view", [page, opens(GroupProfile, to=perms.PEOPLE_VIEW)(page)])
    def test_finds_what_nobody_declared(self, view: Callable[..., HttpResponse]) -> None:
        (fault,) = checks.faults_of(iter([("new", path("new/", view))]))
        assert fault.id == "permissions.E001"


class TestOwnRoles:
    def test_hold_what_they_were_given(self, ada: User, ben: User, at: datetime) -> None:
        made = create_role(name="Door", names=["records.view"], rank=MEMBER_RANK, by=ada, at=at)
        assign_role(user=ben, role=made, by=ada, at=at)
        assert holds(ben, "records.view", at=at)
        assert not holds(ben, "records.change", at=at)

    def test_change_for_everybody_at_once(self, ada: User, ben: User, at: datetime) -> None:
        made = create_role(name="Door", names=["records.view"], rank=MEMBER_RANK, by=ada, at=at)
        assign_role(user=ben, role=made, by=ada, at=at)
        change_role(role=made, name="Door", names=[], by=ada, at=at)
        assert not holds(ben, "records.view", at=at)

    def test_for_guests_stay_under_the_ceiling(self, ada: User, ben: User, at: datetime) -> None:
        made = create_role(
            name="Agency", names=["records.delete"], rank=GUEST_RANK, is_guest=True, by=ada, at=at
        )
        assign_role(user=ben, role=made, by=ada, at=at)
        assert holds(ben, "records.view", at=at)
        assert not holds(ben, "records.delete", at=at)
        set_guest_ceiling(names=[], by=ada, at=at)
        assert not holds(ben, "records.view", at=at)

    def test_once_deleted_are_given_to_nobody(self, ada: User, ben: User, at: datetime) -> None:
        made = create_role(name="Door", names=[], rank=MEMBER_RANK, by=ada, at=at)
        delete_role(role=made, by=ada, at=at)
        with pytest.raises(Retired):
            assign_role(user=ben, role=made, by=ada, at=at)

    def test_in_use_need_another_instead(self, ada: User, ben: User, at: datetime) -> None:
        made = create_role(name="Door", names=[], rank=MEMBER_RANK, by=ada, at=at)
        assign_role(user=ben, role=made, by=ada, at=at)
        with pytest.raises(RoleInUse):
            delete_role(role=made, by=ada, at=at)
        assert delete_role(role=made, by=ada, at=at, instead=role("member")) == 1

    def test_have_names_of_their_own(self, ada: User, at: datetime) -> None:
        with pytest.raises(NameTaken):
            create_role(name="owner", names=[], rank=MEMBER_RANK, by=ada, at=at)

    def test_built_in_ones_stay(self, ada: User, at: datetime) -> None:
        with pytest.raises(BuiltIn):
            change_role(role=role("guest"), name="Guest", names=["people.manage"], by=ada, at=at)


class TestNoWayUp:
    """AZ-6: by every road a role offers."""

    @pytest.fixture
    def smith(self, ada: User, ben: User, at: datetime) -> User:
        """Ben, who may manage roles and people on the rung of members, and nothing else."""
        made = create_role(
            name="Smith", names=["roles.manage", "people.manage"], rank=MEMBER_RANK, by=ada, at=at
        )
        assign_role(user=ben, role=made, by=ada, at=at)
        return ben

    def test_making_a_role_with_more(self, smith: User, at: datetime) -> None:
        with pytest.raises(MoreThanYouHold):
            create_role(name="Up", names=["settings.change"], rank=MEMBER_RANK, by=smith, at=at)

    @pytest.mark.parametrize("rank", [ADMIN_RANK, OWNER_RANK, 9000])
    def test_making_a_role_above(self, smith: User, at: datetime, rank: int) -> None:
        with pytest.raises(AboveYou):
            create_role(name="Up", names=[], rank=rank, by=smith, at=at)

    def test_widening_their_own_role(self, smith: User, at: datetime) -> None:
        own = Role.objects.get(name="Smith")
        with pytest.raises(MoreThanYouHold):
            change_role(role=own, name="Smith", names=["settings.change"], by=smith, at=at)

    def test_giving_a_role_with_more_on_their_rung(self, smith: User, cy: User, at: datetime) -> None:
        with pytest.raises(MoreThanYouHold):
            assign_role(user=cy, role=role("member"), by=smith, at=at)

    def test_taking_a_role_with_more_themself(self, smith: User, at: datetime) -> None:
        with pytest.raises(NotYourself):
            assign_role(user=smith, role=role("member"), by=smith, at=at)

    def test_lifting_the_ceiling(self, smith: User, at: datetime) -> None:
        with pytest.raises(NotAllowed):
            set_guest_ceiling(names=["settings.change"], by=smith, at=at)

    def test_bending_a_wider_role_on_their_rung(self, ada: User, smith: User, at: datetime) -> None:
        wide = create_role(name="Wide", names=["settings.change"], rank=MEMBER_RANK, by=ada, at=at)
        with pytest.raises(AboveYou):
            change_role(role=wide, name="Wide", names=[], by=smith, at=at)

    def test_lowering_who_holds_more_on_their_rung(
        self, ada: User, smith: User, cy: User, at: datetime
    ) -> None:
        wide = create_role(name="Wide", names=["settings.change"], rank=MEMBER_RANK, by=ada, at=at)
        assign_role(user=cy, role=wide, by=ada, at=at)
        with pytest.raises(AboveYou):
            assign_role(user=cy, role=role("guest"), by=smith, at=at)
