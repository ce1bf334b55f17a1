"""What the trail keeps of rights: every row of this room, and what was meant by changing it."""

from collections.abc import Iterable, Mapping
from functools import partial
from typing import Any
from uuid import UUID

from django.contrib.auth import get_user_model
from django.db.models import Model

from audit import labels
from audit.codes import declare
from audit.labels import Named
from audit.registry import trail
from permissions.models import (
    GroupGrant,
    GroupMembership,
    GroupProfile,
    Membership,
    PermissionSettings,
    Role,
    UserGrant,
    UserGrantBase,
)

for _model in (Role, GroupProfile):
    trail.register(_model)
for _periods in (Membership, GroupMembership):
    trail.register(_periods, subject="user")
trail.register(PermissionSettings, exclude_fields=["people_changed_at"])


def register_grants(*models: type[Model]) -> None:
    """Let the trail keep every row of tables of grants, and say what one allows whom.

    Not on what: whoever reads the trail may not be allowed to see that, and it may be gone.
    """
    for model in models:
        trail.register(model, bulk=True)
        labels.describe(model, kind=("access", "access"), objects=partial(_access, model))


def _access(model: type[Model], ids: list[UUID]) -> Mapping[UUID, Named]:
    whose = "user" if issubclass(model, UserGrantBase) else "group"
    found = model._default_manager.filter(pk__in=ids).select_related("permission", whose)
    rows: Iterable[Any] = found
    return {row.pk: Named("access", f"{row.permission.name}, for {getattr(row, whose)}") for row in rows}


register_grants(UserGrant, GroupGrant)


def _memberships(ids: list[UUID]) -> Mapping[UUID, Named]:
    found = Membership.objects.filter(pk__in=ids).select_related("user", "role")
    return {row.pk: Named("membership", f"{row.user} as {row.role}") for row in found}


def _group_memberships(ids: list[UUID]) -> Mapping[UUID, Named]:
    found = GroupMembership.objects.filter(pk__in=ids).select_related("user", "group")
    return {row.pk: Named("membership", f"{row.user} in {row.group}") for row in found}


labels.describe(GroupProfile, kind=("details of the group", "details of groups"))
labels.describe(Membership, objects=_memberships)
labels.describe(GroupMembership, objects=_group_memberships)

_PERSON = get_user_model()

declare("member.founded", sentence="{person} founded the organisation; {actor} made it", about=_PERSON)
declare(
    "member.joined", sentence="{actor} made {person} a member of the organisation as {role}", about=_PERSON
)
declare(
    "member.role_changed",
    sentence="{actor} changed the role of {person} from {before} to {role}",
    about=_PERSON,
)
declare("member.left", sentence="{actor} ended the membership of {person}", about=_PERSON)
declare("member.stays", sentence="{actor} took back the last day of {person}", about=_PERSON)
declare("member.deactivated", sentence="{actor} deactivated {person}", about=_PERSON)
declare("member.reactivated", sentence="{actor} reactivated {person} as {role}", about=_PERSON)
declare("group.made", sentence="{actor} made the group {group}")
declare("group.changed", sentence="{actor} changed the group {before}, now {group}")
declare("group.deleted", sentence="{actor} deleted the group {group}")
declare("group.joined", sentence="{actor} added {person} to the group {group}")
declare("group.left", sentence="{actor} ended {person} being in the group {group}")
declare("role.made", sentence="{actor} made the role {role}", about=Role)
declare("role.changed", sentence="{actor} changed the role {role}", about=Role)
declare("role.deleted", sentence="{actor} deleted the role {role}", about=Role)
declare("access.granted", sentence="{actor} shared {target} with {holder}: {perms}")
declare("access.revoked", sentence="{actor} took back from {holder} what was shared of {target}: {perms}")
declare(
    "guests.ceiling_changed",
    sentence="{actor} changed the most that guests may hold",
    about=PermissionSettings,
)
