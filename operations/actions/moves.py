"""Asking for a move, and for its end. The work is done by operations.moves, in a process of the owner's."""

from datetime import datetime
from itertools import chain

from django.db import IntegrityError, transaction

from operations.actions.waking import wake_owner
from operations.models import Move
from operations.models.move import CAN_BE_CANCELLED
from operations.moves import checks
from operations.moves.problems import CannotMove
from operations.moves.telling import act
from tenants.models import Organisation, Shard

GO_ON = "operations.tasks.go_on"


def ask(*, organisation: Organisation, target: Shard, reason: str, by: str, at: datetime) -> Move:
    """Write down that an organisation shall move. Raises CannotMove for what can be said at once."""
    checks.places(organisation, target)
    try:
        with transaction.atomic(using="control"):
            move = Move.objects.create(
                organisation=organisation,
                source_id=organisation.shard_id,
                target=target,
                schema_name=organisation.schema_name,
                epoch=organisation.epoch,
                reason=reason.strip()[:300],
                asked_by=by,
                asked_at=at,
            )
            act(move, f"move to {target.pk}", by=by)
    except IntegrityError as problem:
        raise CannotMove(f"{organisation.name} is being moved already.") from problem
    return move


def cancel(move: Move, *, by: str, at: datetime, reason: str = "") -> None:
    """Ask a move to be taken back; without a reason that of the move is noted.

    Raises CannotMove once it switches.
    """
    asked = Move.objects.filter(pk=move.pk, step__in=CAN_BE_CANCELLED).update(cancel_asked_at=at)
    if not asked:
        raise CannotMove("This move cannot be cancelled any more.")
    act(move, f"move to {move.target_id} cancelled", by=by, reason=reason)


def ring(*, at: datetime) -> int:
    """Wake the owner's worker for each move that can go on; return how many there are."""
    waiting = list(chain(Move.objects.under_way(), Move.objects.to_be_dropped(at=at)))
    for move in waiting:
        wake_owner(GO_ON, move_id=str(move.pk))
    return len(waiting)
