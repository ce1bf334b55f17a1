"""Helpers for tests whose data is committed, because processes of their own work on it."""

from collections.abc import Callable

from jobs.actions import enqueue
from jobs.models import Job
from tenants.context import Actor, enter
from tenants.models import Organisation
from tests import workers
from tests.jobs import kinds

ACTOR = Actor.system("test")
KINDS = "tests.jobs.for_workers"


def ask(organisation: Organisation, kind: str = "tests.items", **payload: object) -> Job:
    """Enqueue a job and commit."""
    with enter(organisation, actor=ACTOR):
        job = enqueue(kind, payload=payload, label="A test", by=None)
        job.refresh_from_db()
    return job


def now(job: Job, organisation: Organisation) -> Job:
    """Return the job as it is now."""
    with enter(organisation, actor=ACTOR):
        return Job.objects.get(pk=job.pk)


def ended(job: Job, organisation: Organisation, *, seconds: float = 30) -> Job:
    """Return the job when it has ended."""
    workers.wait_for(lambda: now(job, organisation).has_ended, seconds=seconds)
    return now(job, organisation)


def effects(organisation: Organisation) -> list[str]:
    """Return the committed effects."""
    with enter(organisation, actor=ACTOR):
        return kinds.effects()


def wait_for_state(job: Job, organisation: Organisation, test: Callable[[Job], bool]) -> None:
    """Return when the job is as `test` wants it."""
    workers.wait_for(lambda: test(now(job, organisation)), seconds=30, every=0.02)
