"""Migrating the fleet: every organisation on every shard, in seconds, and no failing one stops another.

The organisations that are behind are taken ring by ring, and in each by the version they are at. One of
each version, its canary, is migrated for real while what is sent is recorded; the others of that version
are given the recording, one transaction each, on several connections at once. How far each has come is
written down in the control plane; the truth is in each schema, so a run that was killed is simply run
again. Needs the owner's login.
"""

import gc
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import groupby
from uuid import UUID

import psycopg
from django.conf import settings
from django.db import connections, transaction
from django.utils import timezone

from accounts.identity.models import User
from operations.actions.preparing import prepare_template
from operations.actions.states import note, note_fleet
from operations.fleet import releases, waiting
from operations.fleet.ledger import note_made, noted_version, write
from operations.fleet.runs import FleetBusy, FleetStopped, Run, a_run
from operations.fleet.versions import FAILED_SHARE, Versions
from operations.models import FleetRun, FleetState
from tenants import breaker
from tenants.context import as_owner
from tenants.models import Organisation
from tenants.names import TEMPLATE_SCHEMA
from tenants.placement import Ring
from tenants.refusals import Refusal
from tenants.schema import version_at, wanted_version

__all__ = ["FleetBusy", "FleetStopped", "ask_to_stop", "behind", "migrate_fleet", "note_made", "put_in_ring"]


class NotAtWork(Refusal):
    """The run has ended already."""

    code = "not-at-work"


def behind(version: str) -> list[Organisation]:
    """Return the organisations whose schema is not at `version`, in a fixed order: one query."""
    done = FleetState.objects.filter(version=version, error="").values("organisation_id")
    late = Organisation.objects.placed().exclude(domains=None).exclude(pk__in=done)
    # A later release has migrated these, and this one serves them as they are.
    late = late.exclude(fleet_state__version__in=releases.ahead(), fleet_state__error="")
    # Not what stands on its pages: there may be thousands.
    columns = ("slug", "schema_name", "shard", "ring", "release", "state", "epoch")
    known = (f"fleet_state__{name}" for name in ("version", "error", "waits"))
    return list(late.select_related("fleet_state").only(*columns, *known).order_by("pk"))


def migrate_fleet(
    *, only: str | None = None, up_to: Ring = Ring.EVERYBODY, pause_s: float = 0
) -> Iterator[FleetState]:
    """Migrate every organisation that is behind, and yield the state of each as it is known.

    One that is being moved or waits for a backfill is passed over, and says so in `waits`.
    Ring after ring, with a pause of so many seconds between two that have somebody in them, and no
    further than `up_to`. Raises FleetStopped when a share of them failed or somebody asked to stop:
    whoever was not reached is still behind. Raises FleetBusy while another run is at work.
    """
    # What is there by now is not looked through again and again while a run makes objects: 90 ms each time.
    # A worker has frozen what it loaded when it began (config.preloading), and that stays so.
    is_frozen = gc.get_freeze_count() > 0
    if not is_frozen:
        gc.freeze()
    try:
        yield from _migrate(list(Ring)[: list(Ring).index(up_to) + 1], only=only, pause_s=pause_s)
    finally:
        if not is_frozen:
            gc.unfreeze()


def _migrate(rings: Sequence[Ring], *, only: str | None, pause_s: float) -> Iterator[FleetState]:
    aim = wanted_version()
    late = [one for one in behind(aim) if one.ring in rings and (only is None or one.slug == only)]
    if not late:
        return
    late, states = waiting.apart(late)
    yield from states
    if not late:
        return
    with a_run(aim, total=len(late)) as run:
        releases.note_own()
        late, silent = _on_answering_shards(late)
        late, far = _within_reach(late)
        run.count([*silent, *far])
        yield from write([*silent, *far])
        if not _template_is_at(aim):
            prepare_template()
        versions = Versions(run)
        filled = [(ring, group) for ring in rings if (group := [one for one in late if one.ring == ring])]
        for place, (ring, group) in enumerate(filled):
            if place:
                run.pause(pause_s)
            run.enter(ring)
            yield from _migrate_ring(ring, group, versions, run, is_last=place + 1 == len(filled))


