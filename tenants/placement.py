"""A tenant as the running code knows it: where it lives and what state it is in.

A plain value, so that it can be cached by host, sent between threads and compared, without a
model instance of the control plane travelling into tenant transactions.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol
from uuid import UUID


class Stop(StrEnum):
    """What the state of an organisation can stop."""

    REQUESTS = "requests"
    CHANGES = "changes"
    JOBS = "jobs"
    ENTRY = "entry"


class State(StrEnum):
    """The states of an organisation, in the order it usually passes through them."""

    TRIAL = "trial"
    ACTIVE = "active"
    SUSPENDED = "suspended"
    LEAVING = "leaving"
    GONE = "gone"


# REQUESTS is held by the request middleware, CHANGES by the database (tenants.standstill), JOBS where
# workers take them, ENTRY by tenants.context.enter.
STOPS: dict[State, frozenset[Stop]] = {
    # Not decided yet whether it stays; otherwise like an active one.
    State.TRIAL: frozenset(),
    State.ACTIVE: frozenset(),
    # Nobody gets in and nothing runs; the data stays as it is.
    State.SUSPENDED: frozenset({Stop.REQUESTS, Stop.CHANGES, Stop.JOBS}),
    # People read; nothing changes any more, so that what they take with them is complete.
    State.LEAVING: frozenset({Stop.CHANGES}),
    # Not even we enter it; its schema waits to be erased.
    State.GONE: frozenset(Stop),
}


class Ring(StrEnum):
    """Who gets a migration when: a few that are watched, those that want it early, everybody else."""

    CANARY = "canary"
    EARLY = "early"
    EVERYBODY = "everybody"


@dataclass(frozen=True, slots=True)
class Tenant:
    """One organisation's place: `alias` is the database alias of its shard, `schema` also names its role."""

    id: UUID
    slug: str
    name: str
    schema: str
    alias: str
    epoch: int
    release: str
    state: State
    host: str

    def stops(self, what: Stop) -> bool:
        """Return whether the organisation's state stops `what`."""
        return what in STOPS[self.state]

    def placement(self) -> "Tenant":
        """Return itself; lets `enter` take an organisation or its placement alike."""
        return self


class Placed(Protocol):
    """Anything that knows its placement: the Organisation model, or a Tenant itself."""

    def placement(self) -> Tenant: ...
