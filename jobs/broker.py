"""The broker's transport: Redis that has no memory left is treated as Redis that is away."""

from kombu.transport import redis
from redis.exceptions import OutOfMemoryError


class Transport(redis.Transport):
    """Redis as Celery uses it. A worker that may not write there connects again until it may.

    Otherwise it would end: Celery takes only errors of connections for something that passes.
    """

    connection_errors = (*redis.Transport.connection_errors, OutOfMemoryError)
