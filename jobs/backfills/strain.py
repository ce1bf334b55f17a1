"""Whether a shard's server is busy with more urgent things than filling columns.

Measured by what the application's login may know: who waits for locks and how long, how many connections
there are, how far those who copy the log are behind, and how long our own commits take.
"""

from dataclasses import dataclass

from django.db import connections

from tenants.context import on_shard

LONGEST_WAIT_MS = 1_000
MOST_WAITING = 10
CONNECTIONS_SHARE = 0.85
MOST_UNSENT_BYTES = 256 * 1024 * 1024
SLOW_COMMIT_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class Load:
    """What a server says of itself at a moment."""

    waiting: int
    longest_wait_ms: int
    connections: int
    most_connections: int
    unsent_bytes: int

    def strain(self, commit_seconds: float = 0.0) -> str:
        """Return what is wrong, in words; "" when all is well."""
        if self.longest_wait_ms > LONGEST_WAIT_MS or self.waiting > MOST_WAITING:
            return f"{self.waiting} wait for locks"
        if self.connections > CONNECTIONS_SHARE * self.most_connections:
            return f"{self.connections} of {self.most_connections} connections are in use"
        if self.unsent_bytes > MOST_UNSENT_BYTES:
            return f"copies are {self.unsent_bytes // 1024**2} MB behind"
        if commit_seconds > SLOW_COMMIT_SECONDS:
            return f"a commit took {commit_seconds:.1f} s"
        return ""


def load_of(alias: str) -> Load:
    """Ask a shard how busy it is."""
    with on_shard(alias), connections[alias].cursor() as cursor:
        cursor.execute(
            "SELECT waiting, longest_wait_ms, connections, most_connections, unsent_bytes "
            "FROM enclave.strain()"
        )
        return Load(*map(int, cursor.fetchone()))
