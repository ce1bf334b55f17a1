"""Admission: a few organisations of each shard at once, all backfills in turn; a failing one stops nobody."""

import logging
from collections.abc import Iterable
from itertools import chain, zip_longest

from django.conf import settings
from django.db import Error as DatabaseError
from django.db import connections, transaction
from django.db.models import F
from django.utils import timezone

from jobs import backfills
from operations.backfills.asking import Seen, ask
from operations.models import Backfill, BackfillState, Progress
from tenants.context import on_shard
from tenants.models import Organisation
from tenants.placement import STOPS, State, Stop
from tenants.refusals import Refusal

logger = logging.getLogger(__name__)
AT_ONCE = 2  # organisations of one shard
_LOOKED_AT = 200
# In these nothing may be changed, by jobs neither: they wait until that is over.
_STILL = [state.value for state, stops in STOPS.items() if stops & {Stop.CHANGES, Stop.JOBS, Stop.ENTRY}]


def sweep() -> None:
    """Look after everything that was started: see how far each is, and let the next ones begin."""
    for backfill in _open():
        add_organisations(backfill)
    reconcile()
    admit()


def _open() -> list[Backfill]:
    return list(Backfill.objects.filter(name__in=backfills.names(), is_paused=False))


def add_organisations(backfill: Backfill) -> None:
    """Let everybody wait who is there by now."""
    new = Organisation.objects.placed().exclude(domains=None).exclude(backfills__backfill=backfill)
    BackfillState.objects.bulk_create(
        [BackfillState(backfill=backfill, organisation=one) for one in new], ignore_conflicts=True
    )


def reconcile() -> None:
    """See how far those are that are under way: a worker may have died before it told."""
    under_way = BackfillState.objects.filter(
        state=Progress.RUNNING, backfill__is_paused=False, backfill__name__in=backfills.names()
    )
    for state in under_way.select_related("backfill", "organisation"):
        look(state)


def look(state: BackfillState, *, again: bool = False) -> None:
    """Ask one organisation and write down how far it is. One in trouble stops no other."""
    organisation = state.organisation
    if organisation.state in _STILL:
        _write(state, Seen(Progress.WAITING, state.done, state.total, _still(organisation)))
        return
    try:
        seen = ask(organisation.placement(), state.backfill.name, again=again)
    except (DatabaseError, Refusal) as problem:
        logger.exception("backfill %s of %s could not be asked for", state.backfill.name, organisation.slug)
        said = f"{type(problem).__name__}: {' '.join(str(problem).split())}"
        seen = Seen(Progress.FAILED, state.done, state.total, "", said[:2000])
    _write(state, seen)


def _still(organisation: Organisation) -> str:
    return f"Waits while the organisation is {State(organisation.state).value}"


def _write(state: BackfillState, seen: Seen) -> None:
    has_ended = seen.state in (Progress.DONE, Progress.FAILED)
    # Whoever paused it meanwhile has the last word.
    BackfillState.objects.filter(pk=state.pk, state=Progress.RUNNING).update(
        state=seen.state,
        done=seen.done,
        total=seen.total,
        note=seen.note,
        error=seen.error,
        looked_at=timezone.now(),
        ended_at=timezone.now() if has_ended else None,
    )


def admit() -> int:
    """Let the next organisations begin on every shard; return how many."""
    return sum(_admit_on(alias) for alias in settings.SHARD_ALIASES)


def _admit_on(alias: str) -> int:
    begun = 0
    for state in _chosen(alias):
        look(state, again=True)
        begun += 1
    return begun


def _chosen(alias: str) -> list[BackfillState]:
    """Choose who is next on a shard, and mark them as running."""
    open_ones = _open()
    if not open_ones or not _free_on(alias):
        return []
    lines = [_ready(backfill, alias) for backfill in open_ones]
    in_turn = [one for one in chain.from_iterable(zip_longest(*lines)) if one is not None]
    with transaction.atomic(using="control"):
        # One chooser at a time, so that the limit holds.
        list(Backfill.objects.select_for_update().order_by("pk").values_list("pk"))
        chosen = _first_of_each(in_turn)[: _free_on(alias)]
        now = timezone.now()
        return [
            one
            for one in chosen
            if BackfillState.objects.filter(
                pk=one.pk, state=Progress.WAITING, backfill__is_paused=False
            ).update(state=Progress.RUNNING, began_at=now, looked_at=now, ended_at=None)
        ]


def _free_on(alias: str) -> int:
    running = BackfillState.objects.filter(state=Progress.RUNNING, organisation__shard_id=alias)
    return max(0, AT_ONCE - running.count())


def _ready(backfill: Backfill, alias: str) -> list[BackfillState]:
    """Return who waits and has the migration that a backfill needs; others go to the end of the line."""
    waiting = BackfillState.objects.filter(
        backfill=backfill, state=Progress.WAITING, organisation__shard_id=alias
    ).exclude(organisation__state__in=_STILL)
    in_line = waiting.order_by(F("looked_at").asc(nulls_first=True), "organisation_id")
    first = list(in_line.select_related("backfill", "organisation")[:_LOOKED_AT])
    there = schemas_with("migration", alias, _schemas(first), *_since(backfill))
    late = [one.pk for one in first if one.organisation.schema_name not in there]
    if late:
        note = f"Waits for the migration {backfills.get(backfill.name).since}"
        BackfillState.objects.filter(pk__in=late, state=Progress.WAITING).update(
            note=note, looked_at=timezone.now()
        )
    return [one for one in first if one.organisation.schema_name in there]


def _since(backfill: Backfill) -> list[str]:
    return backfills.get(backfill.name).since.split(".")


def _schemas(states: Iterable[BackfillState]) -> list[str]:
    return [str(state.organisation.schema_name) for state in states]


def schemas_with(what: str, alias: str, schemas: list[str], *names: str) -> set[str]:
    """Return which of the schemas of a shard have had a migration (app and name) or a backfill (name)."""
    if not schemas:
        return set()
    query = {
        "migration": "SELECT * FROM enclave.with_migration(%s, %s, %s)",
        "backfill": "SELECT * FROM enclave.with_backfill(%s, %s)",
    }[what]
    with on_shard(alias), connections[alias].cursor() as cursor:
        cursor.execute(query, [schemas, *names])
        return {schema for (schema,) in cursor.fetchall()}


def _first_of_each(states: Iterable[BackfillState]) -> list[BackfillState]:
    """Return the states without a second one of an organisation: it does one backfill at a time."""
    running = set(
        BackfillState.objects.filter(state=Progress.RUNNING).values_list("organisation_id", flat=True)
    )
    found = []
    for state in states:
        if state.organisation_id not in running:
            running.add(state.organisation_id)
            found.append(state)
    return found
