"""Cancelling a job, and trying one again. Who may do so is asked by the views: see jobs.policies."""

from datetime import datetime

from django.db.models import F

from jobs.actions.waking import wake_now
from jobs.models import ClockTime, Job, JobState
from jobs.refusals import JobHasEnded, JobNotFailed


def cancel(*, job: Job, at: datetime) -> Job:
    """Cancel a job: at once while it waits, at its next step while it runs.

    What its finished steps have done stays. Raises JobHasEnded.
    """
    waiting = Job.objects.filter(pk=job.pk, state=JobState.QUEUED)
    running = Job.objects.filter(pk=job.pk, state=JobState.RUNNING)
    stopped = waiting.update(state=JobState.CANCELLED, cancel_asked_at=at, ended_at=ClockTime())
    if not stopped and not running.update(cancel_asked_at=at):
        raise JobHasEnded
    job.refresh_from_db()
    return job


def retry(*, job: Job) -> Job:
    """Put a failed or cancelled job back into the queue; it goes on from its checkpoint.

    Raises JobNotFailed.
    """
    again = Job.objects.filter(pk=job.pk, state__in=[JobState.FAILED, JobState.CANCELLED]).update(
        state=JobState.QUEUED,
        due_at=ClockTime(),
        ended_at=None,
        cancel_asked_at=None,
        begun_at=None,
        done_before=F("done") if job.checkpoint else 0,
        attempts=0,
        lapses=0,
        error="",
    )
    if not again:
        raise JobNotFailed
    job.refresh_from_db()
    wake_now(job.queue)
    return job
