"""Asking for long work."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import orjson
from django.contrib.auth.base_user import AbstractBaseUser

from jobs import registry
from jobs.actions.waking import wake, wake_now
from jobs.models import Job

PAYLOAD_LIMIT = 16_384


class PayloadTooLarge(ValueError):
    """A payload holds ids and choices. Data belongs into rows and files."""


def enqueue(
    kind: str,
    *,
    payload: Mapping[str, Any],
    label: str,
    by: AbstractBaseUser | None,
    due: datetime | None = None,
    max_attempts: int | None = None,
) -> Job:
    """Add a job inside the organisation entered; workers hear of it after the commit.

    `payload` is JSON: ids and choices, never secrets. `label` is what people read, `by` the person it
    is done for, `due` when it may begin (default: now). Raises UnknownKind, PayloadTooLarge.
    """
    known = registry.get(kind)
    stored = dict(payload)
    if len(orjson.dumps(stored)) > PAYLOAD_LIMIT:
        raise PayloadTooLarge(f"The payload of {kind} is larger than {PAYLOAD_LIMIT} bytes.")
    times = {"due_at": due} if due is not None else {}
    job = Job.objects.create(
        kind=kind,
        payload_version=known.version,
        payload=stored,
        queue=known.queue,
        label=label[:200],
        created_by_id=by.pk if by is not None else None,
        created_by_label=str(by)[:200] if by is not None else "",
        max_attempts=max_attempts or known.max_attempts,
        **times,
    )
    if due is None:
        wake_now(known.queue)
    else:
        wake(known.queue, due=due)
    return job
