"""Roles, memberships, groups and grants of one organisation."""

from permissions.models.grants import GroupGrant, GroupGrantBase, UserGrant, UserGrantBase
from permissions.models.groups import GroupMembership, GroupProfile
from permissions.models.roles import Membership, PermissionSettings, Role

__all__ = [
    "GroupGrant",
    "GroupGrantBase",
    "GroupMembership",
    "GroupProfile",
    "Membership",
    "PermissionSettings",
    "Role",
    "UserGrant",
    "UserGrantBase",
]
