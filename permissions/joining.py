"""What becomes of roles, groups and grants when their organisation is joined to another."""

from django.apps import apps
from django.contrib.auth.models import Group, Permission
from django.contrib.contenttypes.models import ContentType
from guardian.models import GroupObjectPermission, UserObjectPermission

from permissions.models import (
    GroupGrant,
    GroupMembership,
    GroupProfile,
    Membership,
    PermissionSettings,
    Role,
    UserGrant,
)
from permissions.models.roles import ADMIN_ID, OWNER_ID
from tenants.joining import Rule, comes, stays

stays(ContentType, Permission, because="They are the same in every organisation.")
stays(PermissionSettings, because="What guests may hold at the most is decided where they are guests.")
# Nobody becomes an owner of what was not theirs, and roles that everybody has need not come.
comes(Role, rule=Rule(only="NOT r.built_in", names={"code": True, "name": False}))
comes(
    Membership,
    rule=Rule(
        newcomer="user",
        # That somebody was an owner there says nothing about here; the attached trail says it.
        only="r.ends_at IS NULL OR r.ends_at > $moment",
        put={
            "starts_at": "greatest(r.starts_at, $moment)",
            "role_id": f"CASE WHEN r.role_id = '{OWNER_ID}' THEN '{ADMIN_ID}' ELSE r.role_id END",
        },
        last=True,
        follows=True,
    ),
)
comes(Group, rule=Rule(names={"name": False}))
comes(GroupProfile, rule=Rule(follows=True))
comes(GroupMembership, rule=Rule(follows=True))
comes(
    UserGrant, GroupGrant, UserObjectPermission, GroupObjectPermission, rule=Rule(quietly=True, follows=True)
)
for _links in ("auth.Group_permissions", "identity.User_groups", "identity.User_user_permissions"):
    comes(apps.get_model(_links), rule=Rule(quietly=True, follows=True))
