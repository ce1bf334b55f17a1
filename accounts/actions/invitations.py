"""Inviting people, and their coming in.

An invitation is bound to one address and accepted once: the row's update decides between parallel
tries. It is judged when it is accepted: who invited must still be allowed to give the role then.
"""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import QuerySet

from accounts import mails
from accounts.actions.directory import note_person
from accounts.actions.people import add_person
from accounts.identity.models import User
from accounts.links import link_to
from accounts.models import Invitation
from accounts.models.invitation import token_digest
from accounts.refusals import (
    HereAlready,
    InvitationSpent,
    InvitedMeanwhile,
    NobodyToInvite,
    OnlyForTheInvited,
)
from audit.actions import events
from permissions import perms
from permissions.actions.groups import add_to_group, check_may_add
from permissions.actions.memberships import assign_role, reactivate
from permissions.holder import members
from permissions.ladder import acting, check_may_give
from permissions.models import GroupProfile, Role
from permissions.refusals import AboveYou, AlreadyThere, MoreThanYouHold, NotAllowed, Retired
from tenants.context import current_tenant

# What is refused to who invited when the invitation is judged.
_GIVES_NOTHING = (NotAllowed, AboveYou, MoreThanYouHold, Retired)


@transaction.atomic
def invite(
    *, emails: Sequence[str], role: Role, by: User, at: datetime, groups: Sequence[UUID] = ()
) -> list[Invitation]:
    """Invite each address in a role, and send each one mail.

    An address that waits already gets a new link, in the new role; who has left may be invited like
    anybody. Raises NotAllowed, AboveYou, MoreThanYouHold, Retired, NobodyToInvite, or HereAlready for
    the address of somebody who belongs to the organisation.
    """
    actor = acting(by, perm=perms.PEOPLE_MANAGE, at=at)
    check_may_give(actor, role)
    for group in _groups(groups):
        check_may_add(actor, group)
    wanted = list(dict.fromkeys(email.strip().lower() for email in emails if email.strip()))
    if not wanted:
        raise NobodyToInvite
    here = set(members(at=at).filter(email__in=wanted).values_list("email", flat=True))
    if here:
        raise HereAlready(f"{', '.join(sorted(here))}: this person is here already.")
    return [_invite_one(email, role=role, by=by, at=at, groups=groups) for email in wanted]


def _invite_one(email: str, *, role: Role, by: User, at: datetime, groups: Sequence[UUID]) -> Invitation:
    invitation = Invitation.objects.waiting().select_for_update().filter(email=email).first()
    if invitation is None:
        invitation = Invitation(email=email, created_at=at)
    invitation.role, invitation.invited_by, invitation.groups = role, by, list(groups)
    token = invitation.new_token(at=at)
    try:
        with transaction.atomic():
            invitation.save()
    except IntegrityError as problem:
        raise InvitedMeanwhile(f"{email}: somebody else has just invited this person.") from problem
    events.record(
        "invitation.sent", target=invitation, details={"role": role.name}, personal={"address": email}
    )
    _mail(invitation, token)
    return invitation


def _mail(invitation: Invitation, token: str) -> None:
    mails.send(
        to=invitation.email,
        template="accounts/mail/invitation",
        context={
            "whose": current_tenant().name,
            "by": invitation.invited_by.name,
            "role": invitation.role.name,
            "until": invitation.expires_at,
            "link": link_to("accounts:accept", token),
        },
    )


@transaction.atomic
def resend(*, invitation: Invitation, by: User, at: datetime) -> None:
    """Send a new link; the old one stops working. Raises NotAllowed, AboveYou, InvitationSpent."""
    check_may_give(acting(by, perm=perms.PEOPLE_MANAGE, at=at), invitation.role)
    waiting = Invitation.objects.waiting().select_for_update().filter(pk=invitation.pk).first()
    if waiting is None:
        raise InvitationSpent("This invitation was accepted or revoked meanwhile.")
    waiting.invited_by = by
    token = waiting.new_token(at=at)
    waiting.save(update_fields=["invited_by", "token_hash", "sent_at", "expires_at"])
    events.record("invitation.resent", target=waiting, personal={"address": waiting.email})
    _mail(waiting, token)


@transaction.atomic
def revoke(*, invitation: Invitation, by: User, at: datetime) -> None:
    """Take an invitation back: its link stops working. Raises NotAllowed, InvitationSpent."""
    acting(by, perm=perms.PEOPLE_MANAGE, at=at)
    if not Invitation.objects.waiting().filter(pk=invitation.pk).update(revoked_at=at):
        raise InvitationSpent("This invitation was accepted or revoked meanwhile.")
    events.record("invitation.revoked", target=invitation, personal={"address": invitation.email})


def find(*, token: str, at: datetime) -> Invitation:
    """Return the open invitation of a token, if it still gives something; raise InvitationSpent."""
    found = Invitation.objects.open(at=at).select_related("role", "invited_by")
    invitation = found.filter(token_hash=token_digest(token)).first()
    if invitation is None or not still_gives(invitation, at=at):
        raise InvitationSpent
    return invitation


def still_gives(invitation: Invitation, *, at: datetime) -> bool:
    """Return whether the one who invited may (still) give the role."""
    try:
        check_may_give(acting(invitation.invited_by, perm=perms.PEOPLE_MANAGE, at=at), invitation.role)
    except _GIVES_NOTHING:
        return False
    return True


@transaction.atomic
def accept(
    *, invitation: Invitation, name: str, password: str, at: datetime, signed_in: User | None = None
) -> User:
    """Let the invited person in, once, and return them; their address counts as verified.

    Who was here before comes back as the same person, with the new password. Raises InvitationSpent
    (also when who invited may not give the role any more), OnlyForTheInvited or HereAlready.
    """
    if signed_in is not None and signed_in.email != invitation.email:
        raise OnlyForTheInvited
    if not invitation.claim(at=at):
        raise InvitationSpent
    before = User.objects.select_for_update().filter(email=invitation.email).first()
    if before is not None and members(at=at).filter(pk=before.pk).exists():
        raise HereAlready("You are here already. Sign in.")
    try:
        person = _let_in(invitation, before, name=name, password=password, at=at)
    except _GIVES_NOTHING as refusal:
        # What the one who invited may do is nothing that the invited person can use.
        raise InvitationSpent from refusal
    _join_groups(invitation, person, at=at)
    Invitation.objects.filter(pk=invitation.pk).update(accepted_by=person)
    events.record("invitation.accepted", target=person, personal={"address": person.email}, subject=person.pk)
    note_person(person)
    return person


def _let_in(invitation: Invitation, before: User | None, *, name: str, password: str, at: datetime) -> User:
    if before is None:
        person = add_person(email=invitation.email, name=name, password=password, at=at)
        assign_role(user=person, role=invitation.role, by=invitation.invited_by, at=at)
        return person
    before.name = name.strip()
    before.set_password(password)
    before.save(update_fields=["name", "password"])
    reactivate(user=before, role=invitation.role, by=invitation.invited_by, at=at)
    return before


def _join_groups(invitation: Invitation, person: User, *, at: datetime) -> None:
    """Put the person into the groups; one that who invited may not fill any more is passed over."""
    for group in _groups(invitation.groups):
        try:
            add_to_group(group=group, user=person, by=invitation.invited_by, at=at)
        except (*_GIVES_NOTHING, AlreadyThere):
            continue


def _groups(keys: Sequence[UUID]) -> QuerySet[GroupProfile]:
    """Return the groups with these keys that are still there."""
    return GroupProfile.objects.filter(pk__in=keys).select_related("group")
