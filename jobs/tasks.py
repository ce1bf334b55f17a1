"""Doorbells: find the organisation's place, do one job, ring again if there is more."""

import logging
from uuid import UUID

from django.conf import settings

from jobs import bells, sweeps
from jobs.actions.running import Surroundings
from jobs.actions.working import has_work
from jobs.actions.working import work as work_once
from jobs.celery import doorbell_task
from jobs.placing import is_served, resolve
from jobs.stopping import is_stopping
from tenants.breaker import ShardDown

logger = logging.getLogger(__name__)


@doorbell_task(name=bells.WORK)
def work(*, organisation_id: str, queue: str = "app", **_future: object) -> None:
    """Do one job of an organisation, wherever it lives by now."""
    organisation = UUID(organisation_id)
    bells.heard(organisation, queue)
    tenant = resolve(organisation)
    if tenant is None:
        return
    if tenant.release != settings.RELEASE:
        # Left in the queue for that release's workers; the sweeper comes again while there are none.
        if is_served(tenant.release):
            bells.ring(organisation, queue, release=tenant.release)
        return
    around = Surroundings(resolve=resolve, stopping=is_stopping, others_wait=bells.others_wait)

    def ring() -> bool:
        return bells.ring(organisation, queue)

    try:
        turn = work_once(tenant, queue=queue, around=around, more=ring)
        if turn.job_id is not None and has_work(tenant, queue=queue):
            ring()
    except ShardDown as problem:
        # Its wake rows lie on the shard, and bring the sweeper when it is back.
        logger.warning("jobs of %s wait: %s", tenant.slug, problem)


@doorbell_task(name="jobs.tasks.sweep")
def sweep(*, name: str, **_future: object) -> None:
    """Run one of the sweeps."""
    sweeps.run(name)
