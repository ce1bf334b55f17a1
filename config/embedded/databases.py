"""Embedded PostgreSQL servers of a data folder: the control plane on the first, a shard on each other one.

The first lies in `postgres`, the second in `postgres-2` and so on, so that a folder that was made with one
server keeps it, and what lies there, when a second is added.
"""

from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import psycopg

from config.embedded.answers import one_line
from config.embedded.cluster import share_of
from config.embedded.errors import CannotStart
from config.embedded.options import MOST_SERVERS
from config.embedded.ports import LOOPBACK
from config.embedded.postgres import PostgresServer
from tenants import bootstrap

FIRST = ("shard_1", "shard_2")
# What it has in memory is written down, which takes a slow disk a while; a kill only delays the next start.
STOP_SECONDS = 20.0


def name_of(number: int) -> str:
    """The name of a server's folder and port, counted from 1."""
    return "postgres" if number == 1 else f"postgres-{number}"


def shards_of(number: int) -> tuple[str, ...]:
    """The shards that lie on a server."""
    return FIRST if number == 1 else (f"shard_{number + 1}",)


def how_many(data: Path, wanted: int | None) -> int:
    """How many servers to run; raises CannotStart where one would be left out that has data.

    A server is never taken away: its organisations would be out of reach.
    """
    there = max(
        (number for number in range(1, MOST_SERVERS + 1) if (data / name_of(number)).exists()), default=1
    )
    there = max(there, _noted(data))
    if wanted is not None and wanted < there:
        raise CannotStart(
            f"{data} has {there} database servers with data on them; start with --servers {there}, or "
            "without --servers."
        )
    for number in range(2, _noted(data) + 1):
        folder = data / name_of(number)
        # Where it ran as another user its cluster may lie elsewhere, and the folder has a link to it.
        if not (folder / "cluster").is_symlink() and not (folder / "cluster" / "data").exists():
            raise CannotStart(
                f"The database in {folder} is gone, and with it {shards_of(number)[0]}; bring it back from "
                "a copy, or choose another folder with --data."
            )
    return wanted or there


def note(data: Path, servers: int) -> None:
    """Note how many servers have data, so that one that vanishes is missed and not made anew."""
    (data / "run" / "servers").write_text(f"{servers}\n")


def _noted(data: Path) -> int:
    try:
        return int((data / "run" / "servers").read_text())
    except (OSError, ValueError):
        return 1


@dataclass(frozen=True)
class Databases:
    """The servers in order, and where the passwords of their logins are kept: the same on each."""

    servers: tuple[PostgresServer, ...]
    logins: Path

    @classmethod
    def in_folder(
        cls, data: Path, ports: Mapping[str, int], *, servers: int, durable: bool = True
    ) -> "Databases":
        """The servers of a data folder, not started; `ports` has one for each name."""
        extra = share_of(servers) if servers > 1 else {}
        return cls(
            tuple(
                PostgresServer(data / name_of(number), ports[name_of(number)], durable, extra=extra)
                for number in range(1, servers + 1)
            ),
            data / "run" / "logins.json",
        )

    def prepare(self) -> None:
        """Make logins, databases and the schema `enclave` on each; raises CannotStart."""
        logins = bootstrap.Logins.load_or_make(self.logins)
        for number, server in self.numbered():
            try:
                bootstrap.prepare(
                    superuser_url=server.superuser_url(),
                    logins=logins,
                    shards=shards_of(number),
                    control=number == 1,
                )
            except psycopg.Error as error:
                raise CannotStart(
                    f"The database in {server.folder} cannot be prepared ({one_line(error)}); "
                    "bring the folder back from a copy, or choose another one with --data."
                ) from error

    def archives(self) -> dict[str, str]:
        """The variables that say where the log of each shard's server is archived."""
        return {
            f"{alias.upper()}_WAL_ARCHIVE": str(server.archive)
            for number, server in self.numbered()
            for alias in shards_of(number)
        }

    def urls(self) -> dict[str, str]:
        """The variables with the URLs of all databases."""
        logins = bootstrap.Logins.load_or_make(self.logins)
        found: dict[str, str] = {}
        for number, server in self.numbered():
            make = bootstrap.environment if number == 1 else bootstrap.shard_environment
            found |= make(host=LOOPBACK, port=server.port, logins=logins, shards=shards_of(number))
        return found

    def numbered(self) -> Iterator[tuple[int, PostgresServer]]:
        """Each server with its number, counted from 1."""
        return enumerate(self.servers, start=1)

    def archived_bytes(self) -> int:
        """How much the archives of the write-ahead logs hold together."""
        return sum(server.archived_bytes() for server in self.servers)

    def stop(self) -> None:
        """Stop all, side by side."""
        with ThreadPoolExecutor(len(self.servers)) as threads:
            list(threads.map(lambda server: server.stop(STOP_SECONDS), self.servers))
