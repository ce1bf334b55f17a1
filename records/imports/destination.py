"""What an import asks of the table that it fills, whichever kind it is."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from django.db.models import Model

from permissions.holder import Holder
from records.importing import Checked
from records.imports.designs import ColumnChoice
from records.imports.targets import Finder
from records.values import Canonical, FieldSpec


@dataclass(frozen=True, slots=True)
class Removed:
    """What one step of undoing did; `after` is the place where the next one begins, None at the end."""

    count: int
    after: str | None


class Destination(Protocol):
    """A table that rows of files go into."""

    @property
    def name(self) -> str:
        """Return what people call it."""

    @property
    def version(self) -> object:
        """Return what changes whenever its design does."""

    @property
    def step(self) -> int:
        """Return how many rows go in within one transaction, which should take less than a second."""

    def specs(self) -> list[FieldSpec]:
        """Return the fields that a column may go to."""

    def perms_of(self, holder: Holder) -> frozenset[str]:
        """Return what the holder may do to all of its rows; nothing if it is gone."""

    def finder(self, holder: Holder, choices: Sequence[ColumnChoice]) -> Finder:
        """Return who finds what columns link to."""

    def judge(self, piece: Checked, columns: Mapping[str, str]) -> None:
        """Refuse rows of a checked piece for what only the table knows. `columns` goes by field."""

    def used(self, key: str, values: Sequence[Canonical]) -> Collection[Canonical]:
        """Return which of the values somebody has already in a unique field."""

    def add_fields(self, choices: Sequence[ColumnChoice], *, at: datetime) -> None:
        """Make the fields that are to be new."""

    def put(self, rows: Sequence[bytes], *, import_id: UUID, by: UUID | None, at: datetime) -> None:
        """Add rows. Raises Taken, or Invalid for another refusal, leaving the transaction usable."""

    def finish(self) -> None:
        """Do what is due once many rows have come."""

    def links_made_possible(self, holder: Holder) -> list[dict[str, Any]]:
        """Return the fields elsewhere that could now lead here."""

    def count(self, import_id: UUID) -> int:
        """Return how many rows of an import are there."""

    def changed(self, import_id: UUID) -> int:
        """Return how many of them somebody has changed since."""

    def take_out(self, import_id: UUID, *, after: str, limit: int, unchanged_only: bool) -> Removed:
        """Delete rows of an import for good, those that follow a place."""

    def told_of(self, subject: Model) -> Model:
        """Return what the trail says an import was about; `subject` is the import."""
