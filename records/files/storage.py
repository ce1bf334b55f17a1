"""Where the content of files lies: a folder for each organisation, names made by the server.

Nothing of what a person sent becomes a path. Content is written before the row that names it, and
removed a month after the row that named it is gone, as what a crash left between the two is: until then
the organisation may be brought back to a time at which a row named it.
"""

import hashlib
import os
import shutil
from collections.abc import Iterable, Iterator, Set
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from uuid import uuid4

from django.conf import settings

from records.files.kinds import HEAD, kind_of
from records.files.refusals import FileRefused
from records.models import RecordFile
from tenants.context import required

LARGEST = 100 * 1024 * 1024  # bytes of one file
# Content without a row is a crash's; younger content may belong to a request under way.
ORPHAN_AGE = timedelta(hours=6)
# Longer than back-ups are kept, and not shorter than what a restore replaced is.
UNNAMED_FOR = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Stored:
    """Content that was written: where (relative to the organisation's folder), what it is and how large."""

    path: str
    content_type: str
    size: int
    sha256: str


def largest() -> int:
    """Return how large a file may be, in bytes."""
    return min(LARGEST, int(settings.UPLOAD_LIMIT))


def is_full() -> bool:
    """Return whether the disk of all organisations' files has no room for one more of the largest size."""
    place = Path(settings.MEDIA_ROOT)
    while not place.exists():
        place = place.parent
    return shutil.disk_usage(place).free < largest()


def folder() -> Path:
    """Return the folder of the organisation entered."""
    return Path(settings.MEDIA_ROOT) / required().schema / "files"


def write(chunks: Iterable[bytes], *, name: str) -> Stored:
    """Write content and return what it turned out to be.

    Raises FileRefused for an empty or too large one; what was written of it is removed.
    """
    key = uuid4().hex
    path = f"{key[:2]}/{key}"
    target = folder() / path
    target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    digest, size, head = hashlib.sha256(), 0, b""
    try:
        with target.open("xb") as file:
            for chunk in chunks:
                size += len(chunk)
                if size > largest():
                    raise FileRefused(f"A file may have at most {largest() // 1024 // 1024} MB.")
                digest.update(chunk)
                head = head if len(head) >= HEAD else (head + chunk)[:HEAD]
                file.write(chunk)
        if not size:
            raise FileRefused("This file is empty.")
    except BaseException:
        target.unlink(missing_ok=True)
        raise
    return Stored(path, kind_of(head, name), size, digest.hexdigest())


def open_content(file: RecordFile) -> Iterator[bytes]:
    """Yield the content of a file. Raises FileNotFoundError when it is not there.

    The place is found now, so the chunks may be read after the organisation was left.
    """
    opened = location(file).open("rb")

    def chunks() -> Iterator[bytes]:
        with opened:
            while chunk := opened.read(1 << 16):
                yield chunk

    return chunks()


def location(file: RecordFile) -> Path:
    """Return where the content of a file lies. Raises ValueError for a path that is not the server's."""
    base = folder().resolve()
    found = (base / file.path).resolve()
    if base not in found.parents:
        raise ValueError(f"{file.pk} leads out of its folder")
    return found


def discard(path: str) -> None:
    """Remove content that no row names; it may be gone already."""
    with suppress(FileNotFoundError):
        (folder() / path).unlink()


def named() -> set[str]:
    """Return the content that rows of the organisation entered name, also of files that were taken off."""
    return set(RecordFile.objects.values_list("path", flat=True))


def sweep(place: Path, kept: Set[str], *, at: datetime) -> int:
    """Remove what has not been in `kept` for 30 days from an organisation's folder; return how much that was.

    Called outside of a transaction: listing a large folder takes a while. What is not named any more is
    marked when it is first found, by an empty file, and goes a month later.
    """
    marks = place / "unnamed"
    marks.mkdir(parents=True, exist_ok=True, mode=0o700)
    marked = {mark.name: mark.stat().st_mtime for mark in marks.iterdir()}
    gone = 0
    for found in place.glob("??/*"):
        mark, since = marks / found.name, marked.get(found.name)
        if str(found.relative_to(place)) in kept:
            if since is not None:
                mark.unlink(missing_ok=True)
        elif since is None:
            if at.timestamp() - found.stat().st_mtime > ORPHAN_AGE.total_seconds():
                mark.touch(mode=0o600)
                os.utime(mark, (at.timestamp(), at.timestamp()))
        elif at.timestamp() - since > UNNAMED_FOR.total_seconds():
            found.unlink(missing_ok=True)
            mark.unlink(missing_ok=True)
            gone += 1
    return gone
