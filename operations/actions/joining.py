"""What merges and splits have in common: who may approve one, taking it back, undoing and closing it.

    asked -> found -> approved -> staged -> done -> closed
                                     done -> undoing -> undone      (failed, cancelled: before it is done)

Everything here is written down in the control plane; the doing is operations.joining, in a process of the
owner's.
"""

from datetime import datetime
from typing import Any

from django.conf import settings
from django.utils import timezone

from accounts.identity.models import User
from operations.actions.waking import wake_owner
from operations.joining.problems import CannotJoin
from operations.models import (
    Erasure,
    Export,
    ExportStep,
    JoiningStep,
    Merge,
    Move,
    OperatorAct,
    Restore,
    Split,
)
from operations.models.joining import WAITING
from tenants.models import Organisation
from tenants.placement import State

GO_ON = "operations.tasks.join"
_LIVING = (State.TRIAL, State.ACTIVE)


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


def refuse_unready(organisation: Organisation) -> None:
    """Raise CannotJoin where an organisation is not made, is behind, or something is done with all of it."""
    if not organisation.domains.exists():
        raise CannotJoin(f"{organisation.name} is still being made.")
    if organisation.release != settings.RELEASE:
        raise CannotJoin(
            f"{organisation.name} is on the release {organisation.release}; bring it to this one first."
        )
    restores = Restore.objects.open() | Restore.objects.unfinished()
    if restores.filter(organisation=organisation).exists():
        raise CannotJoin(f"A restore of {organisation.name} is open; that has to end first.")
    if Move.objects.under_way().filter(organisation=organisation).exists():
        raise CannotJoin(f"{organisation.name} is being moved; that has to end first.")
    if Erasure.objects.open().filter(organisation=organisation).exists():
        raise CannotJoin(f"The erasure of {organisation.name} is asked for.")
    if Export.objects.filter(organisation=organisation, step=ExportStep.ASKED).exists():
        raise CannotJoin(f"An export of {organisation.name} is being written; wait for it.")


def refuse_closed(organisation: Organisation) -> None:
    """Raise CannotJoin where nothing of an organisation can be changed."""
    if organisation.state not in _LIVING:
        raise CannotJoin(f"{organisation.name} is {organisation.state}, and takes no changes.")


def refuse_approval(work: Merge | Split, *, by: User, typed: str) -> None:
    """Raise CannotJoin where somebody may not approve this; `work` is locked."""
    if work.step != JoiningStep.FOUND:
        raise CannotJoin("It does not wait for anybody.")
    if by.email == work.asked_by:
        raise CannotJoin("Somebody else has to approve what you asked for.")
    if typed != work.named().slug:
        raise CannotJoin(f"{typed} is not the address of {work.named()}.")


def cancel(work: Merge | Split, *, by: User, reason: str) -> None:
    """Take back what nobody has approved."""
    taken = _at(work, *WAITING).update(step=JoiningStep.CANCELLED, ended_at=timezone.now())
    if not taken:
        raise CannotJoin("It has begun, or ended; undo it instead, as soon as it is done.")
    note(work, "cancel", by.email, reason=reason)


def undo(work: Merge | Split, *, by: User, reason: str) -> None:
    """Have undone what is done and not closed."""
    said = said_why(reason)
    work.refresh_from_db()
    result = {**work.result, "undone_by": by.email, "undo_reason": said}
    taken = _at(work, JoiningStep.DONE).update(step=JoiningStep.UNDOING, result=result, error="")
    if not taken:
        raise CannotJoin(f"Only a {work.noun} that is done and not closed can be undone.")
    note(work, "undo", by.email, reason=said)
    wake_owner(GO_ON)


def close(work: Merge | Split, *, by: User, reason: str) -> None:
    """Let it be for good before its time; the copy goes with the next turn of the owner's worker.

    So does, after a split, what went: it is deleted where it was.
    """
    said = said_why(reason)
    taken = _at(work, JoiningStep.DONE).update(undo_until=timezone.now())
    if not taken:
        raise CannotJoin(f"Only a {work.noun} that is done can be closed.")
    note(work, "close", by.email, reason=said)
    wake_owner(GO_ON)


def ring(*, at: datetime) -> int:
    """Wake the owner's worker if something of this waits; return how much."""
    waiting = sum(rows.at_work().count() + rows.due(at=at).count() for rows in (Merge.objects, Split.objects))
    if waiting:
        wake_owner(GO_ON)
    return waiting


def note(work: Merge | Split, act: str, who: str, *, reason: str = "") -> None:
    """Write down, with each organisation that has a part in it, what an operator has done."""
    for organisation in work.organisations():
        OperatorAct.write(organisation, f"{act} {work.noun}", who=who, reason=reason or work.reason)


def said_why(reason: str) -> str:
    """Return a reason as it is kept. Raises CannotJoin without one."""
    if not reason.strip():
        raise CannotJoin("Say why: it is written down.")
    return reason.strip()[:300]


def _at(work: Merge | Split, *steps: JoiningStep) -> Any:
    """Return this piece of work as long as it is at one of some steps."""
    return type(work)._default_manager.filter(pk=work.pk, step__in=steps)
