"""Splitting an organisation: one operator asks, another one approves.

What goes is chosen by ids alone, so that nothing of an organisation is kept in the control plane. The doing
is operations.joining.splitting, in a process of the owner's; what else is done about one is in
operations.actions.joining.
"""

from datetime import datetime

from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.identity.models import User
from operations.actions.joining import (
    GO_ON,
    note,
    refuse_approval,
    refuse_closed,
    refuse_joining,
    refuse_unready,
    said_why,
)
from operations.actions.waking import wake_owner
from operations.joining.picking import Picks
from operations.joining.problems import CannotJoin
from operations.models import JoiningStep, Split
from tenants.models import Organisation, RetiredSlug
from tenants.names import checked_slug, new_schema_name


def plan(source: Organisation, *, slug: str, effective_at: datetime) -> None:
    """Raise CannotJoin where the control plane alone can say that this cannot be done; BadSlug."""
    refuse_closed(source)
    refuse_joining(source)
    refuse_unready(source)
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
    said = said_why(reason)
    if not name.strip():
        raise CannotJoin("Say what the new organisation is called.")
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
                reason=said,
                asked_by=by.email,
                asked_at=timezone.now(),
                staged=new_schema_name(),
                shard=source.shard_id,
            )
            note(split, "ask for", by.email)
    except IntegrityError as problem:
        raise CannotJoin("A split of it is asked for already.") from problem
    wake_owner(GO_ON)
    return split


def approve(split: Split, *, by: User, typed: str) -> None:
    """Let a split begin; `typed` is the address of the organisation that is split."""
    with transaction.atomic(using="control"):
        locked = Split.objects.select_for_update().get(pk=split.pk)
        refuse_approval(locked, by=by, typed=typed)
        source = Organisation.objects.select_for_update().get(pk=locked.source_id)
        refuse_closed(source)
        refuse_unready(source)
        split.note(step=JoiningStep.APPROVED, approved_by=by.email, approved_at=timezone.now())
        note(split, "approve", by.email)
    wake_owner(GO_ON)
