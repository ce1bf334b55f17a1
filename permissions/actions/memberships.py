"""Who belongs to the organisation, in which role, from when until when.

Every change of a membership locks the organisation's row of settings first: changes of one
organisation follow each other, each reads what the one before it has left, and none happens before
it. That is what keeps the last owner, and what makes sure that who has just been lowered cannot
still act with a time from before.
"""

from datetime import datetime

from django.db import transaction
from django.db.models import F

from accounts.identity.models import User
from audit.actions import events
from permissions import perms
from permissions.holder import Holder, load, unpin
from permissions.ladder import acting, check_may_give, check_not_above
from permissions.models import GroupMembership, Membership, PermissionSettings, Role
from permissions.models.periods import unended
from permissions.models.roles import OWNER_ID, SETTINGS_ID
from permissions.refusals import (
    AlreadyThere,
    Deactivated,
    EndsTooEarly,
    LastOwner,
    NotAMember,
    NotYourself,
)


def take_turns(*, at: datetime) -> datetime:
    """Wait for the other changes of memberships to end, for the rest of the transaction.

    Returns `at`, or the time of the last change if that is later.
    """
    rows = PermissionSettings.writer.filter(pk=SETTINGS_ID)
    last = rows.select_for_update(no_key=True).get().people_changed_at
    turn = at if last is None else max(at, last)
    rows.update(people_changed_at=turn)
    return turn


@transaction.atomic
def found_owner(*, user: User, at: datetime) -> Membership:
    """Make the first person of a new organisation its owner: the one membership that nobody gives.

    Raises AlreadyThere once anybody belongs to the organisation.
    """
    at = take_turns(at=at)
    if Membership.objects.exists():
        raise AlreadyThere("The organisation has been founded already.")
    made = Membership.writer.create(user=user, role_id=OWNER_ID, starts_at=at)
    unpin(user)
    _tell("member.founded", user)
    return made


@transaction.atomic
def assign_role(*, user: User, role: Role, by: User, at: datetime) -> Membership:
    """Give a person a role from `at` on: they join with it, or it replaces the one they have.

    A last day that was planned stays. Raises NotAllowed, AboveYou, NotYourself, MoreThanYouHold,
    Deactivated, AlreadyThere, LastOwner or Retired. An invitation is accepted with the person who invited
    as `by`: who has lost the right to give the role since then has given nothing.
    """
    at = take_turns(at=at)
    actor = acting(by, perm=perms.PEOPLE_MANAGE, at=at)
    role = Role.objects.get(pk=role.pk)
    if not User.objects.filter(pk=user.pk, is_active=True).exists():
        raise Deactivated
    before = _current(user, at=at)
    if before is not None and before.role_id == role.pk:
        raise AlreadyThere(f"{user.name} has this role already.")
    if user.pk == by.pk and (role.rank > actor.rank or not role.held() <= actor.held):
        raise NotYourself
    check_not_above(actor, before.role if before else None)
    check_may_give(actor, role)
    until = before.ends_at if before is not None else None
    if before is not None:
        if role.pk != OWNER_ID:
            _check_not_last_owner(before, at=at)
        _end(before, at=at)
    made = Membership.writer.create(user=user, role=role, starts_at=at, ends_at=until)
    unpin(user)
    if before is None:
        _tell("member.joined", user, role=role.name)
    else:
        _tell("member.role_changed", user, role=role.name, before=before.role.name)
    return made


@transaction.atomic
def end_membership(*, user: User, by: User, at: datetime, ends_at: datetime | None = None) -> Membership:
    """End a person's membership, now or at a time to come. People may end their own: they leave.

    Ended now, every session of theirs ends too and they leave their groups; grants stay, and give
    nothing. A later end than the one planned is a gift, so nobody makes it to themself. Raises
    NotAMember, NotAllowed, AboveYou, MoreThanYouHold, NotYourself, LastOwner or EndsTooEarly.
    """
    at = take_turns(at=at)
    actor = load(by, at=at) if user.pk == by.pk else acting(by, perm=perms.PEOPLE_MANAGE, at=at)
    membership = _current(user, at=at)
    if membership is None:
        raise NotAMember
    check_not_above(actor, membership.role)
    _check_not_last_owner(membership, at=at)
    if ends_at is not None and membership.ends_at is not None and ends_at > membership.ends_at:
        _check_may_prolong(actor, membership)
    if ends_at is None:
        _end(membership, at=at)
        _shut_out(user, at=at)
    elif ends_at <= at:
        raise EndsTooEarly
    else:
        membership.ends_at = ends_at
        Membership.writer.filter(pk=membership.pk).update(ends_at=ends_at)
    unpin(user)
    _tell("member.left", user, until=ends_at)
    return membership


