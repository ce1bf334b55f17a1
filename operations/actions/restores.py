"""Asking for an organisation to be brought back, approving it, declining it, and asking to have it undone.

    asked -> approved -> read -> loaded -> swapped -> done        (undone: exchanged back)

Everything here is written down in the control plane and may be done by any process; the doing is
operations.actions.bringing_back, in a process of the owner's.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from accounts.identity.models import User
from operations.actions import backups
from operations.actions.joining import refuse_joining
from operations.actions.waking import wake_owner
from operations.joining.problems import CannotJoin
from operations.models import Erasure, Move, OperatorAct, Restore, RestoreStep
from operations.restoring import bundle, places, residence, swapping
from operations.restoring.problems import CannotRestore
from tenants.models import Organisation

# A list that somebody pasted by mistake is longer; after a disaster one says how many.
MOST_AT_ONCE = 5
MOST_AT_ALL = 50
GO_ON = "operations.tasks.restore"


@dataclass(frozen=True, slots=True)
class Plan:
    """What a restore would do: `lost` entries of the trail are of things done since."""

    source: str
    to: datetime
    lost: int


def plan(organisation: Organisation, *, to: datetime | None, from_bundle: Path | None = None) -> Plan:
    """Say what a restore would do; raises CannotRestore. Needs the owner's login."""
    moment, source = _source(organisation, to=to, from_bundle=from_bundle)
    return Plan(source, moment, lost_by(organisation, moment))


def lost_by(organisation: Organisation, to: datetime) -> int:
    """Return how many entries of its trail going back would take back. Needs the owner's login."""
    address = places.owner_address(str(organisation.shard_id))
    return swapping.events_after(address, str(organisation.schema_name), to)


def _source(
    organisation: Organisation, *, to: datetime | None, from_bundle: Path | None
) -> tuple[datetime, str]:
    """Return to which moment and from what an organisation would be restored; raises CannotRestore."""
    refuse_moving(organisation)
    if Erasure.objects.past_return(organisation).exists():
        raise CannotRestore(f"The data of {organisation.slug} is erased. It comes back from its export only.")
    if from_bundle is not None:
        manifest = bundle.read_manifest(from_bundle)
        if manifest.schema != str(organisation.schema_name):
            raise CannotRestore(f"{from_bundle} is not a bundle of {organisation.slug}.")
        if manifest.is_part:
            raise CannotRestore(f"{from_bundle} has a part of {organisation.slug} only.")
        return datetime.fromisoformat(manifest.taken_at), f"the bundle {from_bundle}"
    if to is None:
        raise CannotRestore("Say to which time.")
    if to >= timezone.now():
        raise CannotRestore("That time has not come yet.")
    began = residence.began_at(organisation)
    if to < began:
        came = "made" if began == organisation.created_at else "erased, and came back"
        raise CannotRestore(f"{organisation.slug} was {came} later, at {began}.")
    alias = residence.shard_at(organisation, to)
    there = "" if alias == organisation.shard_id else f" of {alias}, where it lived then,"
    if alias not in settings.SHARD_ALIASES:
        raise CannotRestore(f"It lived on {alias} then, which this installation does not have any more.")
    backup = backups.newest(alias, before=to)
    if backup is None:
        after = next((begin for begin, _ in spans(organisation) if begin > to), None)
        instead = (
            f"The next moment to go back to is {after:{_SHOWN}}." if after else "Nor is there a later one."
        )
        where = alias if alias == organisation.shard_id else f"{alias}, where it lived then,"
        raise CannotRestore(f"No back-up of {where} is from before {to:{_SHOWN}}. {instead}")
    return to, f"the back-up of {backup.began_at:%Y-%m-%d %H:%M:%S}{there} and the log since"


_SHOWN = "%Y-%m-%d %H:%M:%S"


def spans(organisation: Organisation) -> list[tuple[datetime, datetime | None]]:
    """Return from when until when any moment can be had back, in order; None where there is no end.

    Between two there are moments of which no back-up knows: it had moved to a server that had none yet.
    They begin with a whole second, as people type it.
    """
    found: list[tuple[datetime, datetime | None]] = []
    for alias, since, until in residence.stays(organisation):
        oldest = backups.oldest_point(alias) if alias in settings.SHARD_ALIASES else None
        if oldest is None or (until is not None and oldest >= until):
            continue
        begin = max(oldest, since)
        if found and found[-1][1] == begin:
            begin = found.pop()[0]
        elif begin.microsecond:
            begin = begin.replace(microsecond=0) + timedelta(seconds=1)
        found.append((begin, until))
    return found


def refuse_moving(organisation: Organisation) -> None:
    """Raise CannotRestore while an organisation moves, is merged or is split."""
    _refuse_joined(organisation)
    if Move.objects.under_way().filter(organisation=organisation).exists():
        raise CannotRestore(f"{organisation.slug} is being moved; wait, or cancel that first.")


