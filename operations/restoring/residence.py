"""Where an organisation lived: its moves say, and what it was then is read from the back-ups of there."""

from datetime import datetime

from operations.models import Move
from tenants.models import Organisation


def shard_at(organisation: Organisation, moment: datetime) -> str:
    """Return the alias of the shard on which an organisation lived at a moment."""
    return next(alias for alias, until in _stays(organisation) if until is None or moment < until)


def stays(organisation: Organisation) -> list[tuple[str, datetime, datetime | None]]:
    """Return where an organisation has lived, from when and until when, in order; the last has no end."""
    ends = _stays(organisation)
    begins = [organisation.created_at, *(until for _, until in ends if until is not None)]
    return [(alias, since, until) for (alias, until), since in zip(ends, begins, strict=True)]


def _stays(organisation: Organisation) -> list[tuple[str, datetime | None]]:
    moves = Move.objects.filter(organisation=organisation).arrived()
    left = [(str(move.source_id), at) for move in moves if (at := move.switched_at) is not None]
    return [*left, (str(organisation.shard_id), None)]
