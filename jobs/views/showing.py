"""A job as pages show it: state in words, rate, time left, and the links that its reader may follow."""

from datetime import datetime
from typing import Any

from django.urls import reverse

from jobs import registry
from jobs.models import ENDED, Job, JobState

_TONES = {
    JobState.QUEUED: "quiet",
    JobState.RUNNING: "info",
    JobState.SUCCEEDED: "ok",
    JobState.FAILED: "bad",
    JobState.CANCELLED: "quiet",
}
# A rate from less is a guess, and a time left computed from it jumps about.
_LEAST_SECONDS = 2.0


def shown(job: Job, *, at: datetime, may_change: bool) -> dict[str, Any]:
    """Return what templates need of a job. `rate` is a second, `left` in seconds; None when unknown."""
    rate = rate_of(job, at=at)
    changeable = may_change and not job.is_being_cancelled
    return {
        "label": job.label,
        "kind": kind_label(job),
        "running": job.state == JobState.RUNNING,
        "state_label": state_label(job),
        "tone": _TONES[JobState(job.state)],
        "done": job.done,
        "total": job.total,
        "share": share_of(job),
        "rate": round(rate) if rate and rate >= 1 else None,
        "left": left_of(job, rate),
        "note": job.note if job.state == JobState.RUNNING else "",
        "error": job.error,
        "by": job.created_by_label,
        "created_at": job.created_at,
        "ended_at": job.ended_at,
        "attempts": job.attempts,
        "url": reverse("jobs:detail", args=[job.pk]),
        "cancel_url": reverse("jobs:cancel", args=[job.pk]) if changeable and not job.has_ended else "",
        "retry_url": reverse("jobs:retry", args=[job.pk]) if may_change and may_be_retried(job) else "",
        "retry_label": "Go on" if job.checkpoint else "Try again",
        "result_url": result_url(job),
    }


def state_label(job: Job) -> str:
    """Return the state in a word or two."""
    if job.is_being_cancelled:
        return "Stopping"
    if job.state == JobState.QUEUED and job.attempts:
        return "Trying again"
    return JobState(job.state).label


def kind_label(job: Job) -> str:
    """Return what people call the kind; its name if this release does not know it."""
    known = registry.find(job.kind)
    return known.label if known else job.kind


def may_be_retried(job: Job) -> bool:
    """Return whether trying again is possible."""
    return job.state in (JobState.FAILED, JobState.CANCELLED) and registry.find(job.kind) is not None


def result_url(job: Job) -> str:
    """Return where the result is seen; "" while there is none."""
    known = registry.find(job.kind)
    if job.state not in ENDED or known is None or known.result_url is None:
        return ""
    return known.result_url(job)


def share_of(job: Job) -> int | None:
    """Return how much of a hundred is done, if that is known."""
    return min(100, job.done * 100 // job.total) if job.total else None


def rate_of(job: Job, *, at: datetime) -> float | None:
    """Return how many are done in a second, since the job began, or was made to go on."""
    if job.begun_at is None or job.state != JobState.RUNNING:
        return None
    seconds = (at - job.begun_at).total_seconds()
    done = job.done - job.done_before
    return done / seconds if seconds >= _LEAST_SECONDS and done > 0 else None


def left_of(job: Job, rate: float | None) -> float | None:
    """Return how many seconds are left, at the rate so far."""
    if not rate or not job.total:
        return None
    return max(0.0, (job.total - job.done) / rate)