def _refuse_joined(organisation: Organisation) -> None:
    try:
        refuse_joining(organisation)
    except CannotJoin as problem:
        raise CannotRestore(str(problem)) from problem


def ask(
    organisation: Organisation,
    *,
    to: datetime | None,
    reason: str,
    by: User,
    from_bundle: Path | None = None,
    most: int = MOST_AT_ONCE,
) -> Restore:
    """Write down that an operator wants this. Nothing happens before another one approves."""
    if not reason.strip():
        raise CannotRestore("Say why: it is written down.")
    moment, _ = _source(organisation, to=to, from_bundle=from_bundle)
    with transaction.atomic(using="control"):
        if Restore.objects.open().count() >= min(most, MOST_AT_ALL):
            raise CannotRestore(f"{most} restores are open; no more at once.")
        asked = Restore.objects.create(
            organisation=organisation,
            to_time=moment,
            bundle=str(from_bundle or ""),
            reason=reason.strip()[:300],
            asked_by=by.email,
            asked_at=timezone.now(),
        )
        note(asked, "ask for restore", by.email)
    return asked


def approve(restore: Restore, *, by: User, typed: str) -> None:
    """Let a restore begin; `typed` is the address of the organisation, typed by this other operator."""
    with transaction.atomic(using="control"):
        locked = Restore.objects.select_for_update().get(pk=restore.pk)
        if locked.step != RestoreStep.ASKED:
            raise CannotRestore("It does not wait for anybody.")
        if by.email == locked.asked_by:
            raise CannotRestore("Somebody else has to approve what you asked for.")
        refuse_typed(locked, typed)
        _refuse_joined(locked.organisation)
        columns = {"step": RestoreStep.APPROVED, "approved_by": by.email, "approved_at": timezone.now()}
        restore.note(**columns)
        note(restore, "approve restore", by.email)


def decline(restore: Restore, *, by: User, reason: str = "") -> None:
    """Drop a wish that nobody has approved yet."""
    dropped = Restore.objects.filter(pk=restore.pk, step=RestoreStep.ASKED).update(
        step=RestoreStep.DECLINED, ended_at=timezone.now()
    )
    if not dropped:
        raise CannotRestore("It does not wait for anybody.")
    note(restore, "decline restore", by.email, reason=reason)


def ask_undo(restore: Restore, *, reason: str, by: User, typed: str) -> None:
    """Have the two exchanged back, while what was replaced is kept. One operator may, at once."""
    if not reason.strip():
        raise CannotRestore("Say why: it is written down.")
    with transaction.atomic(using="control"):
        locked = Restore.objects.select_for_update().get(pk=restore.pk)
        refuse_undo(locked)
        if "undo" in locked.result:
            raise CannotRestore("It is being put back already.")
        refuse_typed(locked, typed)
        wish = {"by": by.email, "reason": reason.strip()[:300], "asked_at": timezone.now().isoformat()}
        restore.note(result={**locked.result, "undo": wish}, error="")
        note(restore, "ask to undo restore", by.email, reason=reason.strip()[:300])


def refuse_undo(restore: Restore) -> None:
    """Raise CannotRestore where there is nothing that may be put back."""
    organisation = restore.organisation
    if restore.step != RestoreStep.DONE or restore.other_schema == "":
        raise CannotRestore("There is nothing kept that could be put back.")
    if home_of(restore) != str(organisation.shard_id):
        raise CannotRestore(f"{organisation.slug} has moved to {organisation.shard_id} since.")
    later = Restore.objects.filter(organisation=organisation, asked_at__gt=restore.asked_at)
    if later.filter(step=RestoreStep.DONE).exclude(other_schema="").exists():
        raise CannotRestore("It was restored again since; undo that first.")
    if later.open().exists():
        raise CannotRestore("Another restore of it is open; that has to end first.")
    refuse_moving(organisation)


def refuse_typed(restore: Restore, typed: str) -> None:
    """Raise CannotRestore unless somebody typed the address of just this organisation."""
    if typed != restore.organisation.slug:
        raise CannotRestore(f"{typed} is not the address of the organisation that would be changed.")


def home_of(restore: Restore) -> str:
    """Return the shard on which the other schema is; the organisation may have moved since."""
    return str(restore.result.get("shard") or restore.organisation.shard_id)


def ring() -> int:
    """Wake the owner's worker if a restore or an undoing has come to no end; return how many there are.

    One message for all of them: those that go back to the same moment are read from one recovery.
    """
    waiting = Restore.objects.unfinished().count()
    if waiting:
        wake_owner(GO_ON)
    return waiting


def note(restore: Restore, act: str, who: str, **told: Any) -> None:
    """Write down an act of an operator."""
    organisation = restore.organisation
    OperatorAct.write(organisation, act, who=who, reason=told.get("reason") or restore.reason)
