"""Answering wake rows: what of each shard is due, found without walking its organisations.

A wake row is handed out for `JOB_WAKE_SECONDS` and comes again until it is answered, so whatever
breaks off in between is made up for. Rooms answer their own kinds: see `answer`.
"""

import logging
from collections import defaultdict
from collections.abc import Callable
from functools import partial

from django.conf import settings
from django.db import Error as DatabaseError
from django.db import OperationalError, connections

from jobs import bells, sweeps
from jobs.actions.taking import has_due, takeable
from jobs.actions.waking import wake_kind
from jobs.models import Lane
from tenants.context import Actor, enter, on_shard
from tenants.models import Organisation
from tenants.placement import Stop, Tenant

logger = logging.getLogger(__name__)
Answer = Callable[[Tenant], bool]
_SWEEPER = Actor.system("Enclave")
_AT_ONCE = 500
_answers: dict[str, Answer] = {}


def answer(kind: str, function: Answer) -> None:
    """Let `function(tenant)` answer wake rows of a kind; it returns True when nothing is left to do.

    Then its rows are deleted; otherwise they come again. It enters the organisation by itself, and
    must be quick: it rings a bell rather than doing the work.
    """
    _answers[kind] = function


def install() -> None:
    """Answer for jobs, and hang a sweep for each shard on the beat."""
    for queue in Lane.values:
        answer(wake_kind(queue), partial(_answer_jobs, queue=queue))
    for alias in settings.SHARD_ALIASES:
        sweeps.add(
            f"jobs.wakes.{alias}",
            every_seconds=settings.JOB_SWEEP_SECONDS,
            run=partial(sweep_shard, alias),
            alone=False,
        )


def sweep_shard(alias: str) -> int:
    """Answer what is due on one shard; return how many wake rows were answered for good.

    One that does not answer keeps its rows: they are due when it is back.
    """
    try:
        due = _due(alias)
    except OperationalError as problem:
        logger.warning("wake rows of %s were left: %s", alias, problem)
        return 0
    if not due:
        return 0
    schemas = {schema for schema, _ in due}
    tenants = {
        organisation.schema_name: organisation.placement()
        for organisation in Organisation.objects.filter(schema_name__in=schemas, shard_id=alias)
    }
    answered: list[int] = []
    for (schema, kind), ids in due.items():
        # One row that comes again is enough.
        answered.extend(ids[1:])
        tenant = tenants.get(schema)
        if tenant is not None and _is_answered(tenant, kind):
            answered.append(ids[0])
    if answered:
        with on_shard(alias), connections[alias].cursor() as cursor:
            cursor.execute("SELECT enclave.answered(%s)", (answered,))
    return len(answered)


def _due(alias: str) -> dict[tuple[str, str], list[int]]:
    found: defaultdict[tuple[str, str], list[int]] = defaultdict(list)
    with on_shard(alias), connections[alias].cursor() as cursor:
        cursor.execute(
            "SELECT id, organisation, kind FROM enclave.due_wakes(%s, make_interval(secs => %s))",
            (_AT_ONCE, settings.JOB_WAKE_SECONDS),
        )
        for number, schema, kind in cursor.fetchall():
            found[schema, kind].append(number)
    return found


def _is_answered(tenant: Tenant, kind: str) -> bool:
    """Return whether nothing is left to do. One organisation in trouble stops no other."""
    function = _answers.get(kind)
    if tenant.stops(Stop.ENTRY):
        return True
    if function is None or tenant.stops(Stop.JOBS):
        return False
    try:
        return function(tenant)
    except DatabaseError:
        logger.exception("wake rows of %s could not be answered", tenant.slug)
        return False


def _answer_jobs(tenant: Tenant, *, queue: str) -> bool:
    with enter(tenant, actor=_SWEEPER) as context:
        with connections[context.alias].cursor() as cursor:
            # An organisation that is being migrated must not hold up the others.
            cursor.execute("SELECT set_config('lock_timeout', '500ms', true)")
        if not has_due(queue):
            return True
        is_ready = takeable(queue).exists()
    if is_ready:
        bells.ring(tenant.id, queue)
    return False
