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
from kombu.exceptions import OperationalError as BrokerError
from redis import Redis
from redis.exceptions import RedisError

from jobs.signing import signed

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


def celery_queue(organisation_id: UUID, queue: str) -> str:
    """Return the message queue of an organisation: hashed, so that a busy one delays few others."""
    if queue != "app":
        return queue
    return f"jobs.{zlib.crc32(organisation_id.bytes) % settings.JOB_QUEUES}"


def ring(organisation_id: UUID, queue: str) -> bool:
    """Wake a worker for an organisation; return whether a bell is on its way.

    An organisation has one unheard bell at a time, so four hundred jobs do not fill a queue.
    """
    arguments = {"organisation_id": str(organisation_id), "queue": queue}
    key = _key(organisation_id, queue)
    try:
        if not store().set(key, 1, ex=_UNHEARD, nx=True):
            return True
        current_app.send_task(
            WORK,
            kwargs=arguments,
            queue=celery_queue(organisation_id, queue),
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
    try:
        with store().pipeline(transaction=False) as pipeline:
            for number in range(settings.JOB_QUEUES):
                pipeline.llen(f"{settings.CELERY_BROKER_TRANSPORT_OPTIONS['global_keyprefix']}jobs.{number}")
            return any(pipeline.execute())
    except (RedisError, OSError):
        return False


def _key(organisation_id: UUID, queue: str) -> str:
    return f"enclave:bell:{queue}:{organisation_id}"
