"""Taking a change back: "Saved · Undo".

A value is taken back only where nobody has changed it since; what somebody else did stays.
"""

from datetime import datetime
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import F, QuerySet

from accounts.identity.models import User
from audit.actions import events
from records.actions import checking
from records.actions.done import Done, some
from records.actions.refusals import CannotUndo
from records.models import Collection, Record, UndoStep
from records.statements import set_values


def collection_of(*, token: str, by: User | None) -> Collection:
    """Return the collection that a token is about, so that rights can be asked. Raises CannotUndo."""
    step = _steps(token, by).select_related("collection").first()
    if step is None:
        raise CannotUndo
    return step.collection


def undo(*, token: str, by: User | None, at: datetime) -> Done:
    """Take back the change behind a token, once, and by the person who made it.

    Raises CannotUndo for another's or an old token, or when all of it has been changed since; Taken
    when an old value of a unique field is another's by now.
    """
    with transaction.atomic():
        steps = list(_steps(token, by).select_for_update(of=("self",)).select_related("collection"))
        if not steps:
            raise CannotUndo
        collection = steps[0].collection
        try:
            with transaction.atomic():
                count = sum(_KINDS[step.kind](step, by.pk if by else None, at) for step in steps)
        except IntegrityError as problem:
            raise checking.taken_by_race(problem, collection) from problem
        if not count:
            raise CannotUndo("This was changed again meanwhile and stays as it is.")
        UndoStep.objects.filter(pk__in=[step.pk for step in steps]).delete()
        events.record("records.undone", target=collection, details={"what": _words(steps[0], count)})
    return Done(f"Undone for {some(count)}" if count > 1 else "Undone", count=count)


def _steps(token: str, by: User | None) -> "QuerySet[UndoStep]":
    try:
        wanted = UUID(token)
    except ValueError:
        raise CannotUndo from None
    return UndoStep.objects.filter(token=wanted, owner_id=by.pk if by else None).order_by("-id")


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
