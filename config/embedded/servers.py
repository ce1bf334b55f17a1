"""The servers under the product: embedded ones, or those the person named in the environment."""

import os
import time
from collections.abc import Mapping
from pathlib import Path

import psycopg

from config.embedded import environment as variables
from config.embedded.answers import one_line, require_databases, require_redis
from config.embedded.console import say
from config.embedded.errors import CannotStart
from config.embedded.files import secret_in
from config.embedded.ports import LOOPBACK
from config.embedded.postgres import PostgresServer
from config.embedded.redis import RedisServer
from tenants import bootstrap

SHARDS = ("shard_1", "shard_2")
# What it has in memory is written down, which takes a slow disk a while; a kill only delays the next start.
DATABASE_STOP_SECONDS = 20.0
REDIS_STOP_SECONDS = 1.0
PAUSE_BEFORE_RETRY = 5.0


class Servers:
    """PostgreSQL and Redis in `data`, each only where the environment names no other."""

    def __init__(self, data: Path, *, database_port: int, redis_port: int) -> None:
        self.postgres: PostgresServer | None = None
        self.redis: RedisServer | None = None
        self._logins = data / "run" / "logins.json"
        self._try_again_at = 0.0
        if not variables.own_database():
            self.postgres = PostgresServer(data / "postgres", database_port)
        if not os.environ.get("REDIS_URL"):
            password = secret_in(data / "run" / "redis.password")
            self.redis = RedisServer(data / "redis", redis_port, password)

    def start(self) -> None:
        """Start both side by side and return when they answer; raises CannotStart."""
        if self.redis is None:
            require_redis(self.redis_url)
        embedded = [server for server in (self.postgres, self.redis) if server is not None]
        for server in embedded:
            server.launch()
        for server in embedded:
            server.wait_until_ready()

    @property
    def redis_url(self) -> str:
        """Where Redis answers."""
        return os.environ["REDIS_URL"] if self.redis is None else self.redis.url

    def knows_logins(self) -> bool:
        """Whether the passwords of the embedded server's logins can be read."""
        if self.postgres is None:
            return True
        try:
            return self._logins.exists() and bool(bootstrap.Logins.load_or_make(self._logins))
        except (ValueError, TypeError):
            return False

    def make_logins(self) -> None:
        """Make roles and databases on the embedded server; on one's own server its administrator does."""
        if self.postgres is None:
            return
        if not self.knows_logins():
            self._logins.unlink(missing_ok=True)
        try:
            bootstrap.prepare(
                superuser_url=self.postgres.superuser_url(),
                logins=bootstrap.Logins.load_or_make(self._logins),
                shards=SHARDS,
            )
        except psycopg.Error as error:
            raise CannotStart(
                f"The database in {self.postgres.folder} cannot be prepared ({one_line(error)}); "
                "bring the folder back from a copy, or choose another one with --data."
            ) from error

    def require_answers(self, environment: Mapping[str, str]) -> None:
        """Raise CannotStart for a database that the product could not work with."""
        if self.postgres is None:
            remedy = "check the URL, and see in docs/deploy.md how its logins and databases are made"
        else:
            remedy = (
                f"{self.postgres.folder} may be damaged: bring it back from a copy, "
                "or choose another folder with --data"
            )
        require_databases(environment, remedy=remedy)

    def urls(self) -> dict[str, str]:
        """The variables with the URLs of the embedded databases; empty for one's own server."""
        if self.postgres is None:
            return {}
        logins = bootstrap.Logins.load_or_make(self._logins)
        return bootstrap.environment(host=LOOPBACK, port=self.postgres.port, logins=logins, shards=SHARDS)

    def tend(self) -> None:
        """Start a server again that ended by itself."""
        if time.monotonic() < self._try_again_at:
            return
        for name, server in (("database", self.postgres), ("Redis", self.redis)):
            if server is None or server.is_running():
                continue
            say(f"The {name} server ended by itself and starts again. See {server.folder / 'log'}.")
            server.stop()
            try:
                server.start()
            except CannotStart as refusal:
                say(str(refusal))
                self._try_again_at = time.monotonic() + PAUSE_BEFORE_RETRY

    def stop(self) -> None:
        """Stop Redis, then PostgreSQL."""
        if self.redis is not None:
            self.redis.stop(REDIS_STOP_SECONDS)
        if self.postgres is not None:
            self.postgres.stop(DATABASE_STOP_SECONDS)
