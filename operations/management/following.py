"""Running a merge from a command, which says how far it is."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Thread

from django.core.management.base import OutputWrapper
from django.db import connections

from operations.joining import merging
from operations.models import Merge
from operations.models.merge import AT_WORK
from operations.restoring.problems import Busy

_EVERY_SECONDS = 1.0


def to_its_end(merge: Merge, out: OutputWrapper) -> None:
    """Take a merge as far as it can come by itself, whoever does it: the owner's worker may be faster."""
    with _told(merge, out):
        while True:
            try:
                merging.run(merge)
                break
            except Busy:
                time.sleep(_EVERY_SECONDS)
    merge.refresh_from_db()
    if merge.step in AT_WORK:
        out.write("It has not come to its end; it goes on with --resume.")


@contextmanager
def _told(merge: Merge, out: OutputWrapper) -> Iterator[None]:
    """Write how far it is during the block, as the row says it that all processes write to."""
    ended = Event()

    def watch() -> None:
        said = ""
        while not ended.wait(_EVERY_SECONDS):
            row = Merge.objects.filter(pk=merge.pk).values_list("progress", flat=True).first()
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
