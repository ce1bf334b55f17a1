"""Draws what was seen at two sizes out to a larger one, and says what comes first to its limit."""

from collections.abc import Mapping
from dataclasses import dataclass

# What one server of the size that the figures are taken on can be asked for; docs/scaling.md says why.
MEMORY_MB = 24_000
CONNECTIONS = 40  # of three web processes with eight threads, workers, and the sweeps
FIGURES_S = 24 * 3600  # how old the figures of the console may be
FIGURES_SHARE = 5 / 30  # of a worker's time is theirs (operations/actions/figures.py)
PROVISION_MS = 400
CONNECT_MS = 50
FILES = 4_000_000  # what a file system of 64 GB has inodes for
PAGE_MS = 100


@dataclass(frozen=True, slots=True)
class Limit:
    """Something that grows with organisations: what is expected far out, and the most it may be."""

    name: str
    unit: str
    expected: float
    most: float
    organisations: int | None

    @property
    def share(self) -> float:
        """Return how much of the limit is used, 1 being all of it."""
        return self.expected / self.most


def limits(
    few: Mapping[str, float], lots: Mapping[str, float], page: Mapping[str, float], *, far: int
) -> list[Limit]:
    """Return each limit with what is expected at `far` organisations, drawn as a straight line."""
    span = lots["organisations"] - few["organisations"]

    def line(name: str, column: str, unit: str, most: float, *, times: float = 1) -> Limit:
        slope = times * (lots[column] - few[column]) / span
        expected = times * lots[column] + slope * (far - lots["organisations"])
        reached = lots["organisations"] + (most - times * lots[column]) / slope if slope > 0 else None
        return Limit(name, unit, expected, most, None if reached is None else round(reached))

    memory = page["backend_mb"] * CONNECTIONS
    return [
        # Where it does not fit into memory beside the connections, each first visit reads the disk.
        line("catalogue_in_memory", "catalogue_mb", "MB", MEMORY_MB / 2 - memory),
        line("files", "files", "files", FILES),
        _figures(lots["figures_ms"], far),
        line("provision", "provision_ms", "ms", PROVISION_MS),
        line("connect", "connect_ms", "ms", CONNECT_MS),
        # Bounded by ENCLAVE_SCHEMAS_PER_CONNECTION, so it does not grow with the fleet.
        Limit("connections_memory", "MB", memory, MEMORY_MB / 4, None),
    ]


def _figures(milliseconds: float, far: int) -> Limit:
    """Return how old figures grow until it is their turn again: after everybody else's."""
    each = milliseconds / 1000 / FIGURES_SHARE
    return Limit("figures_age", "s", far * each, FIGURES_S, round(FIGURES_S / each))
