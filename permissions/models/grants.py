"""Grants: single permissions on single objects, given to persons and groups, with an end.

They extend guardian's models, so its shortcuts and admin tools store and assign them; only our
policies read them, because guardian's own checkers know neither ends nor ceilings.

A room gives a model tables of its own by two subclasses with a `content_object` key to it. They go
with the object, and list pages join nothing:

    class VenueUserGrant(UserGrantBase):
        content_object = models.ForeignKey(Venue, on_delete=models.CASCADE)

        class Meta(UserGrantBase.Meta): ...

A model registered without them shares the two generic tables at the end of this file.
"""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models.functions import Now
from guardian.managers import GroupObjectPermissionManager, UserObjectPermissionManager
from guardian.models import BaseGenericObjectPermission, GroupObjectPermissionBase, UserObjectPermissionBase

from tenants.models.base import TenantRow


class UserGrantManager(UserObjectPermissionManager):
    """Guardian's manager, so that its shortcuts work."""


class GroupGrantManager(GroupObjectPermissionManager):
    """Guardian's manager, so that its shortcuts work."""


class Grant(TenantRow):
    """What we add to guardian's rows. `granted_by` is empty where the system granted or they are gone."""

    ends_at = models.DateTimeField(null=True, blank=True)
    granted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    granted_at = models.DateTimeField(db_default=Now())

    class Meta:
        abstract = True


class UserGrantBase(UserObjectPermissionBase, Grant):
    """A permission of a person on an object; add `content_object`."""

    objects: ClassVar[UserGrantManager] = UserGrantManager()

    class Meta(UserObjectPermissionBase.Meta):
        abstract = True


class GroupGrantBase(GroupObjectPermissionBase, Grant):
    """A permission of a group on an object; add `content_object`."""

    objects: ClassVar[GroupGrantManager] = GroupGrantManager()

    class Meta(GroupObjectPermissionBase.Meta):
        abstract = True


class UserGrant(UserGrantBase, BaseGenericObjectPermission):
    """A person's permission on an object of a model without tables of its own."""

    class Meta(UserGrantBase.Meta, BaseGenericObjectPermission.Meta):
        abstract = False
        unique_together = [["user", "permission", "object_pk"]]
        indexes = [models.Index(fields=["content_type", "object_pk"], name="user_grant_of_object")]


class GroupGrant(GroupGrantBase, BaseGenericObjectPermission):
    """A group's permission on an object of a model without tables of its own."""

    class Meta(GroupGrantBase.Meta, BaseGenericObjectPermission.Meta):
        abstract = False
        unique_together = [["group", "permission", "object_pk"]]
        indexes = [models.Index(fields=["content_type", "object_pk"], name="group_grant_of_object")]
