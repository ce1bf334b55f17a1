"""Where an organisation lived: its moves say, and what it was then is read from the back-ups of there.

Who was erased and came back begins anew: its schema has another name, and back-ups of before do not know it.
"""

from datetime import datetime

from operations.models import Move, ReturnStep
from tenants.models import Organisation


def shard_at(organisation: Organisation, moment: datetime) -> str:
    """Return the alias of the shard on which an organisation lived at a moment."""
    return next(alias for alias, until in _stays(organisation) if until is None or moment < until)


def stays(organisation: Organisation) -> list[tuple[str, datetime, datetime | None]]:
    """Return where an organisation has lived, from when and until when, in order; the last has no end."""
    ends = _stays(organisation)
    begins = [began_at(organisation), *(until for _, until in ends if until is not None)]
    return [(alias, since, until) for (alias, until), since in zip(ends, begins, strict=True)]


def began_at(organisation: Organisation) -> datetime:
    """Return since when its schema has been there: it was made then, or came back the last time."""
    back = organisation.returns.filter(step=ReturnStep.DONE).order_by("-ended_at").first()
    at: datetime = back.ended_at if back is not None and back.ended_at else organisation.created_at
    return at


def _stays(organisation: Organisation) -> list[tuple[str, datetime | None]]:
    since = began_at(organisation)
    moves = Move.objects.filter(organisation=organisation, asked_at__gte=since).arrived()
    left = [(str(move.source_id), at) for move in moves if (at := move.switched_at) is not None]
    return [*left, (str(organisation.shard_id), None)]
