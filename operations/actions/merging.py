"""Merging two organisations: one operator asks, another one who has seen the clashes approves.

Until it is closed it can be undone.

    asked -> found -> approved -> staged -> done -> closed
                                     done -> undoing -> undone      (failed, cancelled: before it is done)

Everything here is written down in the control plane; the doing is operations.joining.merging, in a process of
the owner's.
"""

from datetime import datetime

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.identity.models import User
from operations.actions.waking import wake_owner
from operations.joining.problems import CannotJoin
from operations.models import Erasure, Export, ExportStep, Merge, MergeStep, Move, OperatorAct, Restore, Split
from tenants import hosts
from tenants.models import Organisation
from tenants.names import new_schema_name
from tenants.placement import State

GO_ON = "operations.tasks.join"
LIVING = (State.TRIAL, State.ACTIVE)
_GIVING = (State.TRIAL, State.ACTIVE, State.SUSPENDED, State.LEAVING)


def refuse_joining(organisation: Organisation) -> None:
    """Raise CannotJoin while a merge or a split in which an organisation has a part is open.

    Whatever would move its schema, exchange it, erase it or open it asks this first.
    """
    merge = Merge.objects.open().of(organisation).select_related("absorbed", "into").first()
    split = Split.objects.open().of(organisation).select_related("source").first()
    what = f"merge of {merge.absorbed} into {merge.into}" if merge else ""
    what = f"split of {split.source}" if split else what
    if what:
        raise CannotJoin(f"The {what} is open. It has to be closed, undone or cancelled first.")


def plan(absorbed: Organisation, into: Organisation) -> None:
    """Raise CannotJoin where the control plane alone can say that the two cannot be merged."""
    if absorbed.pk == into.pk:
        raise CannotJoin("An organisation cannot become part of itself.")
    for organisation in (absorbed, into):
        refuse_joining(organisation)
    _refuse_unfit(absorbed, into)


def _refuse_unfit(absorbed: Organisation, into: Organisation) -> None:
    if absorbed.state not in _GIVING:
        raise CannotJoin(f"{absorbed.name} is {absorbed.state}.")
    if into.state not in LIVING:
        raise CannotJoin(f"{into.name} is {into.state}, and takes no changes.")
    for organisation in (absorbed, into):
        refuse_busy(organisation)
        if not organisation.domains.exists():
            raise CannotJoin(f"{organisation.name} is still being made.")
        if organisation.release != settings.RELEASE:
            raise CannotJoin(
                f"{organisation.name} is on the release {organisation.release}; bring it to this one first."
            )
    if absorbed.region and absorbed.region != into.shard.region:
        raise CannotJoin(
            f"The data of {absorbed.name} has to stay in {absorbed.region}, and {into.name} is elsewhere."
        )
    if absorbed.customer != into.customer:
        raise CannotJoin(
            "One of the two lives on a server of its customer's own, and the other one does not."
        )


def refuse_busy(organisation: Organisation) -> None:
    """Raise CannotJoin while something else is being done with the whole of an organisation."""
    restores = Restore.objects.open() | Restore.objects.unfinished()
    if restores.filter(organisation=organisation).exists():
        raise CannotJoin(f"A restore of {organisation.name} is open; that has to end first.")
    if Move.objects.under_way().filter(organisation=organisation).exists():
        raise CannotJoin(f"{organisation.name} is being moved; that has to end first.")
    if Erasure.objects.open().filter(organisation=organisation).exists():
        raise CannotJoin(f"The erasure of {organisation.name} is asked for.")
    if Export.objects.filter(organisation=organisation, step=ExportStep.ASKED).exists():
        raise CannotJoin(f"An export of {organisation.name} is being written; wait for it.")


