"""Groups: making, naming and deleting them, and who is in them from when until when.

To put somebody into a group is to give them what is shared with it. So who does that must hold it
themself, in the whole organisation.
"""

from datetime import datetime

from django.contrib.auth.models import Group
from django.db import IntegrityError, transaction

from accounts.identity.models import User
from audit.actions import events
from permissions import perms
from permissions.grants import names_granted_to
from permissions.holder import Holder, load, unpin
from permissions.ladder import acting, check_holds_all
from permissions.models import GroupMembership, GroupProfile
from permissions.refusals import (
    AlreadyThere,
    EndsTooEarly,
    NameMissing,
    NameTaken,
    NotAllowed,
    NotAMember,
)


@transaction.atomic
def create_group(*, name: str, by: User, at: datetime, description: str = "") -> GroupProfile:
    """Make a group. Raises NotAllowed, NameMissing or NameTaken."""
    acting(by, perm=perms.GROUPS_MANAGE, at=at)
    group = Group(name=_free_name(name))
    _save_name(group)
    profile = GroupProfile.writer.create(group=group, description=description.strip(), made_at=at)
    events.record("group.made", target=profile, details={"group": group.name})
    return profile


@transaction.atomic
def change_group(*, group: GroupProfile, name: str, description: str, by: User, at: datetime) -> None:
    """Give a group another name and description. Raises NotAllowed, NameMissing or NameTaken."""
    acting(by, perm=perms.GROUPS_MANAGE, at=at)
    before = group.group.name
    group.group.name = _free_name(name, but=group)
    _save_name(group.group)
    group.description = description.strip()
    GroupProfile.writer.filter(pk=group.pk).update(description=group.description)
    events.record("group.changed", target=group, details={"before": before, "group": group.group.name})


@transaction.atomic
def delete_group(*, group: GroupProfile, by: User, at: datetime) -> None:
    """Delete a group with its periods and what was shared with it. Raises NotAllowed."""
    acting(by, perm=perms.GROUPS_MANAGE, at=at)
    events.record("group.deleted", target=group, details={"group": group.group.name})
    group.group.delete()


def check_may_add(holder: Holder, group: GroupProfile) -> None:
    """Raise NotAllowed or MoreThanYouHold if the holder may put nobody into the group."""
    if not holder.holds(perms.GROUPS_MANAGE):
        raise NotAllowed("Your role does not allow adding people to groups.")
    check_holds_all(holder, names_granted_to(group.group))


@transaction.atomic
def add_to_group(
    *,
    group: GroupProfile,
    user: User,
    by: User,
    at: datetime,
    starts_at: datetime | None = None,
    ends_at: datetime | None = None,
) -> GroupMembership:
    """Put a person into a group, from `starts_at` (default: `at`) until `ends_at` (default: no end).

    Raises NotAllowed, MoreThanYouHold, NotAMember, EndsTooEarly, or AlreadyThere if the period meets
    another one of theirs in this group.
    """
    check_may_add(load(by, at=at), group)
    if not load(user, at=at).is_member:
        raise NotAMember
    begins = max(starts_at or at, at)
    if ends_at is not None and ends_at <= begins:
        raise EndsTooEarly
    try:
        with transaction.atomic():
            made = GroupMembership.writer.create(
                user=user, group=group.group, starts_at=begins, ends_at=ends_at
            )
    except IntegrityError as problem:
        raise AlreadyThere(f"{user.name} is in this group already in that period.") from problem
    unpin(user)
    _tell("group.joined", group, user, starts_at=begins, ends_at=ends_at)
    return made


@transaction.atomic
def end_in_group(
    *, group: GroupProfile, user: User, by: User, at: datetime, ends_at: datetime | None = None
) -> None:
    """End a person's time in a group, now or at `ends_at`; what was to begin later is taken away.

    Raises NotAllowed, MoreThanYouHold (to lengthen is to give), EndsTooEarly, or NotAMember if they
    are not in it.
    """
    actor = acting(by, perm=perms.GROUPS_MANAGE, at=at)
    if ends_at is not None and ends_at <= at:
        raise EndsTooEarly
    until = ends_at or at
    periods = GroupMembership.writer.select_for_update().filter(user_id=user.pk, group_id=group.group_id)
    current = next((period for period in periods if period.holds(at=at)), None)
    later = [period for period in periods if period.starts_at > at]
    if current is None and not later:
        raise NotAMember(f"{user.name} is not in this group.")
    GroupMembership.writer.filter(pk__in=[period.pk for period in later]).delete()
    if current is not None:
        if current.ends_at is not None and until > current.ends_at:
            check_holds_all(actor, names_granted_to(group.group))
        GroupMembership.writer.filter(pk=current.pk).update(ends_at=until)
    unpin(user)
    _tell("group.left", group, user, until=until)


@transaction.atomic
def leave_group(*, group: GroupProfile, by: User, at: datetime) -> None:
    """Let a person leave a group themself. Raises NotAMember if they are not in it."""
    ended = (
        GroupMembership.objects.current(at=at)
        .filter(user_id=by.pk, group_id=group.group_id)
        .values_list("pk", flat=True)
    )
    if not GroupMembership.writer.filter(pk__in=list(ended)).update(ends_at=at):
        raise NotAMember("You are not in this group.")
    unpin(by)
    _tell("group.left", group, by, until=at)


def _free_name(name: str, *, but: GroupProfile | None = None) -> str:
    wanted = " ".join(name.split())[:150]
    if not wanted:
        raise NameMissing("Give the group a name.")
    same = Group.objects.filter(name__iexact=wanted)
    if but is not None:
        same = same.exclude(pk=but.group_id)
    if same.exists():
        raise NameTaken("Another group has this name. Choose a different name.")
    return wanted


def _save_name(group: Group) -> None:
    try:
        with transaction.atomic():
            group.save()
    except IntegrityError as problem:
        raise NameTaken("Another group has this name. Choose a different name.") from problem


def _tell(code: str, group: GroupProfile, user: User, **details: object) -> None:
    events.record(
        code,
        target=group,
        details={"group": group.group.name, **details},
        personal={"person": user.name},
        subject=user.pk,
    )
