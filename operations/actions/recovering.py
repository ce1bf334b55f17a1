"""Shards as they were at a moment, on one throw-away server that serves all who ask for the same moment."""

from contextlib import ExitStack
from datetime import datetime
from pathlib import Path
from typing import Self

from django.utils import timezone

from operations.actions import backups
from operations.models import BaseBackup
from operations.restoring import places
from operations.restoring.alone import alone_in
from operations.restoring.scratch import address_on, recovered


class Recovery:
    """The server at hand. Whoever asks for another moment or another server has it replaced.

    Used as a context manager: at its end the server is gone. `folder` is where it lies; a name that stays
    the same lets the next one clear away what a killed process left.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._at: tuple[str, datetime] | None = None
        self._port = 0
        self._why = ""
        self._opened = ExitStack()
        self.began: datetime | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._opened.close()

    def address(self, alias: str, to: datetime) -> str:
        """Return the owner's address of a shard as it was. Raises CannotBackUp; Busy where it is in use."""
        backup = backups.newest(alias, before=to)
        if backup is None:
            raise places.CannotBackUp(f"No back-up of {alias} is from before {to}.")
        if self._at != (backup.system, to):
            self._recover(backup, alias, to)
        if self._why:  # the others of its server would fail in the same way, each after as long
            raise places.CannotBackUp(self._why)
        return address_on(alias, self._port)

    def _recover(self, backup: BaseBackup, alias: str, to: datetime) -> None:
        self._opened.close()
        self._at, self._why = None, ""
        folder = self._folder / str(backup.system)
        with ExitStack() as opening:
            opening.enter_context(alone_in(folder))
            self.began = timezone.now()
            try:
                backups.bring_log(alias)
                self._port = opening.enter_context(
                    recovered(
                        backup=Path(backup.folder),
                        archive=places.archive(alias),
                        to=to,
                        folder=folder,
                        alias=alias,
                    )
                )
            except places.CannotBackUp as problem:
                self._why = str(problem)
            self._opened = opening.pop_all()
        self._at = (str(backup.system), to)
