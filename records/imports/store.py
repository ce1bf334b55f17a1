"""Where the content of imports lies: uploads, the rows that a check converted, and lists of refused rows.

Everything is in the organisation's own folder under names made by the server. What a check writes is
one file for each piece of the table, put in place whole: a job that is killed and begun again writes
the same files, and one that was frozen harms nothing when it wakes up.
"""

import os
import shutil
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from io import BytesIO, StringIO
from pathlib import Path
from uuid import UUID, uuid4

import polars as pl
from django.conf import settings
from django.core.files.uploadedfile import TemporaryUploadedFile, UploadedFile

from records.importing import Refused, ResultWriter, content_digest
from records.imports.refusals import UploadRefused
from records.models import Import
from tenants.context import required

# Content without a row is a crash's; younger content may belong to a request under way.
ORPHAN_AGE = timedelta(hours=6)


@dataclass(frozen=True, slots=True)
class Kept:
    """An upload that has its place."""

    path: str
    size: int
    digest: str


def uploads() -> Path:
    """Return the folder of uploads of the organisation entered."""
    return _made(Path(settings.MEDIA_ROOT) / required().schema / "uploads")


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    return folder


def keep(upload: "UploadedFile[bytes]") -> Kept:
    """Move an upload to its place and return it. Raises UploadRefused.

    Large uploads lie in a file already, which is moved; the size is that of what really came.
    """
    if not upload.size:
        raise UploadRefused("This file is empty.")
    if upload.size > settings.UPLOAD_LIMIT:
        raise UploadRefused(f"A file may have at most {settings.UPLOAD_LIMIT // 1024 // 1024:,} MB.")
    name = uuid4().hex
    target = uploads() / name
    try:
        if isinstance(upload, TemporaryUploadedFile):
            shutil.move(upload.temporary_file_path(), target)
            upload.close()  # or it would look for its file when nobody can hear what is missing
        else:
            with target.open("xb") as out:
                out.writelines(upload.chunks())
    except BaseException:
        # On a full disk half a file would take what little is left.
        target.unlink(missing_ok=True)
        raise
    target.chmod(0o600)
    return Kept(name, target.stat().st_size, content_digest(target))


def location(row: Import) -> Path:
    """Return where the content of an import lies. Raises FileNotFoundError if it was dropped."""
    found = uploads() / Path(row.path).name
    if not row.path or not found.exists():
        raise FileNotFoundError(row.path)
    return found


def drop_upload(row: Import) -> None:
    """Remove the content of an import; it may be gone already."""
    if row.path:
        (uploads() / Path(row.path).name).unlink(missing_ok=True)


def sweep(*, at: datetime) -> int:
    """Remove uploads that no import of the organisation entered names; return how many that were."""
    folder = Path(settings.MEDIA_ROOT) / required().schema / "uploads"
    if not folder.exists():
        return 0
    known = set(Import.objects.exclude(path="").values_list("path", flat=True))
    gone = 0
    for found in folder.iterdir():
        age = at.timestamp() - found.stat().st_mtime
        if found.name not in known and age > ORPHAN_AGE.total_seconds():
            found.unlink(missing_ok=True)
            gone += 1
    return gone


class Spool:
    """What one check wrote: rows that can be loaded, and rows that are refused, piece by piece."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @classmethod
    def of(cls, import_id: UUID, stamp: str) -> "Spool":
        """Return the spool of a check of the organisation entered, by what it was made with."""
        root = Path(settings.MEDIA_ROOT) / required().schema / "imports" / str(import_id)
        return cls(root / stamp[:32])

    def prepare(self) -> None:
        """Make the folder and remove those of other checks of the same import."""
        _made(self.folder)
        for other in self.folder.parent.iterdir():
            if other != self.folder:
                shutil.rmtree(other, ignore_errors=True)

    def put_rows(self, piece: int, frame: pl.DataFrame) -> None:
        """Keep the rows of a piece: their numbers and documents."""
        out = BytesIO()
        frame.write_ipc(out, compression="lz4")
        self._put(f"{piece:06}.rows", out.getvalue())

    def rows(self, piece: int) -> pl.DataFrame:
        """Return the rows of a piece. Raises FileNotFoundError."""
        return pl.read_ipc(BytesIO((self.folder / f"{piece:06}.rows").read_bytes()))

    def put_refused(self, piece: int, refused: Iterable[Refused], *, late: int | None = None) -> int:
        """Keep the refused rows of a piece and return how many.

        `late` says where in the piece, if they are refused while loading.
        """
        out = StringIO(newline="")
        writer = ResultWriter(out, titles=False)
        writer.write(refused)
        if writer.rows:
            name = f"{piece:06}.refused" if late is None else f"{piece:06}-{late:06}.late"
            self._put(name, out.getvalue().encode())
        return writer.rows

    def result(self) -> Iterator[bytes]:
        """Yield the list of all refused rows as a CSV with a mark for spreadsheets."""
        out = StringIO(newline="")
        ResultWriter(out)
        found = sorted([*self.folder.glob("*.refused"), *self.folder.glob("*.late")])
        titles = b"\xef\xbb\xbf" + out.getvalue().encode()

        def parts() -> Iterator[bytes]:
            yield titles
            for path in found:
                yield path.read_bytes()

        return parts()

    def put_links(self, piece: int, ids: Iterable[str]) -> None:
        """Keep the ids that a piece is the first to link to."""
        found = sorted(ids)
        if found:
            self._put(f"{piece:06}.links", "\n".join(found).encode())

    def links(self) -> list[str]:
        """Return the ids that rows of this check link to."""
        return sorted({one for path in self.folder.glob("*.links") for one in path.read_text().split()})

    def drop_rows(self) -> None:
        """Remove the converted rows; the refused ones stay for who asks."""
        for path in [*self.folder.glob("*.rows"), *self.folder.glob("*.links")]:
            path.unlink(missing_ok=True)

    def drop(self) -> None:
        """Remove everything that checks of this import wrote."""
        shutil.rmtree(self.folder.parent, ignore_errors=True)

    def _put(self, name: str, content: bytes) -> None:
        temporary = self.folder / f".{uuid4().hex}"
        temporary.write_bytes(content)
        os.replace(temporary, self.folder / name)
