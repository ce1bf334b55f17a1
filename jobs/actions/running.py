"""A run: one worker doing one job, in chunks that commit effects, progress and lease together."""

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import Error as DatabaseError
from django.db import connections, models
from django.db.models import Func, Value

from jobs.actions.taking import Taken
from jobs.models import Job, from_now
from jobs.models.job import JobQuerySet
from jobs.refusals import Interrupted, JobCancelled, LeaseLost
from tenants.context import Actor, Context, enter
from tenants.placement import Stop, Tenant

Resolve = Callable[[UUID], Tenant | None]


def _never() -> bool:
    return False


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a run asks about the world around it.

    `resolve` finds the organisation's placement anew; `stopping` says that the worker ends,
    `others_wait` that jobs of others are waiting. Without `beats`, no thread keeps the lease.
    """

    resolve: Resolve
    stopping: Callable[[], bool] = _never
    others_wait: Callable[[], bool] = _never
    beats: bool = True


@dataclass(slots=True)
class _Progress:
    columns: dict[str, Any] = field(default_factory=dict)


class Run:
    """What a handler is given.

    `payload` is the job's, brought to the newest version; `state` the checkpoint last committed, {}
    at the beginning; `done`, `total` and `note` the progress last committed. Effects happen inside
    `chunk()` only, and a chunk takes less than a second.
    """

    def __init__(self, taken: Taken, *, tenant: Tenant, around: Surroundings) -> None:
        job = taken.job
        self.tenant = tenant
        self.job_id: UUID = job.pk
        self.label = job.label
        self.created_by_id: UUID | None = job.created_by_id
        self.attempt = job.attempts + 1
        self.payload: dict[str, Any] = taken.kind.current_payload(dict(job.payload), job.payload_version)
        self.state: dict[str, Any] = dict(job.checkpoint)
        self.done, self.total, self.note = job.done, job.total, job.note
        self.actor = Actor.system(job.label, on_behalf_of=job.created_by_id)
        self._taken, self._around = taken, around
        self._pending: _Progress | None = None
        self._moved_on = self._lost = False
        self._began = self._looked = time.monotonic()

    @contextmanager
    def chunk(self, *, closing: bool = False) -> Iterator[Context]:
        """Enter the organisation in one transaction, which commits only while this worker has the job.

        The checkpoint given inside commits with the effects. Raises JobCancelled when somebody asked
        to cancel (not when `closing`, for tidying up), Interrupted when the worker stops or others
        wait, LeaseLost when another worker took over.
        """
        if self._pending is not None:
            raise RuntimeError("A chunk is one transaction: it cannot begin inside another.")
        self._look_around(closing=closing)
        pending = self._pending = _Progress()
        committing = False
        try:
            with enter(self.tenant, actor=self.actor, request_id=f"job-{self.job_id}") as context:
                self._verify(closing=closing)
                yield context
                self._renew(pending)
                committing = True
        except DatabaseError:
            # Nobody knows whether a COMMIT that broke off came through. The next taker reads it.
            self._lost = committing
            raise
        finally:
            self._pending = None
        self._remember(pending)

    def checkpoint(
        self,
        state: Mapping[str, Any] | None = None,
        *,
        done: int | None = None,
        total: int | None = None,
        note: str | None = None,
    ) -> None:
        """Say how far the work is; inside a chunk it commits with it, outside it is a chunk of its own.

        After a crash the handler begins again with `state` as given here last.
        """
        if self._pending is None:
            with self.chunk():
                self.checkpoint(state, done=done, total=total, note=note)
            return
        given = {
            "checkpoint": dict(state) if state is not None else None,
            "done": done,
            "total": total,
            "note": note[:200] if note is not None else None,
        }
        self._pending.columns.update({name: value for name, value in given.items() if value is not None})

    @contextmanager
    def busy(self, *, most: float = 900) -> Iterator[None]:
        """Keep the lease during long work without a chunk, such as reading a file, for `most` seconds.

        A thread with a connection of its own renews it. Raises LeaseLost at the end if that failed.
        """
        if not self._around.beats:
            yield
            return
        finished, failed = threading.Event(), threading.Event()
        beats = threading.Thread(target=self._beat, args=(finished, failed, most), daemon=True)
        beats.start()
        try:
            yield
        finally:
            finished.set()
            beats.join()
        if failed.is_set():
            self._lost = True
            raise LeaseLost(f"The lease of {self.job_id} could not be kept.")

    def _beat(self, finished: threading.Event, failed: threading.Event, most: float) -> None:
        until, alias = time.monotonic() + most, self.tenant.alias
        try:
            while not finished.wait(settings.JOB_LEASE_SECONDS / 3) and time.monotonic() < until:
                with enter(self.tenant, actor=self.actor) as context:
                    alias = context.alias
                    self._renew(_Progress())
        except (LeaseLost, DatabaseError):
            failed.set()
        finally:
            for used in {alias, self.tenant.alias}:
                connections[used].close()

    def _look_around(self, *, closing: bool) -> None:
        """Ask whether to go on; what costs a query is asked once a second."""
        if self._lost:
            raise LeaseLost(f"Another worker may have {self.job_id}.")
        if self._around.stopping() and not closing:
            raise Interrupted("The worker stops.")
        now = time.monotonic()
        if now - self._looked < 1:
            return
        self._looked = now
        placed = self._around.resolve(self.tenant.id)
        if placed is None:
            raise LeaseLost(f"{self.tenant.slug} is nowhere any more.")
        # It may have moved: whether the job is still this worker's, its row says, which has moved with it.
        self.tenant = placed
        if placed.stops(Stop.JOBS):
            raise Interrupted(f"{self.tenant.slug} is {placed.state}.")
        if placed.release != settings.RELEASE:
            raise Interrupted(f"{self.tenant.slug} is on release {placed.release}.")
        # Only after a checkpoint of this run: otherwise a slow beginning would never end.
        if self._moved_on and now - self._began > settings.JOB_TURN_SECONDS and self._around.others_wait():
            raise Interrupted("Others wait.")

    def _held(self) -> JobQuerySet:
        jobs = Job.objects.filter(pk=self.job_id)
        return jobs.held(token=self._taken.token)

    def _verify(self, *, closing: bool) -> None:
        """Stop early when the job is another's; the check that counts is that of `_renew`."""
        # A worker frozen in here must not keep locks for longer than its lease.
        idle = f"{int(settings.JOB_LEASE_SECONDS * 500)}ms"
        limit = Func(
            Value("idle_in_transaction_session_timeout"),
            Value(idle),
            Value(True),
            function="set_config",
            output_field=models.TextField(),
        )
        row = self._held().annotate(limit=limit).values_list("cancel_asked_at", "limit").first()
        if row is None:
            raise LeaseLost(f"Another worker has {self.job_id}.")
        if row[0] is not None and not closing:
            raise JobCancelled

    def _renew(self, progress: _Progress) -> None:
        """Renew the lease and write the progress, if and only if the fencing token still is the job's."""
        columns = dict(progress.columns)
        if "checkpoint" in columns:
            columns["lapses"] = 0
        if not self._held().update(leased_until=from_now(settings.JOB_LEASE_SECONDS), **columns):
            raise LeaseLost(f"Another worker has {self.job_id}.")

    def _remember(self, progress: _Progress) -> None:
        columns = progress.columns
        self._moved_on = self._moved_on or "checkpoint" in columns
        self.state = columns.get("checkpoint", self.state)
        self.done = columns.get("done", self.done)
        self.total = columns.get("total", self.total)
        self.note = columns.get("note", self.note)
