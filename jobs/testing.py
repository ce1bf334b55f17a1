"""For tests of any room: do an organisation's jobs in this process, on the same path as a worker."""

from datetime import timedelta
from uuid import UUID

from django.conf import settings

from jobs.actions.running import Surroundings
from jobs.actions.working import work
from jobs.models import Job, JobState, Lane
from jobs.placing import resolve
from tenants.context import Actor, enter
from tenants.placement import Placed


def run_due(organisation: Placed, *, most: int = 1000, soon: timedelta = timedelta(0)) -> list[UUID]:
    """Do all jobs of an organisation that are due, and those due within `soon`; return their ids in order.

    Works inside a test's transaction too. A failure is written on the job, as it is by a worker.
    """
    tenant = organisation.placement()
    around = Surroundings(resolve=resolve, beats=False)
    done: list[UUID] = []
    for _ in range(most):
        if soon:
            _bring_forward(tenant, soon)
        turns = [work(tenant, queue=queue, around=around) for queue in Lane.values]
        ids = [turn.job_id for turn in turns if turn.job_id is not None]
        if not ids:
            return done
        done.extend(ids)
    raise AssertionError(f"After {most} rounds jobs are still due: lease {settings.JOB_LEASE_SECONDS} s.")


def _bring_forward(tenant: Placed, soon: timedelta) -> None:
    with enter(tenant, actor=Actor.system("test")):
        for job in Job.objects.filter(state=JobState.QUEUED):
            Job.objects.filter(pk=job.pk).update(due_at=job.due_at - soon)