@transaction.atomic
def lift_last_day(*, user: User, by: User, at: datetime) -> Membership:
    """Let somebody stay whose last day was planned.

    Raises NotAMember, NotAllowed, AboveYou, MoreThanYouHold, NotYourself, or AlreadyThere if none was.
    """
    at = take_turns(at=at)
    actor = acting(by, perm=perms.PEOPLE_MANAGE, at=at)
    membership = _current(user, at=at)
    if membership is None:
        raise NotAMember
    if membership.ends_at is None:
        raise AlreadyThere(f"{user.name} has no last day.")
    check_not_above(actor, membership.role)
    _check_may_prolong(actor, membership)
    membership.ends_at = None
    Membership.writer.filter(pk=membership.pk).update(ends_at=None)
    unpin(user)
    _tell("member.stays", user)
    return membership


@transaction.atomic
def deactivate(*, user: User, by: User, at: datetime) -> None:
    """Shut a person out at once: no sign-in, no session, no role, no groups. Their history stays.

    Raises NotAllowed, AboveYou, LastOwner, NotYourself, or Deactivated when that is done already.
    """
    at = take_turns(at=at)
    actor = acting(by, perm=perms.PEOPLE_MANAGE, at=at)
    if user.pk == by.pk:
        raise NotYourself("Nobody can deactivate themself. Leave the organisation instead.")
    if not User.objects.filter(pk=user.pk, is_active=True).exists():
        raise Deactivated("This person is deactivated already.")
    membership = _current(user, at=at)
    if membership is not None:
        check_not_above(actor, membership.role)
        _check_not_last_owner(membership, at=at)
        _end(membership, at=at)
    _shut_out(user, at=at)
    unpin(user)
    _tell("member.deactivated", user)


@transaction.atomic
def reactivate(*, user: User, role: Role, by: User, at: datetime) -> Membership:
    """Let a person who left or was deactivated in again, with a role. What was shared with them counts again.

    Raises NotAllowed, AboveYou, MoreThanYouHold, Retired, or AlreadyThere if they belong already.
    """
    at = take_turns(at=at)
    actor = acting(by, perm=perms.PEOPLE_MANAGE, at=at)
    role = Role.objects.get(pk=role.pk)
    if _current(user, at=at) is not None and User.objects.filter(pk=user.pk, is_active=True).exists():
        raise AlreadyThere(f"{user.name} belongs to the organisation already.")
    check_not_above(actor, _last_role(user))
    check_may_give(actor, role)
    # Who left on a planned day may have periods in groups that went on without them.
    _leave_groups(user, at=at)
    user.is_active = True
    User.objects.filter(pk=user.pk).update(is_active=True)
    made = Membership.writer.create(user=user, role=role, starts_at=at)
    unpin(user)
    _tell("member.reactivated", user, role=role.name)
    return made


@transaction.atomic
def shut_out_leavers(*, at: datetime) -> int:
    """Do for those whose last day has passed what leaving at once does; return how many they were.

    Until then they hold nothing already, and cannot sign in; this ends what is left of them.
    """
    if not _leavers(at=at):
        return 0
    at = take_turns(at=at)
    leavers = _leavers(at=at)
    for user in leavers:
        _shut_out(user, at=at)
    return len(leavers)


def _leavers(*, at: datetime) -> list[User]:
    """Return who can still sign in though every period of theirs has ended."""
    belong = Membership.objects.filter(unended(at=at)).values("user_id")
    found = User.objects.filter(is_active=True, memberships__isnull=False).exclude(pk__in=belong)
    return list(found.distinct())


def _current(user: User, *, at: datetime) -> Membership | None:
    return Membership.objects.current(at=at).filter(user_id=user.pk).select_related("role").first()


def _last_role(user: User) -> Role | None:
    last = Membership.objects.filter(user_id=user.pk).select_related("role").order_by("starts_at").last()
    return last.role if last else None


def _check_not_last_owner(membership: Membership, *, at: datetime) -> None:
    """Raise LastOwner if no owner without an end would be left beside this membership."""
    if membership.role_id != OWNER_ID:
        return
    if not Membership.objects.lasting_owners(at=at).exclude(pk=membership.pk).exists():
        raise LastOwner


def _check_may_prolong(actor: Holder, membership: Membership) -> None:
    """Raise if the one who acts may not let somebody have their role for longer."""
    if membership.user_id == actor.user_id:
        raise NotYourself("Nobody can put off their own last day. Ask somebody else who manages people.")
    check_may_give(actor, membership.role)


def _end(membership: Membership, *, at: datetime) -> None:
    membership.ends_at = at
    Membership.writer.filter(pk=membership.pk).update(ends_at=at)


def _shut_out(user: User, *, at: datetime) -> None:
    """End every session and every group of a person, and keep them from signing in."""
    User.objects.filter(pk=user.pk).update(is_active=False, session_version=F("session_version") + 1)
    user.refresh_from_db(fields=["is_active", "session_version"])
    _leave_groups(user, at=at)


def _leave_groups(user: User, *, at: datetime) -> None:
    groups = GroupMembership.writer.filter(user_id=user.pk)
    groups.filter(starts_at__gt=at).delete()
    groups.exclude(ends_at__lte=at).update(ends_at=at)


def _tell(code: str, user: User, **details: object) -> None:
    events.record(code, target=user, details=details, personal={"person": user.name}, subject=user.pk)
