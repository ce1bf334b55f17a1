"""Running a merge or a split from a command, which says how far it is."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event, Thread
from typing import TypeVar

from django.core.management.base import OutputWrapper
from django.db import connections

from operations.models import Merge, Split
from operations.models.joining import AT_WORK
from operations.restoring.problems import Busy

_EVERY_SECONDS = 1.0
_Work = TypeVar("_Work", Merge, Split)


def to_its_end(work: _Work, run: Callable[[_Work], None], out: OutputWrapper) -> None:
    """Take it as far as it can come by itself, whoever does it: the owner's worker may be faster."""
    with _told(work, out):
        while True:
            try:
                run(work)
                break
            except Busy:
                time.sleep(_EVERY_SECONDS)
    work.refresh_from_db()
    if work.step in {step.value for step in AT_WORK}:
        out.write("It has not come to its end; it goes on with --resume.")


@contextmanager
def _told(work: Merge | Split, out: OutputWrapper) -> Iterator[None]:
    """Write how far it is during the block, as the row says it that all processes write to."""
    ended = Event()

    def watch() -> None:
        said = ""
        while not ended.wait(_EVERY_SECONDS):
            rows = type(work)._default_manager.filter(pk=work.pk)
            row = rows.values_list("progress", flat=True).first()
            if row and row != said:
                said = row
                out.write(f"{said}.")
        connections.close_all()

    watcher = Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield
    finally:
        ended.set()
        watcher.join()
