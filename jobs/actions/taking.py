"""Taking a job: a lease by the database's clock, with a fencing token that rises each time."""

from collections import Counter
from dataclasses import dataclass

from django.conf import settings
from django.db import connections
from django.db.models import F, Q
from django.db.models.functions import Coalesce

from jobs import registry
from jobs.models import ClockTime, Job, JobState, from_now
from jobs.models.job import JobQuerySet
from jobs.registry import Kind
from tenants.context import required

# Workers that may vanish in a row, without the job getting any further, before it counts as failed.
MOST_LAPSES = 20
_NOT_MOVING = "The work stopped several times at the same place, and was given up."


@dataclass(frozen=True, slots=True)
class Taken:
    """A job this worker has, with the token that its writes are checked against."""

    job: Job
    kind: Kind
    token: int


def take(*, queue: str) -> Taken | None:
    """Take the job that has been due for longest, inside the organisation entered; None if there is none.

    Jobs stay queued while their kind is closed, unknown to this release, or newer than it knows,
    while as many of their kind run as may, and while the organisation runs as many as it may.
    """
    _one_taker_at_a_time(queue)
    job = _longest_due(queue)
    while job is not None and job.state == JobState.RUNNING and job.lapses >= MOST_LAPSES:
        _give_up(job)
        job = _longest_due(queue)
    if job is None:
        return None
    lapsed = job.state == JobState.RUNNING
    Job.objects.filter(pk=job.pk).update(
        state=JobState.RUNNING,
        lease_token=F("lease_token") + 1,
        leased_until=from_now(settings.JOB_LEASE_SECONDS),
        begun_at=Coalesce(F("begun_at"), ClockTime()),
        lapses=F("lapses") + (1 if lapsed else 0),
    )
    job.refresh_from_db()
    return Taken(job=job, kind=registry.get(job.kind), token=job.lease_token)


def takeable(queue: str) -> JobQuerySet:
    """Return the jobs of a queue that a worker could take now."""
    kinds = registry.open_kinds(queue)
    under_way = Counter(Job.objects.running().filter(queue=queue).values_list("kind", flat=True))
    has_room = under_way.total() < settings.JOBS_RUNNING_PER_ORGANISATION
    wanted = Q(pk__in=[])
    for kind in kinds:
        known = Q(kind=kind.name, payload_version__lte=kind.version)
        if not has_room or under_way[kind.name] >= kind.max_running:
            # Somebody's lease may have lapsed: taking that job over starts no further one.
            known &= Q(state=JobState.RUNNING)
        wanted |= known
    return Job.objects.ready().filter(wanted, queue=queue)


def has_due(queue: str) -> bool:
    """Return whether anything runs, or waits and is due, whether or not it may be taken now."""
    running = Q(state=JobState.RUNNING)
    due = Q(state=JobState.QUEUED, due_at__lte=from_now(settings.JOB_WAKE_SECONDS))
    return Job.objects.filter(running | due, queue=queue).exists()


def _one_taker_at_a_time(queue: str) -> None:
    """Let takers of one organisation wait for each other, so that the limits hold exactly."""
    with connections[required().alias].cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext(%s))", (f"{required().schema}/jobs/{queue}",))


def _longest_due(queue: str) -> Job | None:
    # A row that is locked is being committed by its worker, or cancelled: it is not for us.
    free = takeable(queue).select_for_update(skip_locked=True, of=("self",))
    return free.order_by("due_at", "id").first()


def _give_up(job: Job) -> None:
    Job.objects.filter(pk=job.pk).update(
        state=JobState.FAILED, ended_at=ClockTime(), leased_until=None, error=_NOT_MOVING
    )
