"""The end of an organisation's data: one operator asks, another one approves, and it has its day.

    asked -> approved -> erasing -> done        (cancelled: at any time before it begins)

Everything here is written down in the control plane; the doing is operations.leaving.erasing, in a process
of the owner's.
"""

from dataclasses import dataclass
from datetime import datetime

from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.identity.models import User
from operations.actions.joining import refuse_joining
from operations.actions.waking import wake_owner
from operations.joining.problems import CannotJoin
from operations.leaving.problems import CannotLeave
from operations.models import (
    Erasure,
    ErasureStep,
    Export,
    ExportStep,
    Move,
    OperatorAct,
    Restore,
    Return,
)
from operations.models.leaving import ERASED_AFTER
from tenants.models import Organisation
from tenants.placement import State

GO_ON = "operations.tasks.leave"


@dataclass(frozen=True, slots=True)
class Plan:
    """What an erasure would do: on which day at the earliest, and which export could undo it, if any."""

    not_before: datetime
    last_export: Export | None


def gone_since(organisation: Organisation) -> datetime:
    """Return when an organisation became gone; raise CannotLeave if it is not."""
    if organisation.state != State.GONE:
        raise CannotLeave(f"{organisation.name} is {organisation.state}. Only who is gone is erased.")
    act = OperatorAct.objects.filter(organisation=organisation, act=State.GONE.value).order_by("-at").first()
    at: datetime = act.at if act is not None else timezone.now()
    return at


def plan(organisation: Organisation, *, at_once: bool) -> Plan:
    """Say what an erasure would do; raise CannotLeave where there is none to be asked for."""
    since = gone_since(organisation)
    if Erasure.objects.past_return(organisation).exists():
        raise CannotLeave(f"The data of {organisation.name} is erased already.")
    refuse_part(organisation)
    if Restore.objects.open().filter(organisation=organisation).exists():
        raise CannotLeave("A restore of it is open; that has to end first.")
    if Move.objects.under_way().filter(organisation=organisation).exists():
        raise CannotLeave("It is being moved; that has to end first.")
    now = timezone.now()
    done = organisation.exports.filter(step__in=[ExportStep.DONE, ExportStep.REMOVED])
    return Plan(now if at_once else max(now, since + ERASED_AFTER), done.order_by("-asked_at").first())


def refuse_part(organisation: Organisation) -> None:
    """Raise CannotLeave while a merge or a split of an organisation is open: it is needed to undo that."""
    try:
        refuse_joining(organisation)
    except CannotJoin as problem:
        raise CannotLeave(str(problem)) from problem


def ask(organisation: Organisation, *, reason: str, by: User, at_once: bool = False) -> Erasure:
    """Write down that an operator wants this. Nothing happens before another one approves."""
    if not reason.strip():
        raise CannotLeave("Say why: it is written down.")
    planned = plan(organisation, at_once=at_once)
    try:
        with transaction.atomic(using="control"):
            asked = Erasure.objects.create(
                organisation=organisation,
                schema_name=organisation.schema_name,
                reason=reason.strip()[:300],
                not_before=planned.not_before,
                asked_by=by.email,
                asked_at=timezone.now(),
            )
            _note(asked, "ask for erasure", by.email)
    except IntegrityError as problem:
        raise CannotLeave(f"The erasure of {organisation.name} is asked for already.") from problem
    return asked


def approve(erasure: Erasure, *, by: User, typed: str) -> None:
    """Let an erasure have its day; `typed` is the organisation's address, typed by this other operator."""
    with transaction.atomic(using="control"):
        locked = Erasure.objects.select_for_update().get(pk=erasure.pk)
        if locked.step != ErasureStep.ASKED:
            raise CannotLeave("It does not wait for anybody.")
        if by.email == locked.asked_by:
            raise CannotLeave("Somebody else has to approve what you asked for.")
        if typed != locked.organisation.slug:
            raise CannotLeave(f"{typed} is not the address of the organisation that would be erased.")
        erasure.note(step=ErasureStep.APPROVED, approved_by=by.email, approved_at=timezone.now())
        _note(erasure, "approve erasure", by.email)


def cancel(erasure: Erasure, *, by: User, reason: str) -> None:
    """Take back an erasure that has not begun."""
    open_still = [ErasureStep.ASKED, ErasureStep.APPROVED]
    taken = Erasure.objects.filter(pk=erasure.pk, step__in=open_still).update(
        step=ErasureStep.CANCELLED, ended_at=timezone.now()
    )
    if not taken:
        raise CannotLeave("It has begun, or ended; it cannot be taken back.")
    _note(erasure, "cancel erasure", by.email, reason=reason)


def ring(*, at: datetime) -> int:
    """Wake the owner's worker if something of this waits; return how much."""
    waiting = (
        Export.objects.filter(step=ExportStep.ASKED).count()
        + Erasure.objects.due(at=at).count()
        + Return.objects.open().count()
    )
    if waiting:
        wake_owner(GO_ON)
    return waiting


def _note(erasure: Erasure, act: str, who: str, *, reason: str = "") -> None:
    organisation = erasure.organisation
    OperatorAct.write(organisation, act, who=who, reason=reason or erasure.reason)
