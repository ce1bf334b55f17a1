"""Splitting an organisation: one operator asks, another one approves, and it can be undone.

    asked -> found -> approved -> staged -> done -> closed
                                     done -> undoing -> undone      (failed, cancelled: before it is done)

What goes is chosen by ids alone, so that nothing of an organisation is kept in the control plane. The doing
is operations.joining.splitting, in a process of the owner's.
"""

from datetime import datetime

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.identity.models import User
from operations.actions.merging import LIVING, refuse_busy, refuse_joining
from operations.actions.waking import wake_owner
from operations.joining.picking import Picks
from operations.joining.problems import CannotJoin
from operations.models import OperatorAct, Split, SplitStep
from tenants.models import Organisation, RetiredSlug
from tenants.names import checked_slug, new_schema_name

GO_ON = "operations.tasks.join"


def plan(source: Organisation, *, slug: str, effective_at: datetime) -> None:
    """Raise CannotJoin where the control plane alone can say that this cannot be done; BadSlug."""
    if source.state not in LIVING:
        raise CannotJoin(f"{source.name} is {source.state}, and takes no changes.")
    if not source.domains.exists():
        raise CannotJoin(f"{source.name} is still being made.")
    if source.release != settings.RELEASE:
        raise CannotJoin(f"{source.name} is on the release {source.release}; bring it to this one first.")
    refuse_joining(source)
    refuse_busy(source)
    checked = checked_slug(slug)
    taken = RetiredSlug.objects.filter(slug=checked, free_from__gt=timezone.now())
    if Organisation.objects.filter(slug=checked).exists() or taken.exists():
        raise CannotJoin(f"The address {checked} is taken.")
    if not source.created_at <= effective_at <= timezone.now():
        raise CannotJoin(
            f"It can count as another organisation from {source.created_at:%Y-%m-%d} on, up to now."
        )


def ask(
    source: Organisation,
    *,
    name: str,
    slug: str,
    picks: Picks,
    effective_at: datetime,
    reason: str,
    by: User,
) -> Split:
    """Write down that an operator wants this, and have it looked at. Nobody notices anything yet."""
    if not reason.strip() or not name.strip():
        raise CannotJoin("Say why, and what the new organisation is called.")
    try:
        with transaction.atomic(using="control"):
            locked = Organisation.objects.select_for_update().get(pk=source.pk)
            plan(locked, slug=slug, effective_at=effective_at)
            split = Split.objects.create(
                source=source,
                name=name.strip()[:120],
                slug=checked_slug(slug),
                picks=picks.as_json(),
                effective_at=effective_at,
                reason=reason.strip()[:300],
                asked_by=by.email,
                asked_at=timezone.now(),
                staged=new_schema_name(),
                shard=source.shard_id,
            )
            _note(split, "ask for split", by.email)
    except IntegrityError as problem:
        raise CannotJoin("A split of it is asked for already.") from problem
    wake_owner(GO_ON)
    return split


def approve(split: Split, *, by: User, typed: str) -> None:
    """Let a split begin; `typed` is the address of the organisation that is split."""
    with transaction.atomic(using="control"):
        locked = Split.objects.select_for_update().get(pk=split.pk)
        if locked.step != SplitStep.FOUND:
            raise CannotJoin("It does not wait for anybody.")
        if by.email == locked.asked_by:
            raise CannotJoin("Somebody else has to approve what you asked for.")
        if typed != locked.source.slug:
            raise CannotJoin(f"{typed} is not the address of the organisation that would be split.")
        source = Organisation.objects.select_for_update().get(pk=locked.source_id)
        if source.state not in LIVING:
            raise CannotJoin(f"{source.name} is {source.state}.")
        refuse_busy(source)
        split.note(step=SplitStep.APPROVED, approved_by=by.email, approved_at=timezone.now())
        _note(split, "approve split", by.email)
    wake_owner(GO_ON)


def cancel(split: Split, *, by: User, reason: str) -> None:
    """Take back a split that nobody has approved."""
    waiting = [SplitStep.ASKED, SplitStep.FOUND]
    taken = Split.objects.filter(pk=split.pk, step__in=waiting).update(
        step=SplitStep.CANCELLED, ended_at=timezone.now()
    )
    if not taken:
        raise CannotJoin("It has begun, or ended; undo it instead, as soon as it is done.")
    _note(split, "cancel split", by.email, reason=reason)


def undo(split: Split, *, by: User, reason: str) -> None:
    """Have a split undone that is not closed."""
    if not reason.strip():
        raise CannotJoin("Say why: it is written down.")
    split.refresh_from_db()
    result = {**split.result, "undone_by": by.email, "undo_reason": reason.strip()[:300]}
    taken = Split.objects.filter(pk=split.pk, step=SplitStep.DONE).update(
        step=SplitStep.UNDOING, result=result, error=""
    )
    if not taken:
        raise CannotJoin("Only a split that is done and not closed can be undone.")
    _note(split, "undo split", by.email, reason=reason)
    wake_owner(GO_ON)


def close(split: Split, *, by: User, reason: str) -> None:
    """Let a split be for good before its time; what went is deleted where it was with the next turn."""
    if not reason.strip():
        raise CannotJoin("Say why: it is written down.")
    taken = Split.objects.filter(pk=split.pk, step=SplitStep.DONE).update(undo_until=timezone.now())
    if not taken:
        raise CannotJoin("Only a split that is done can be closed.")
    _note(split, "close split", by.email, reason=reason)
    wake_owner(GO_ON)


def _note(split: Split, act: str, who: str, *, reason: str = "") -> None:
    for organisation in (split.source, split.made):
        if organisation is not None:
            OperatorAct.write(organisation, act, who=who, reason=reason or split.reason)
