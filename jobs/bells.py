"""Waking workers up. A bell says that an organisation may have work, and nothing else.

Losing a bell loses nothing: the wake row written with the job brings the sweeper. So a broker that
does not answer is logged, and never fails what rang.
"""

import logging
import zlib
from functools import cache
from uuid import UUID

from celery import current_app
from django.conf import settings
from kombu import Queue
from kombu.exceptions import OperationalError as BrokerError
from redis import Redis
from redis.exceptions import RedisError

from jobs.signing import signed
from tenants.releases import queue_of

logger = logging.getLogger(__name__)
WORK = "jobs.tasks.work"
# Seconds for which a bell that nobody has heard yet stops further ones.
_UNHEARD = 10
_CONNECT_SECONDS = 1.0


@cache
def store() -> "Redis":
    """Return the client for what is worth remembering between bells. It is allowed to forget."""
    return Redis.from_url(
        settings.REDIS_URL, socket_timeout=_CONNECT_SECONDS, socket_connect_timeout=_CONNECT_SECONDS
    )


def celery_queue(organisation_id: UUID, queue: str, release: str = "") -> str:
    """Return the message queue of an organisation: hashed, so that a busy one delays few others.

    Each release has its own; without one it is this process's.
    """
    lane = queue if queue != "app" else f"jobs.{zlib.crc32(organisation_id.bytes) % settings.JOB_QUEUES}"
    return queue_of(lane, release or settings.RELEASE)


def ring(organisation_id: UUID, queue: str, *, release: str = "") -> bool:
    """Wake a worker for an organisation; return whether a bell is on its way.

    `release` is the one whose workers are to hear it, by default this process's. A worker whose release
    the organisation is not on rings at the right one.

    An organisation has one unheard bell at a time, so four hundred jobs do not fill a queue.
    """
    arguments = {"organisation_id": str(organisation_id), "queue": queue}
    key = _key(organisation_id, queue, release)
    name = celery_queue(organisation_id, queue, release)
    try:
        if not store().set(key, 1, ex=_UNHEARD, nx=True):
            return True
        current_app.send_task(
            WORK,
            kwargs=arguments,
            # A queue of another release is none of those that this process knows.
            queue=Queue(name, routing_key=name),  # type: ignore[arg-type]  # celery-types knows names only
            headers=signed(WORK, arguments),
            retry=False,
        )
    except (RedisError, BrokerError, OSError) as problem:
        logger.warning("The bell for %s was not rung: %s", organisation_id, problem)
        return False
    return True


def heard(organisation_id: UUID, queue: str) -> None:
    """Let the next bell through; called before a worker looks for work."""
    try:
        store().delete(_key(organisation_id, queue))
    except (RedisError, OSError) as problem:
        logger.warning("Redis does not answer: %s", problem)


def others_wait() -> bool:
    """Return whether bells are waiting for a worker, so that a long job should make room."""
    prefix = str(settings.CELERY_BROKER_TRANSPORT_OPTIONS["global_keyprefix"])
    try:
        with store().pipeline(transaction=False) as pipeline:
            for number in range(settings.JOB_QUEUES):
                pipeline.llen(prefix + queue_of(f"jobs.{number}", settings.RELEASE))
            return any(pipeline.execute())
    except (RedisError, OSError):
        return False


def _key(organisation_id: UUID, queue: str, release: str = "") -> str:
    return f"enclave:bell:{queue_of(queue, release or settings.RELEASE)}:{organisation_id}"