def ask(absorbed: Organisation, into: Organisation, *, reason: str, by: User) -> Merge:
    """Write down that an operator wants this, and have all clashes found. Nobody notices anything yet."""
    if not reason.strip():
        raise CannotJoin("Say why: it is written down.")
    try:
        with transaction.atomic(using="control"):
            # In the order of their keys, so that two who ask for the two ways round wait for each other.
            pair = (
                Organisation.objects.select_for_update().filter(pk__in=[absorbed.pk, into.pk]).order_by("pk")
            )
            locked = {one.pk: one for one in pair}
            plan(locked[absorbed.pk], locked[into.pk])
            merge = Merge.objects.create(
                absorbed=absorbed,
                into=into,
                reason=reason.strip()[:300],
                asked_by=by.email,
                asked_at=timezone.now(),
                staged=new_schema_name(),
                shard=into.shard_id,
            )
            _note(merge, "ask for merge", by.email)
    except IntegrityError as problem:
        raise CannotJoin("A merge of one of the two is asked for already.") from problem
    wake_owner(GO_ON)
    return merge


def approve(merge: Merge, *, by: User, typed: str) -> None:
    """Let a merge begin; `typed` is the address of the organisation that becomes part of the other one.

    From here on nobody gets into it.
    """
    with transaction.atomic(using="control"):
        locked = Merge.objects.select_for_update().get(pk=merge.pk)
        if locked.step != MergeStep.FOUND:
            raise CannotJoin("It does not wait for anybody.")
        if by.email == locked.asked_by:
            raise CannotJoin("Somebody else has to approve what you asked for.")
        if typed != locked.absorbed.slug:
            raise CannotJoin(f"{typed} is not the address of the organisation that would be absorbed.")
        absorbed = Organisation.objects.select_for_update().get(pk=locked.absorbed_id)
        into = Organisation.objects.get(pk=locked.into_id)
        _refuse_unfit(absorbed, into)
        merge.note(
            step=MergeStep.APPROVED,
            approved_by=by.email,
            approved_at=timezone.now(),
            state_before=absorbed.state,
        )
        absorbed.move_to(State.GONE, reason=f"It becomes part of {into.name}.")
        OperatorAct.write(absorbed, State.GONE.value, who=by.email, reason=merge.reason)
        Organisation.objects.filter(pk=absorbed.pk).update(part_of=into)
        _note(merge, "approve merge", by.email)
    hosts.forget()
    wake_owner(GO_ON)


def cancel(merge: Merge, *, by: User, reason: str) -> None:
    """Take back a merge that nobody has approved."""
    waiting = [MergeStep.ASKED, MergeStep.FOUND]
    taken = Merge.objects.filter(pk=merge.pk, step__in=waiting).update(
        step=MergeStep.CANCELLED, ended_at=timezone.now()
    )
    if not taken:
        raise CannotJoin("It has begun, or ended; undo it instead, as soon as it is done.")
    _note(merge, "cancel merge", by.email, reason=reason)


def undo(merge: Merge, *, by: User, reason: str) -> None:
    """Have a merge undone that is not closed."""
    if not reason.strip():
        raise CannotJoin("Say why: it is written down.")
    merge.refresh_from_db()
    result = {**merge.result, "undone_by": by.email, "undo_reason": reason.strip()[:300]}
    taken = Merge.objects.filter(pk=merge.pk, step=MergeStep.DONE).update(
        step=MergeStep.UNDOING, result=result, error=""
    )
    if not taken:
        raise CannotJoin("Only a merge that is done and not closed can be undone.")
    _note(merge, "undo merge", by.email, reason=reason)
    wake_owner(GO_ON)


def close(merge: Merge, *, by: User, reason: str) -> None:
    """Let a merge be for good before its time; the copy goes with the next turn of the owner's worker."""
    if not reason.strip():
        raise CannotJoin("Say why: it is written down.")
    taken = Merge.objects.filter(pk=merge.pk, step=MergeStep.DONE).update(undo_until=timezone.now())
    if not taken:
        raise CannotJoin("Only a merge that is done can be closed.")
    _note(merge, "close merge", by.email, reason=reason)
    wake_owner(GO_ON)


def ring(*, at: datetime) -> int:
    """Wake the owner's worker if something of this waits; return how much."""
    waiting = sum(rows.at_work().count() + rows.due(at=at).count() for rows in (Merge.objects, Split.objects))
    if waiting:
        wake_owner(GO_ON)
    return waiting


def _note(merge: Merge, act: str, who: str, *, reason: str = "") -> None:
    for organisation in (merge.absorbed, merge.into):
        OperatorAct.write(organisation, act, who=who, reason=reason or merge.reason)
