"""Whether the databases and Redis answer, asked before anything is built on them."""

import re
from collections.abc import Mapping

import psycopg

from config.embedded.errors import CannotStart

_DATABASES = re.compile(r"(?:OWNER_)?(?:CONTROL|SHARD_\d+)_DATABASE_URL")
CONNECT_SECONDS = 10


def require_databases(environment: Mapping[str, str], *, remedy: str) -> None:
    """Raise CannotStart, with `remedy` as what to do, for the first URL whose database does not answer."""
    for name in sorted(filter(_DATABASES.fullmatch, environment)):
        try:
            with psycopg.connect(environment[name], connect_timeout=CONNECT_SECONDS) as connection:
                # What a damaged catalogue cannot answer.
                connection.execute("SELECT count(*) FROM pg_catalog.pg_class")
        except psycopg.Error as error:
            raise CannotStart(
                f"The database of {name} does not answer ({one_line(error)}); {remedy}."
            ) from error


def require_redis(url: str) -> None:
    """Raise CannotStart when the person's own Redis does not answer."""
    import redis  # only here: it takes a fifth of a second, which a start with our own Redis need not

    try:
        client = redis.Redis.from_url(
            url, socket_connect_timeout=CONNECT_SECONDS, socket_timeout=CONNECT_SECONDS
        )
        with client:
            client.ping()
    except (redis.RedisError, ValueError) as error:
        raise CannotStart(
            f"The Redis of REDIS_URL does not answer ({one_line(error)}); check the URL and that it runs."
        ) from error


def one_line(error: Exception) -> str:
    """The line of an error that says why; others hint at what might be, or head a list of addresses."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()] or [type(error).__name__]
    return next((line for line in lines if "failed:" in line), lines[-1]).rstrip(".")
