"""Models without tables of grants of their own: the generic ones serve them, and forget with them."""

from collections.abc import Iterator
from datetime import datetime

import pytest
from django.contrib.auth.models import Permission
from django.db.models.signals import post_delete

from accounts.identity.models import User
from permissions import perms, policies
from permissions.actions.grants import grant, revoke
from permissions.actions.groups import add_to_group, create_group
from permissions.grants import shared_with
from permissions.models import GroupGrant, GroupProfile, UserGrant
from permissions.policies import ObjectPolicy, policy_for
from tenants.explicit_ids import permission_id
from tests.permissions.conftest import DAY

VIEW, CHANGE = perms.RECORDS_VIEW, perms.RECORDS_CHANGE


class PlainPolicy(ObjectPolicy[GroupProfile]):
    """A room's model, registered in the shortest way."""

    view = VIEW
    grantable = (VIEW, CHANGE, perms.RECORDS_SHARE)


@pytest.fixture
def plain(inside: None) -> Iterator[ObjectPolicy[GroupProfile]]:
    """The policy, with the permissions that the model's Meta would have brought."""
    policy = policies.register(GroupProfile, PlainPolicy)
    Permission.objects.bulk_create(
        Permission(
            id=permission_id("permissions", "groupprofile", codename),
            content_type_id=policy.type_id,
            codename=codename,
            name=codename,
        )
        for codename in policy.codenames()
    )
    yield policy
    del policies._registry[GroupProfile]
    post_delete.disconnect(sender=GroupProfile, dispatch_uid="permissions.permissions.GroupProfile")


class TestGenericGrants:
    def test_reach_the_one_object(
        self, plain: ObjectPolicy[GroupProfile], ada: User, cy: User, staff: GroupProfile, at: datetime
    ) -> None:
        other = create_group(name="Other", by=ada, at=at)
        grant(obj=staff, to=cy, names=[CHANGE], by=ada, at=at, ends_at=at + DAY)
        assert list(plain.visible_to(cy, at)) == [staff]
        assert not plain.allows(cy, VIEW, other, at)
        assert plain.perms_of(cy, staff, at) >= {VIEW, CHANGE}
        assert not plain.visible_to(cy, at + DAY).exists()

    def test_reach_through_groups(
        self, plain: ObjectPolicy[GroupProfile], ada: User, cy: User, staff: GroupProfile, at: datetime
    ) -> None:
        grant(obj=staff, to=staff, names=[VIEW], by=ada, at=at)
        assert not plain.allows(cy, VIEW, staff, at)
        add_to_group(group=staff, user=cy, by=ada, at=at)
        assert plain.allows(cy, VIEW, staff, at)
        assert [reason.source for reason in plain.why(cy, staff, at)] == ["group"]

    def test_are_renewed_and_taken_back(
        self, plain: ObjectPolicy[GroupProfile], ada: User, cy: User, staff: GroupProfile, at: datetime
    ) -> None:
        for end in (at + DAY, None):
            grant(obj=staff, to=cy, names=[VIEW], by=ada, at=at, ends_at=end)
        (shared,) = shared_with(user=cy, at=at)
        assert (shared.obj, shared.until, shared.by) == (staff, None, ada)
        assert revoke(obj=staff, to=cy, by=ada, at=at) == {VIEW}
        assert not UserGrant.objects.exists()

    def test_go_with_their_object(
        self, plain: ObjectPolicy[GroupProfile], ada: User, cy: User, staff: GroupProfile, at: datetime
    ) -> None:
        other = create_group(name="Other", by=ada, at=at)
        grant(obj=staff, to=cy, names=[VIEW], by=ada, at=at)
        grant(obj=staff, to=other, names=[VIEW], by=ada, at=at)
        staff.group.delete()
        assert not UserGrant.objects.exists()
        assert not GroupGrant.objects.exists()

    def test_belong_to_a_registered_model(self, plain: ObjectPolicy[GroupProfile]) -> None:
        assert policy_for(GroupProfile) is plain
