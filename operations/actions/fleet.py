"""Migrating the fleet: every organisation on every shard, in seconds, and no failing one stops another.

The organisations that are behind are taken by the version they are at. One of each version, its canary,
is migrated for real while what is sent is recorded; the others of that version are given the recording,
one transaction each, on several connections at once. How far each has come is written down in the control
plane; the truth is in each schema, so a run that was killed is simply run again. Needs the owner's login.
"""

import logging
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import groupby
from uuid import UUID

from django.conf import settings
from django.db import OperationalError, connections
from django.utils import timezone
from psycopg.conninfo import make_conninfo

from operations.actions.preparing import prepare_template
from operations.backfills import contracting
from operations.fleet.recording import migrate_and_record
from operations.fleet.running import MOST_TRIES, Outcome, Target, Work, is_locked, run, said
from operations.models import FleetState
from tenants.context import as_owner
from tenants.models import Organisation
from tenants.names import TEMPLATE_SCHEMA
from tenants.schema import version_at, wanted_version

logger = logging.getLogger(__name__)

MOST_CANARIES = 3
FAILED_SHARE = 0.1  # of a version's organisations; beyond it the fault lies with the migration
FAILED_FEW = 5
WRITTEN_AT_ONCE = 50


class FleetStopped(RuntimeError):
    """So many organisations failed that the others were left as they are."""


def behind(version: str) -> list[Organisation]:
    """Return the organisations whose schema is not at `version`, in a fixed order: one query."""
    done = FleetState.objects.filter(version=version, error="").values("organisation_id")
    late = Organisation.objects.placed().exclude(domains=None).exclude(pk__in=done)
    return list(late.select_related("fleet_state").order_by("pk"))


def migrate_fleet(*, only: str | None = None) -> Iterator[FleetState]:
    """Migrate every organisation that is behind, and yield the state of each as it is known.

    Raises FleetStopped when a share of them failed; whoever was not reached is still behind.
    """
    aim = wanted_version()
    late = [one for one in behind(aim) if only is None or one.slug == only]
    late, waiting = contracting.apart(late)
    yield from waiting
    if not late:
        return
    if not _template_is_at(aim):
        prepare_template()
    tried: Counter[tuple[UUID, str]] = Counter()
    while late:
        moved: list[Organisation] = []
        for version, group in groupby(sorted(late, key=_version), key=_version):
            for state in _migrate_version(version, list(group), aim):
                yield state
                if not state.error and state.version != aim:
                    moved.append(state.organisation)
        # Those found at another version than was written down have their turn with that one, once each.
        late = [one for one in moved if not tried[one.pk, _version(one)]]
        tried.update((one.pk, _version(one)) for one in late)


def _template_is_at(version: str) -> bool:
    first = settings.SHARD_ALIASES[0]
    with as_owner(first, TEMPLATE_SCHEMA):
        return version_at(first, TEMPLATE_SCHEMA) == version


def _version(organisation: Organisation) -> str:
    state = getattr(organisation, "fleet_state", None)
    return state.version if state is not None else ""


def _migrate_version(version: str, group: Sequence[Organisation], aim: str) -> Iterator[FleetState]:
    """Migrate the organisations that are said to be at one version."""
    by_id = {organisation.pk: organisation for organisation in group}
    targets = [Target(one.pk, str(one.shard_id), str(one.schema_name)) for one in group]
    if not version:
        yield from _written(by_id, map(_look, targets))
        return
    work: Work | None = None
    for canary in targets[:MOST_CANARIES]:
        outcome, work = _canary(canary, version)
        yield from _written(by_id, [outcome])
        del by_id[canary.id]
        if work is not None or not outcome.error:
            break
    left = [target for target in targets if target.id in by_id]
    if work is None and outcome.error and left:
        raise FleetStopped(f"{len(targets) - len(left)} failed one after the other: {outcome.error}")
    if work is None:
        # The first was not where it was said to be, so nothing that was said of the others is believed.
        yield from _written(by_id, map(_look, left))
        return
    most = max(FAILED_FEW, round(len(targets) * FAILED_SHARE))
    failed = 0
    for state in _written(by_id, run(work, left, addresses=_addresses(), most_failed=most)):
        failed += bool(state.error)
        yield state
    if failed > most:
        raise FleetStopped(f"{failed} of {len(targets)} failed; the others were left as they are.")


def _look(target: Target) -> Outcome:
    """Find out at which version a schema is of which nothing was written down."""
    with as_owner(target.alias, target.schema):
        return Outcome(target, version_at(target.alias, target.schema))


def _canary(target: Target, version: str) -> tuple[Outcome, Work | None]:
    """Migrate one schema for real; return what became of it, and the work for the others if it was done."""
    began = time.perf_counter()
    try:
        there = _look(target).version
        if there != version:
            return Outcome(target, there), None
        parts = migrate_and_record(target.alias, target.schema)
    except OperationalError as problem:
        connections[target.alias].close()
        if is_locked(problem) and target.tries + 1 < MOST_TRIES:
            return _canary(replace(target, tries=target.tries + 1), version)
        return Outcome(target, "", said(problem), _ms_since(began)), None
    except Exception as problem:
        # Whatever one organisation's data does to a migration must not keep the others from theirs.
        logger.exception("schema %s was not migrated", target.schema)
        # Whatever became of the connection must not keep the others from theirs either.
        connections[target.alias].close()
        return Outcome(target, "", said(problem), _ms_since(began)), None
    return Outcome(target, parts[-1].aim, "", _ms_since(began)), Work(parts, version, target.schema)


def _ms_since(began: float) -> float:
    return (time.perf_counter() - began) * 1000


def _addresses() -> dict[str, str]:
    found = {}
    for alias in settings.SHARD_ALIASES:
        database = connections[alias].settings_dict
        found[alias] = make_conninfo(
            host=database["HOST"],
            port=database["PORT"],
            user=database["USER"],
            password=database["PASSWORD"],
            dbname=database["NAME"],
        )
    return found


def _written(by_id: dict[UUID, Organisation], outcomes: Iterable[Outcome]) -> Iterator[FleetState]:
    """Write outcomes down, some at a time, and yield the states."""
    kept: list[FleetState] = []
    for outcome in outcomes:
        kept.append(_state(by_id[outcome.target.id], outcome))
        if len(kept) >= WRITTEN_AT_ONCE:
            yield from _write(kept)
            kept = []
    yield from _write(kept)


def _state(organisation: Organisation, outcome: Outcome) -> FleetState:
    return FleetState(
        organisation=organisation,
        # A failed one stays at the version that it had; its transaction was rolled back.
        version=outcome.version or _version(organisation),
        error=outcome.error,
        migrated_at=timezone.now(),
        took_ms=round(outcome.took_ms),
    )


def _write(states: list[FleetState]) -> list[FleetState]:
    FleetState.objects.bulk_create(
        states,
        update_conflicts=True,
        unique_fields=["organisation"],
        update_fields=["version", "error", "migrated_at", "took_ms"],
    )
    return states


def note_made(organisation: Organisation, *, version: str) -> None:
    """Write down at which version a new organisation was made."""
    FleetState.objects.update_or_create(
        organisation=organisation,
        defaults={"version": version, "migrated_at": timezone.now(), "error": ""},
    )
