"""How a job ends, or goes back into the queue. Each writes only while the worker still has the job."""

from collections.abc import Mapping
from typing import Any

from django.db.models import F

from jobs.actions.taking import Taken
from jobs.actions.waking import wake, wake_now
from jobs.models import ClockTime, Job, JobState, from_now
from jobs.refusals import LeaseLost


def succeed(taken: Taken, result: Mapping[str, Any]) -> None:
    """End a job well. Raises LeaseLost, as all of these do, when another worker has the job."""
    _settle(taken, state=JobState.SUCCEEDED, ended_at=ClockTime(), result=dict(result), error="")


def fail(taken: Taken, error: str) -> None:
    """End a job for good, with a sentence for people."""
    _settle(taken, state=JobState.FAILED, ended_at=ClockTime(), error=error, attempts=F("attempts") + 1)


def fail_for_now(taken: Taken, error: str) -> bool:
    """Count a failure and wait for the next attempt; return False when it was the last one."""
    attempts = taken.job.attempts + 1
    if attempts >= taken.job.max_attempts:
        fail(taken, error)
        return False
    delay = taken.kind.delay(attempts)
    _settle(taken, state=JobState.QUEUED, due_at=from_now(delay), error=error, attempts=attempts)
    wake(taken.job.queue, after=delay)
    return True


def end_cancelled(taken: Taken) -> None:
    """End a job that somebody asked to cancel."""
    _settle(taken, state=JobState.CANCELLED, ended_at=ClockTime())


def give_back(taken: Taken) -> None:
    """Put a job back into the queue without counting an attempt."""
    _settle(taken, state=JobState.QUEUED, due_at=ClockTime())
    wake_now(taken.job.queue)


def postpone(taken: Taken, after: float) -> None:
    """Put a job back into the queue for a while, without counting an attempt."""
    _settle(taken, state=JobState.QUEUED, due_at=from_now(after))
    wake(taken.job.queue, after=after)


def _settle(taken: Taken, **columns: Any) -> None:
    held = Job.objects.filter(pk=taken.job.pk).held(token=taken.token)
    if not held.update(leased_until=None, **columns):
        raise LeaseLost(f"Another worker has {taken.job.pk}.")
