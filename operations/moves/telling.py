"""What a move leaves in the trail of the organisation, and among the acts of operators."""

from dataclasses import dataclass

import orjson

from operations.models import Move, OperatorAct
from operations.moves.links import Link
from tenants.functions import own

STARTED = "organisation.move_started"
COMPARED = "organisation.move_compared"
CLOSED = "organisation.move_closed"
MOVED = "organisation.moved"
REVERTED = "organisation.move_reverted"
_ACTOR = orjson.dumps({"kind": "system", "label": "Enclave"}).decode()


@dataclass(frozen=True, slots=True)
class Place:
    """Where an event of the mover's stands in the trail."""

    epoch: int
    txid: int


def tell(connection: Link, move: Move, code: str, **details: object) -> Place:
    """Append an event to the organisation's trail on the shard of the connection, and return its place.

    By hand, not through `enter`: the mover writes while it keeps everybody else out.
    """
    with connection.transaction():
        connection.execute("SELECT set_config('app.actor', %s, true)", (_ACTOR,))
        connection.execute("SELECT set_config('app.request_id', %s, true)", (f"move-{move.pk}",))
        become(connection, move)
        connection.execute(
            f"SELECT {own('audit_record', move.schema_name)}(%s, 0, NULL, %s::jsonb, '{{}}'::jsonb, NULL)",
            (code, orjson.dumps(details).decode()),
        )
        row = connection.execute("SELECT max(epoch), pg_current_xact_id()::text FROM audit_epoch").fetchone()
    assert row is not None
    return Place(int(row[0]), int(row[1]))


def become(connection: Link, move: Move) -> None:
    """Take the tenant's role and path for the running transaction."""
    connection.execute(
        "SELECT set_config('search_path', %s, true), set_config('role', %s, true)",
        (move.schema_name, move.schema_name),
    )


def act(move: Move, what: str, *, by: str = "Enclave", reason: str = "") -> None:
    """Write down an act on the organisation. Its operator is named by `move.asked_by`, or is nobody."""
    organisation = move.organisation
    OperatorAct.write(organisation, what, who=by, reason=reason or move.reason)
