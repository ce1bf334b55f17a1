"""Who cannot be migrated now and is no fault of the migration's: moving, or waiting for a backfill."""

from collections.abc import Sequence
from uuid import UUID

from operations.backfills import contracting
from operations.fleet.ledger import note_waiting
from operations.models import FleetState, Move
from tenants.models import Organisation


def apart(late: Sequence[Organisation]) -> tuple[list[Organisation], list[FleetState]]:
    """Return who can be migrated now, and the states, written down, of those who wait.

    One query for moves, and what `contracting.waiting` costs. The next run looks again.
    """
    reasons = contracting.waiting(late) | moving(late)
    states = note_waiting([one for one in late if one.pk in reasons], reasons)
    return [one for one in late if one.pk not in reasons], states


def moving(late: Sequence[Organisation]) -> dict[UUID, str]:
    """Return who is being moved, as a sentence: what changes one side now would make the other differ."""
    # Few are under way at any time, and many are late.
    there = {one.pk for one in late}
    under_way = [move for move in Move.objects.under_way() if move.organisation_id in there]
    return {
        move.organisation_id: f"It is being moved to {move.target_id}; the next run migrates it there."
        for move in under_way
    }
