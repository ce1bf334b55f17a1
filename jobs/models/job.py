"""A job: work that outlasts a request. The row is the truth; messages only wake workers up."""

from typing import ClassVar, Self

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from jobs.models.clock import ClockTime
from tenants.models import TenantRow


class JobState(models.TextChoices):
    """The states of a job. It moves between queued and running until it ends in one of the others."""

    QUEUED = "queued", "Waiting"
    RUNNING = "running", "Running"
    SUCCEEDED = "succeeded", "Done"
    FAILED = "failed", "Failed"
    CANCELLED = "cancelled", "Cancelled"


class Lane(models.TextChoices):
    """Which workers may take a job: `app` and `mail` know the application's login, `owner` the owner's."""

    APP = "app", "Work"
    MAIL = "mail", "Mail"
    OWNER = "owner", "Structure"


UNFINISHED = (JobState.QUEUED, JobState.RUNNING)
ENDED = (JobState.SUCCEEDED, JobState.FAILED, JobState.CANCELLED)


class JobQuerySet(models.QuerySet["Job"]):
    """Sets of jobs."""

    def unfinished(self) -> Self:
        """Return the jobs that have not ended."""
        return self.filter(state__in=UNFINISHED)

    def running(self) -> Self:
        """Return the jobs that a worker has, or had until its lease lapsed."""
        return self.filter(state=JobState.RUNNING)

    def ready(self) -> Self:
        """Return the jobs that wait and are due, and those whose worker has let its lease lapse."""
        return self.filter(
            Q(state=JobState.QUEUED, due_at__lte=ClockTime())
            | Q(state=JobState.RUNNING, leased_until__lt=ClockTime())
        )

    def held(self, *, token: int) -> Self:
        """Return the jobs that the worker with this fencing token still has."""
        return self.filter(state=JobState.RUNNING, lease_token=token)


class Job(TenantRow):
    """One piece of long work of an organisation.

    `payload` holds ids and choices, never secrets. `done` and `total` count whatever `note` or the
    label speaks of; `done_before` was done when somebody had it go on, at `begun_at`. `lease_token`
    rises each time a worker takes the job: what a worker with an older token writes is refused.
    `attempts` counts failures, `lapses` workers that vanished in a row without getting further.
    `error` may be shown to people.
    """

    kind = models.CharField(max_length=60)
    payload_version = models.PositiveSmallIntegerField(default=1)
    payload = models.JSONField(default=dict, blank=True)
    queue = models.CharField(max_length=8, choices=Lane.choices, default=Lane.APP)
    label = models.CharField(max_length=200)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    created_by_label = models.CharField(max_length=200, blank=True, default="")
    created_at = models.DateTimeField(db_default=ClockTime(), editable=False)
    due_at = models.DateTimeField(db_default=ClockTime())
    begun_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)

    state = models.CharField(max_length=10, choices=JobState.choices, default=JobState.QUEUED)
    cancel_asked_at = models.DateTimeField(null=True, blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    max_attempts = models.PositiveSmallIntegerField(default=5)
    lapses = models.PositiveSmallIntegerField(default=0)
    lease_token = models.BigIntegerField(default=0)
    leased_until = models.DateTimeField(null=True, blank=True)

    done = models.BigIntegerField(default=0)
    done_before = models.BigIntegerField(default=0, db_default=0)
    total = models.BigIntegerField(null=True, blank=True)
    note = models.CharField(max_length=200, blank=True, default="")
    checkpoint = models.JSONField(default=dict, blank=True)
    result = models.JSONField(default=dict, blank=True)
    error = models.TextField(blank=True, default="")

    objects: ClassVar[JobQuerySet] = JobQuerySet.as_manager()  # type: ignore[assignment]  # a manager with the queryset's methods

    class Meta:
        ordering = ("-id",)
        constraints = [
            models.CheckConstraint(name="job_state_is_known", condition=Q(state__in=JobState.values)),
            models.CheckConstraint(name="job_queue_is_known", condition=Q(queue__in=Lane.values)),
            models.CheckConstraint(
                name="job_running_has_a_lease",
                condition=Q(state="running", leased_until__isnull=False)
                | (~Q(state="running") & Q(leased_until__isnull=True)),
            ),
            models.CheckConstraint(
                name="job_ended_has_a_time",
                condition=Q(state__in=["queued", "running"], ended_at__isnull=True)
                | (~Q(state__in=["queued", "running"]) & Q(ended_at__isnull=False)),
            ),
            models.CheckConstraint(name="job_progress_is_positive", condition=Q(done__gte=0)),
            models.CheckConstraint(
                name="job_attempts_are_limited", condition=Q(attempts__lte=F("max_attempts"))
            ),
        ]
        indexes = [
            models.Index(name="job_waiting", fields=["queue", "due_at"], condition=Q(state="queued")),
            models.Index(name="job_under_way", fields=["queue", "kind"], condition=Q(state="running")),
            models.Index(name="job_by_person", fields=["created_by", "-id"]),
        ]

    def __str__(self) -> str:
        return self.label

    @property
    def has_ended(self) -> bool:
        """Return whether nothing more happens to the job by itself."""
        return self.state in ENDED

    @property
    def is_being_cancelled(self) -> bool:
        """Return whether somebody asked to cancel it and its worker has not stopped yet."""
        return self.cancel_asked_at is not None and not self.has_ended
