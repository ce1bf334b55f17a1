"""What is written down of each organisation's schema, some at a time."""

import time
from collections.abc import Iterable, Iterator
from uuid import UUID

from django.db import connections
from django.utils import timezone

from operations.fleet.work import Outcome
from operations.models import FleetState
from tenants.context import CONTROL
from tenants.models import Organisation

WRITTEN_AT_ONCE = 200
# One statement with a list for each column: through the models it costs a thousand organisations 70 ms of
# Python, which the threads that send scripts wait for.
_COLUMNS = ("organisation_id", "version", "error", "waits", "migrated_at", "took_ms")
_WRITE = """
    INSERT INTO operations_fleetstate (organisation_id, version, error, waits, migrated_at, took_ms)
    SELECT * FROM unnest(%s::uuid[], %s::text[], %s::text[], %s::text[], %s::timestamptz[], %s::integer[])
    ON CONFLICT (organisation_id) DO UPDATE SET
    version = excluded.version, error = excluded.error, waits = excluded.waits,
    migrated_at = excluded.migrated_at, took_ms = excluded.took_ms
"""
WAITS_S = 0.5  # for more of them: where each takes long, people want to see how far it is


def noted_version(organisation: Organisation) -> str:
    """Return the version that was written down of a schema, or nothing."""
    state = getattr(organisation, "fleet_state", None)
    return state.version if state is not None else ""


def written(by_id: dict[UUID, Organisation], outcomes: Iterable[Outcome]) -> Iterator[list[FleetState]]:
    """Write outcomes down, some at a time, and yield the states that were written together."""
    kept: list[FleetState] = []
    last = time.monotonic()
    for outcome in outcomes:
        kept.append(_state(by_id[outcome.target.id], outcome))
        if len(kept) >= WRITTEN_AT_ONCE or time.monotonic() - last > WAITS_S:
            yield write(kept)
            kept, last = [], time.monotonic()
    if kept:
        yield write(kept)


def _state(organisation: Organisation, outcome: Outcome) -> FleetState:
    return FleetState(
        organisation=organisation,
        # A failed one stays at the version that it had; its transaction was rolled back.
        version=outcome.version or noted_version(organisation),
        error=outcome.error,
        waits=outcome.waits,
        migrated_at=timezone.now(),
        took_ms=round(outcome.took_ms),
    )


def write(states: list[FleetState]) -> list[FleetState]:
    """Write states down, and return them."""
    if states:
        rows = [[getattr(state, name) for state in states] for name in _COLUMNS]
        with connections[CONTROL].cursor() as cursor:
            cursor.execute(_WRITE, rows)
    return states


def note_waiting(group: Iterable[Organisation], reasons: dict[UUID, str]) -> list[FleetState]:
    """Write down what each of some organisations waits for; what went wrong before is over."""
    return write(
        [
            FleetState(
                organisation=one,
                version=noted_version(one),
                waits=reasons[one.pk],
                migrated_at=timezone.now(),
            )
            for one in group
        ]
    )


def note_made(organisation: Organisation, *, version: str) -> None:
    """Write down at which version a new organisation was made."""
    FleetState.objects.update_or_create(
        organisation=organisation,
        defaults={"version": version, "migrated_at": timezone.now(), "error": "", "waits": ""},
    )
