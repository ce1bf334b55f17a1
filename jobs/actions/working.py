"""One turn of a worker: take a job of an organisation, do it, settle it."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID, uuid4

from django.conf import settings

from jobs.actions import settling
from jobs.actions.running import Run, Surroundings
from jobs.actions.taking import Taken, take, takeable
from jobs.refusals import Interrupted, JobCancelled, LeaseLost, Postponed, TryLater
from tenants.context import Actor, enter
from tenants.placement import Stop, Tenant
from tenants.refusals import Refusal

logger = logging.getLogger(__name__)
_WORKER = Actor.system("Enclave")
_BUG = "Something went wrong on our side. It is known there as {reference}."


@dataclass(frozen=True, slots=True)
class Turn:
    """What a turn did: the job, or None when there was nothing to take."""

    job_id: UUID | None


def work(
    tenant: Tenant, *, queue: str, around: Surroundings, more: Callable[[], object] = lambda: None
) -> Turn:
    """Do one job of an organisation that is due. `more()` is called before it when others are due too.

    Nothing is done while the organisation's state stops its jobs, or another release serves it.
    """
    if _is_stopped(tenant):
        return Turn(job_id=None)
    with enter(tenant, actor=_WORKER):
        taken = take(queue=queue)
        has_more = taken is not None and takeable(queue).exists()
    if taken is None:
        return Turn(job_id=None)
    if has_more:
        more()
    _perform(taken, tenant=tenant, around=around)
    return Turn(job_id=taken.job.pk)


def has_work(tenant: Tenant, *, queue: str) -> bool:
    """Return whether a worker could take something of an organisation now."""
    if _is_stopped(tenant):
        return False
    with enter(tenant, actor=_WORKER):
        return takeable(queue).exists()


def _is_stopped(tenant: Tenant) -> bool:
    elsewhere = tenant.release != settings.RELEASE
    return elsewhere or tenant.stops(Stop.JOBS) or tenant.stops(Stop.ENTRY)


def _perform(taken: Taken, *, tenant: Tenant, around: Surroundings) -> None:
    try:
        settle = _outcome(taken, tenant=tenant, around=around)
        if settle is not None:
            actor = Actor.system(taken.job.label, on_behalf_of=taken.job.created_by_id)
            with enter(tenant, actor=actor, request_id=f"job-{taken.job.pk}"):
                settle()
    except LeaseLost as lost:
        logger.warning("job %s of %s was left: %s", taken.job.pk, tenant.slug, lost)


def _outcome(taken: Taken, *, tenant: Tenant, around: Surroundings) -> Callable[[], object]:
    """Run the handler and return what is to be written about it. Raises LeaseLost."""
    try:
        run = Run(taken, tenant=tenant, around=around)
        result = taken.kind.handler(run) or {}
    except JobCancelled:
        return lambda: settling.end_cancelled(taken)
    except Interrupted as stop:
        logger.info("job %s of %s goes back into the queue: %s", taken.job.pk, tenant.slug, stop)
        return lambda: settling.give_back(taken)
    except Postponed as stop:
        logger.info("job %s of %s waits: %s", taken.job.pk, tenant.slug, stop)
        seconds = stop.after
        return lambda: settling.postpone(taken, seconds)
    except LeaseLost:
        raise
    except Refusal as refusal:
        sentence = str(refusal)
        return lambda: settling.fail(taken, sentence)
    except TryLater as problem:
        sentence = str(problem)
        return lambda: settling.fail_for_now(taken, sentence)
    except Exception:  # the border of other rooms' code: whatever it raises must be written down
        reference = uuid4().hex[:8]
        logger.exception("job %s of %s failed, reference %s", taken.job.pk, tenant.slug, reference)
        sentence = _BUG.format(reference=reference)
        return lambda: settling.fail_for_now(taken, sentence)
    return lambda: settling.succeed(taken, result)
