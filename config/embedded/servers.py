"""The servers under the product: embedded ones, or those the person named in the environment."""

import os
import time
from collections.abc import Mapping
from pathlib import Path

from config.embedded import databases
from config.embedded import environment as variables
from config.embedded.answers import require_databases, require_redis
from config.embedded.console import say
from config.embedded.databases import Databases
from config.embedded.errors import CannotStart
from config.embedded.files import secret_in
from config.embedded.postgres import PostgresServer
from config.embedded.redis import RedisServer
from tenants import bootstrap

REDIS_STOP_SECONDS = 1.0
PAUSE_BEFORE_RETRY = 5.0


class Servers:
    """PostgreSQL and Redis in `data`, each only where the environment names no other."""

    def __init__(self, data: Path, ports: Mapping[str, int], *, servers: int = 1) -> None:
        self.databases: Databases | None = None
        self.redis: RedisServer | None = None
        self._data, self._count = data, servers
        self._try_again_at: dict[str, float] = {}
        if not variables.own_database():
            self.databases = Databases.in_folder(data, ports, servers=servers)
        if not os.environ.get("REDIS_URL"):
            password = secret_in(data / "run" / "redis.password")
            self.redis = RedisServer(data / "redis", ports["redis"], password)

    @property
    def postgres(self) -> PostgresServer | None:
        """The server with the control plane, where it is an embedded one."""
        return None if self.databases is None else self.databases.servers[0]

    @property
    def embedded(self) -> list[tuple[str, PostgresServer | RedisServer]]:
        """The embedded servers with their names for people."""
        found: list[tuple[str, PostgresServer | RedisServer]] = []
        if self.databases is not None:
            for number, server in self.databases.numbered():
                found.append(("database" if number == 1 else f"database {number}", server))
        return [*found, ("Redis", self.redis)] if self.redis is not None else found

    def start(self) -> None:
        """Start all side by side and return when they answer; raises CannotStart."""
        if self.redis is None:
            require_redis(self.redis_url)
        for _, server in self.embedded:
            server.launch()
        for _, server in self.embedded:
            server.wait_until_ready()
        if self.databases is not None:
            databases.note(self._data, self._count)

    @property
    def redis_url(self) -> str:
        """Where Redis answers."""
        return os.environ["REDIS_URL"] if self.redis is None else self.redis.url

    def knows_logins(self) -> bool:
        """Whether the passwords of the embedded servers' logins can be read."""
        if self.databases is None:
            return True
        kept = self.databases.logins
        try:
            return kept.exists() and bool(bootstrap.Logins.load_or_make(kept))
        except (ValueError, TypeError):
            return False

    def make_logins(self) -> None:
        """Make roles and databases on embedded servers; on one's own server its administrator does."""
        if self.databases is None:
            return
        if not self.knows_logins():
            self.databases.logins.unlink(missing_ok=True)
        self.databases.prepare()

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
        return {} if self.databases is None else {**self.databases.urls(), **self.databases.archives()}

    def tend(self) -> None:
        """Start a server again that ended by itself. One that does not start keeps no other waiting."""
        for name, server in self.embedded:
            if server.is_running() or time.monotonic() < self._try_again_at.get(name, 0.0):
                continue
            say(f"The {name} server ended by itself and starts again. See {server.folder / 'log'}.")
            server.stop()
            try:
                server.start()
            except CannotStart as refusal:
                say(str(refusal))
                self._try_again_at[name] = time.monotonic() + PAUSE_BEFORE_RETRY

    def stop(self) -> None:
        """Stop Redis, then the databases."""
        if self.redis is not None:
            self.redis.stop(REDIS_STOP_SECONDS)
        if self.databases is not None:
            self.databases.stop()
