"""What is to be done to which schemas, and what became of each."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from operations.fleet.parts import Part
from operations.fleet.scripts import Script, script_of


@dataclass(frozen=True, slots=True)
class Target:
    """A schema to be migrated; `id` is its organisation's."""

    id: UUID
    alias: str
    schema: str
    tries: int = 0


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one schema: its version (empty if not known), what went wrong, or is waited for."""

    target: Target
    version: str
    error: str = ""
    waits: str = ""
    took_ms: float = 0.0


@dataclass(frozen=True, slots=True)
class Work:
    """What is to be done: parts in order, from the version `start`, as recorded in the schema `canary`."""

    parts: Sequence[Part]
    start: str
    canary: str

    @property
    def aim(self) -> str:
        """Return the version that the work leads to."""
        return self.parts[-1].aim

    def steps(self) -> list["Step"]:
        """Return what to do, in order."""
        starts = [self.start, *(part.aim for part in self.parts)]
        return [
            Step(start, part, script_of(part, canary=self.canary, start=start) if part.as_text else None)
            for start, part in zip(starts, self.parts, strict=False)
        ]


@dataclass(frozen=True, slots=True)
class Step:
    """A part with the version it starts from; without a script it is Python."""

    start: str
    part: Part
    script: Script | None
