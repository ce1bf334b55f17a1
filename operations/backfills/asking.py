"""The job of a backfill in one organisation: asked for once, seen, brought forward."""

from dataclasses import dataclass

from django.db import connections

from jobs import backfills
from jobs.actions import enqueue, retry
from jobs.actions.waking import wake_now
from jobs.models import Backfilled, ClockTime, Job, JobState
from operations.models.backfill import Progress
from tenants.context import Actor, enter, required
from tenants.placement import Tenant

ACTOR = Actor.system("Backfills of the fleet")
_STOPPED = "Somebody of the organisation stopped it."


@dataclass(frozen=True, slots=True)
class Seen:
    """How far a backfill is in one organisation."""

    state: Progress
    done: int = 0
    total: int = 0
    note: str = ""
    error: str = ""


def ask(tenant: Tenant, name: str, *, again: bool = False) -> Seen:
    """See to it that an organisation has a job for a backfill, and say how far it is.

    With `again` one that failed or was stopped goes on from where it was, and one that waits does so now.
    """
    with enter(tenant, actor=ACTOR):
        _one_at_a_time(name)
        done = Backfilled.objects.filter(name=name).first()
        job = Job.objects.filter(kind=backfills.KIND, payload__name=name).order_by("-id").first()
        if done is not None:
            total = job.total or 0 if job is not None else 0
            return Seen(Progress.DONE, done=total, total=total)
        if job is None or job.state == JobState.SUCCEEDED:
            job = _enqueue(name)
        elif again and job.state in (JobState.FAILED, JobState.CANCELLED):
            job = retry(job=job)
        elif again and job.state == JobState.QUEUED:
            Job.objects.filter(pk=job.pk, state=JobState.QUEUED).update(due_at=ClockTime())
            wake_now(job.queue)
        return _seen(job)


def _enqueue(name: str) -> Job:
    label = f"Backfill: {backfills.get(name).label}"
    return enqueue(backfills.KIND, payload={"name": name}, label=label, by=None)


def _seen(job: Job) -> Seen:
    if job.state == JobState.FAILED:
        return Seen(Progress.FAILED, job.done, job.total or 0, job.note, job.error)
    if job.state == JobState.CANCELLED:
        return Seen(Progress.FAILED, job.done, job.total or 0, job.note, _STOPPED)
    return Seen(Progress.RUNNING, job.done, job.total or 0, job.note, job.error)


def _one_at_a_time(name: str) -> None:
    """Let two who ask for the same wait for each other, so that there is one job."""
    with connections[required().alias].cursor() as cursor:
        cursor.execute(
            "SELECT pg_advisory_xact_lock(hashtext(%s))", (f"{required().schema}/backfill/{name}",)
        )
