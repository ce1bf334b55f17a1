"""In which order a worker looks into the message queues: first those whose organisations it has served.

An organisation's messages lie in one queue, by a hash of it. A worker that is one of several has a part of
the queues as its own, looks there first, and so its connections touch that part of the organisations: a
backend keeps memory for each schema that it has touched. It helps with the others when its own are empty,
and takes every sixteenth message in plain turn, so that no queue waits for a worker that is gone.
"""

from kombu.utils.scheduling import round_robin_cycle

# Every so many messages the turn is everybody's, whatever lies in a worker's own queues.
PLAIN_TURN = 16


class OwnQueuesFirst(round_robin_cycle):  # type: ignore[type-arg]  # generic in the stubs only
    """The queues in turn, those of this worker's part before the others."""

    own: frozenset[str] = frozenset()

    def __init__(self, it: list[str] | None = None) -> None:
        super().__init__(it)
        self._taken = 0

    def consume(self, n: int) -> list[str]:  # type: ignore[override]  # the stubs are wrong: it is a list
        """Return the queues in the order in which they are looked into."""
        turn: list[str] = list(self.items[:n])  # type: ignore[index]  # never None: see round_robin_cycle
        if self._taken % PLAIN_TURN == PLAIN_TURN - 1:
            return turn
        # Sorting keeps the turn within each part.
        return sorted(turn, key=lambda queue: queue not in self.own)

    def rotate(self, last_used: str) -> str:  # type: ignore[override]  # it returns what it was given
        """Put the queue that a message was taken from at the end of the turn."""
        self._taken += 1
        super().rotate(last_used)
        return last_used


def part_of(place: int, workers: int, queues: int) -> frozenset[str]:
    """Return the names of the queues that are a worker's own: the first of two has those of even number."""
    return frozenset(f"jobs.{number}" for number in range(queues) if number % workers == place - 1)