def _migrate_ring(
    ring: Ring, late: Sequence[Organisation], versions: Versions, run: Run, *, is_last: bool
) -> Iterator[FleetState]:
    """Migrate the organisations of one ring; raise FleetStopped if too many failed for the next one."""
    size, failed = len(late), 0
    tried: Counter[tuple[UUID, str]] = Counter()
    while late:
        moved: list[Organisation] = []
        for version, group in groupby(sorted(late, key=noted_version), key=noted_version):
            # Somebody may have begun to move one since the run began.
            free, states = waiting.apart(list(group))
            yield from states
            for state in versions.migrate(version, free):
                failed += bool(state.error)
                yield state
                if not (state.error or state.waits) and state.version != run.row.aim:
                    moved.append(state.organisation)
        # Those found at another version than was written down have their turn with that one, once each.
        late = [one for one in moved if not tried[one.pk, noted_version(one)]]
        tried.update((one.pk, noted_version(one)) for one in late)
    # A ring that goes first is there to be watched: a small one may have no failure at all.
    if not is_last and failed > size * FAILED_SHARE:
        raise FleetStopped(f"{failed} of {size} in the ring {ring.value} failed; the others were left.")


def _on_answering_shards(late: list[Organisation]) -> tuple[list[Organisation], list[FleetState]]:
    """Return who lives where somebody answers, and of the others that nobody does.

    A server that is down is no fault of the migration: it neither stops the run nor keeps a ring waiting.
    """
    aliases = sorted({str(one.shard_id) for one in late})
    with ThreadPoolExecutor(len(aliases)) as threads:
        silent = {
            alias
            for alias, answers in zip(aliases, threads.map(_answers, aliases), strict=True)
            if not answers
        }
    states = [
        FleetState(
            organisation=one,
            version=noted_version(one),
            error=f"{one.shard_id} does not answer; run it again when it does.",
            migrated_at=timezone.now(),
        )
        for one in late
        if str(one.shard_id) in silent
    ]
    return [one for one in late if str(one.shard_id) not in silent], states


def _answers(alias: str) -> bool:
    try:
        breaker.ask(connections[alias].get_connection_params())
    except (psycopg.OperationalError, breaker.Silent):
        return False
    return True


def _within_reach(late: list[Organisation]) -> tuple[list[Organisation], list[FleetState]]:
    """Return whom this release can migrate, and of the others what keeps it from them."""
    known = releases.numbers()
    far = {one: releases.too_far(known[noted_version(one)]) for one in late if noted_version(one) in known}
    states = [
        FleetState(organisation=one, version=noted_version(one), error=said, migrated_at=timezone.now())
        for one, said in far.items()
        if said
    ]
    return [one for one in late if not far.get(one)], states


def _template_is_at(version: str) -> bool:
    first = settings.SHARD_ALIASES[0]
    with as_owner(first, TEMPLATE_SCHEMA):
        return version_at(first, TEMPLATE_SCHEMA) == version


def ask_to_stop(*, run: FleetRun, reason: str, by: User) -> None:
    """Let a run begin nothing more; what it is at is finished. Raises NotAtWork."""
    with transaction.atomic(using="control"):
        said = f"{by.email} asked to stop: {reason}"
        waiting = FleetRun.objects.filter(pk=run.pk, ended_at=None, stop_asked_at=None)
        if not waiting.update(stop_asked_at=timezone.now(), said=said):
            raise NotAtWork("This run has ended, or was asked to stop already.")
        note_fleet(act="stop migrating", reason=reason, by=by)


def put_in_ring(*, organisation: Organisation, ring: Ring, reason: str, by: User) -> None:
    """Let an organisation have its migrations earlier or later than it had."""
    with transaction.atomic(using="control"):
        Organisation.objects.filter(pk=organisation.pk).update(ring=ring.value)
        note(organisation=organisation, act=f"ring {ring.value}", reason=reason, by=by)
