"""Taking a change back: "Saved · Undo".

A value is taken back only where nobody has changed it since; what somebody else did stays.
"""

from datetime import datetime
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import F, Func, IntegerField, QuerySet, Sum
from django.db.models.fields.json import KeyTransform
from django.db.models.functions import Coalesce
from django.utils import timezone

from accounts.identity.models import User
from audit.actions import events
from jobs.actions import enqueue
from records.actions import checking
from records.actions.done import KEPT, Done, some
from records.actions.refusals import CannotUndo
from records.models import Collection, Record, UndoStep
from records.statements import set_values

KIND = "records.undo"
# A step is a thousand records at most.
STEPS_AT_ONCE = 3


def collection_of(*, token: str, by: User | None) -> Collection:
    """Return the collection that a token is about, so that rights can be asked. Raises CannotUndo."""
    step = _steps(token, by).select_related("collection").first()
    if step is None:
        raise CannotUndo
    return step.collection


def undo(*, token: str, by: User | None, at: datetime) -> Done:
    """Take back the change behind a token, once, and by the person who made it.

    What a job did is taken back by a job, whose id is in Done. Raises CannotUndo for another's or an old
    token, or when all of it has been changed since; Taken when an old value of a unique field is
    another's by now.
    """
    if _steps(token, by).count() > STEPS_AT_ONCE:
        return _as_job(token, by)
    with transaction.atomic():
        steps = list(_steps(token, by).select_for_update(of=("self",)).select_related("collection"))
        if not steps:
            raise CannotUndo
        count = sum(take_back(step, by=by.pk if by else None, at=at) for step in steps)
        if not count:
            raise CannotUndo("This was changed again meanwhile and stays as it is.")
        UndoStep.objects.filter(pk__in=[step.pk for step in steps]).delete()
        tell(steps[0], count)
    return Done(f"Undone for {some(count)}" if count > 1 else "Undone", count=count)


def take_back(step: UndoStep, *, by: UUID | None, at: datetime) -> int:
    """Take back one part of a change and return how many records that were. Raises Taken."""
    try:
        with transaction.atomic():
            return _KINDS[step.kind](step, by, at)
    except IntegrityError as problem:
        raise checking.taken_by_race(problem, step.collection) from problem


def tell(step: UndoStep, count: int) -> None:
    """Say in the trail what was taken back."""
    events.record("records.undone", target=step.collection, details={"what": _words(step, count)})


def what(*, token: str, by: User | None) -> str:
    """Return in words what would be taken back. Raises CannotUndo."""
    step = _steps(token, by).select_related("collection").defer("payload").first()
    if step is None:
        raise CannotUndo
    return _words(step, records_in(_steps(token, by)))


def records_in(steps: "QuerySet[UndoStep]") -> int:
    """Return how many records some steps are about."""
    # Counted there: what a job did is many steps, each with the old values of a thousand records.
    sizes = [_Length(KeyTransform(name, "payload")) for name in ("ids", "changes")]
    return int(steps.order_by().aggregate(total=Sum(Coalesce(*sizes, 0)))["total"] or 0)


class _Length(Func):
    function = "jsonb_array_length"
    output_field = IntegerField()


def _as_job(token: str, by: User | None) -> Done:
    collection = collection_of(token=token, by=by)
    payload = {"token": token, "by": str(by.pk) if by else ""}
    job = enqueue(KIND, payload=payload, label=f"Undo changes of {collection.name}", by=by)
    return Done("Being undone", count=0, job=job.pk)


def _steps(token: str, by: User | None) -> "QuerySet[UndoStep]":
    try:
        wanted = UUID(token)
    except ValueError:
        raise CannotUndo from None
    # Old ones are cleared now and then: how long a step may be used does not hang on when that was.
    fresh = UndoStep.objects.filter(made_at__gt=timezone.now() - KEPT)
    return fresh.filter(token=wanted, owner_id=by.pk if by else None).order_by("-id")


def _words(step: UndoStep, count: int) -> str:
    said = {"create": "adding", "change": "changing", "bin": "moving to the bin"}[step.kind]
    return f"{said} {some(count)} of {step.collection.name}"


def _undo_create(step: UndoStep, who: UUID | None, at: datetime) -> int:
    rows = Record.objects.live().filter(collection=step.collection, pk__in=step.payload["ids"])
    return rows.update(deleted_at=at, updated_at=at, updated_by=who, version=F("version") + 1)


def _undo_bin(step: UndoStep, who: UUID | None, at: datetime) -> int:
    # Those that somebody restored and binned again have another time.
    rows = Record.objects.filter(
        collection=step.collection,
        pk__in=step.payload["ids"],
        deleted_at=datetime.fromisoformat(step.payload["at"]),
    )
    return rows.update(deleted_at=None, updated_at=at, updated_by=who, version=F("version") + 1)


def _undo_change(step: UndoStep, who: UUID | None, at: datetime) -> int:
    changes = {UUID(pk): (old, new) for pk, old, new in step.payload["changes"]}
    rows = Record.objects.select_for_update(of=("self",)).live().filter(pk__in=changes)
    back: list[tuple[UUID, object]] = []
    for row in rows.order_by("pk"):
        old, new = changes[row.pk]
        mine = {key for key in old if row.values.get(key) == new.get(key)}
        if mine:
            values = {key: value for key, value in row.values.items() if key not in mine}
            values |= {key: old[key] for key in mine if old[key] is not None}
            back.append((row.pk, values))
    return set_values(back, by=who, at=at) if back else 0


_KINDS = {"create": _undo_create, "bin": _undo_bin, "change": _undo_change}
