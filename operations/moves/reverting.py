"""Putting everything back: the organisation stays where it is, and nothing is left of the attempt."""

from operations.models import Move
from operations.moves import copying, links
from operations.moves.fencing import fenced
from operations.moves.problems import CannotMove
from operations.moves.telling import REVERTED, act, tell


def revert(move: Move) -> None:
    """Drop subscription, slot, publication and copy. May be repeated. Raises CannotMove after the switch."""
    with links.owner(move.source_id) as source, links.owner(move.target_id) as target:
        with fenced(source, move.schema_name):
            row = source.execute(
                "SELECT state FROM enclave.placed WHERE schema_name = %s", (move.schema_name,)
            ).fetchone()
            if row is None or row[0] != "open":
                raise CannotMove("The organisation lives on the target already.")
        copying.stop(move)
        target.execute("SELECT enclave.leave(%s)", (move.schema_name,))
        tell(source, move, REVERTED, source=move.source_id, target=move.target_id, why=move.error[:300])
    act(move, f"move to {move.target_id} taken back", reason=move.error or move.reason)


def drop_old_copy(move: Move) -> None:
    """Drop what the move left behind, if it is still that: a later move may have come back to it."""
    with links.owner(move.source_id) as source:
        source.execute("SET lock_timeout = '3s'")
        row = source.execute(
            "SELECT state, epoch FROM enclave.placed WHERE schema_name = %s", (move.schema_name,)
        ).fetchone()
        if row is not None and row[0] == "closed" and int(row[1]) == move.epoch:
            source.execute("SELECT enclave.leave(%s)", (move.schema_name,))
