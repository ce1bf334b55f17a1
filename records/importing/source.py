"""Opening a file from a stranger: what it is by its content, and whether all of it can be read."""

import os
import re
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

from records.importing import archives, workbook
from records.importing.chunks import Chunk, Cutter, Feed, csv_rows
from records.importing.encodings import encoding_of, transcode
from records.importing.frames import Table, table_of
from records.importing.headers import delimiter_of, names_of
from records.importing.limits import Limits
from records.importing.refusals import Unreadable

ZIP = b"PK\x03\x04"
EMPTY_ZIP = b"PK\x05\x06"
APPLE_DOUBLE = b"\x00\x05\x16\x07"  # the shadow files that a Mac puts into a zip
_STRANGERS = (
    (b"\xd0\xcf\x11\xe0", "This is an old or a protected workbook. Save it as XLSX without a password."),
    (b"\x1f\x8b", "This file is packed with gzip. Send it as a zip, or unpacked."),
    (b"7z\xbc\xaf", "This file is packed with 7-Zip. Send it as a zip, or unpacked."),
    (b"Rar!", "This file is packed with RAR. Send it as a zip, or unpacked."),
    (b"%PDF", "This is a PDF, not a table. Send CSV or XLSX."),
    (b"\x89PNG", "This is a picture, not a table. Send CSV or XLSX."),
    (b"\xff\xd8\xff", "This is a picture, not a table. Send CSV or XLSX."),
    (b"PAR1", "This is a Parquet file. Send CSV or XLSX."),
)
_MARKUP = re.compile(rb"\s*(<(!doctype|html|\?xml)|[\[{]\s*[\"{\[\]}])", re.IGNORECASE)
_SEPARATOR_LINE = re.compile(rb"sep=([,;\t|])\r?\n", re.IGNORECASE)


@dataclass
class Source:
    """A table that was read once from end to end, so that nothing about it comes as a surprise later.

    Row numbers are those of a spreadsheet: the first line is row 1. Close it to remove its temporary files;
    the file that was given stays.
    """

    path: Path  # CSV in UTF-8
    filename: str
    kind: str  # "csv" or "xlsx"
    packed: bool
    encoding: str
    delimiter: str
    headers: tuple[str, ...]
    header_row: int
    rows: int  # data rows, without blank ones
    chunks: tuple[Chunk, ...]
    warnings: tuple[str, ...] = ()
    temporary: tuple[Path, ...] = field(default=(), repr=False)

    def tables(self, start_row: int = 0) -> Iterator[Table]:
        """Yield the rows from `start_row` on, in the same pieces every time."""
        for chunk in self.chunks:
            if chunk.first_row + chunk.rows > start_row:
                yield table_of(self.path, chunk, len(self.headers), self.delimiter).starting_at(start_row)

    def sample(self, count: int) -> list[tuple[str, ...]]:
        """Return the cells of the first rows that have as many as there are columns, for a preview."""
        found: list[tuple[str, ...]] = []
        for table in self.tables():
            found.extend(table.cells.head(count - len(found)).iter_rows())
            if len(found) >= count:
                break
        return found

    def close(self) -> None:
        """Remove the temporary files."""
        for path in self.temporary:
            path.unlink(missing_ok=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def open_source(
    path: Path,
    filename: str,
    limits: Limits | None = None,
    *,
    folder: Path | None = None,
    encoding: str | None = None,
) -> Source:
    """Read a file from end to end and return it as a table of texts.

    `filename` is what the person calls it; it is used for words, never for a path. `folder` takes temporary
    files under names of ours (default: the system's). `encoding="cp1252"` is the person's own word for text
    that is not UTF-8. Raises Unreadable; then no temporary file is left.
    """
    opening = _Opening(path, filename, limits or Limits(), folder)
    try:
        return opening.run(encoding)
    except BaseException:
        for temporary in opening.temporary:
            temporary.unlink(missing_ok=True)
        raise


class _Opening:
    def __init__(self, path: Path, filename: str, limits: Limits, folder: Path | None) -> None:
        self.path, self.filename, self.limits, self.folder = path, filename, limits, folder
        self.temporary: list[Path] = []
        self.warnings: list[str] = []
        self.kind, self.packed = "csv", False

    def run(self, encoding: str | None) -> Source:
        if self.path.stat().st_size > self.limits.file_bytes:
            raise Unreadable(
                "too-large", f"This file is larger than {self.limits.file_bytes // 1_000_000:,} MB."
            )
        head = _head(self.path)
        if head.startswith(ZIP):
            head = self._unpack()
        elif head.startswith(EMPTY_ZIP):
            raise Unreadable("zip-empty", "This zip file is empty.")
        _refuse_strangers(head)
        name, mark = encoding_of(head, None if self.kind == "xlsx" else encoding)
        if not name.startswith("utf-8"):
            target = self._name()
            transcode(self.path, target, name, mark, self.limits)
            self.path, mark = target, 0
        return self._read(name, mark)

    def _name(self) -> Path:
        handle, name = tempfile.mkstemp(prefix="import-", dir=self.folder)
        os.close(handle)
        self.temporary.append(Path(name))
        return self.temporary[-1]

    def _unpack(self) -> bytes:
        with self.path.open("rb") as handle:
            entries = archives.entries_of(handle, self.limits.workbook_entries)
            if workbook.is_workbook(entries):
                return self._sheet(workbook.check_parts(handle, entries, self.limits))
            if self.packed:
                raise Unreadable("zip-nested", "This zip file holds another zip. Send the table itself.")
            if len(entries) > self.limits.entries:
                raise Unreadable("zip-entries", "This zip file holds more than one file. Send one table.")
            usable = []
            for entry in entries:
                first = archives.opening(handle, entry, self.limits)
                if first and not first.startswith(APPLE_DOUBLE):
                    usable.append(entry)
            if not usable:
                raise Unreadable("zip-empty", "This zip file holds no file with anything in it.")
            if len(usable) > 1:
                raise Unreadable("zip-several", f"This zip file holds {len(usable)} files. Send one table.")
            target = self._name()
            archives.extract(handle, usable[0], target, self.limits)
        self.path, self.packed = target, True
        head = _head(target)
        return self._unpack() if head.startswith(ZIP) else head

    def _sheet(self, parts: workbook.Parts) -> bytes:
        target = self._name()
        sheet = workbook.to_csv(self.path, target, parts.made, self.limits)
        self.warnings += parts.warnings()
        self.path, self.kind = target, "xlsx"
        if sheet.others:
            more = "1 more was" if sheet.others == 1 else f"{sheet.others} more were"
            self.warnings.append(f"Only the sheet “{sheet.name}” was read; {more} left out.")
        return _head(target)

    def _read(self, encoding: str, mark: int) -> Source:
        with self.path.open("rb") as handle:
            said = _SEPARATOR_LINE.match(_head(self.path)[mark:])
            handle.seek(mark + (said.end() if said else 0))
            offset = handle.tell()
            first = 2 if said else 1
            cutter = Cutter(handle, delimiter=",", row=first, line=first, limits=self.limits)
            block = cutter.block()
            cutter.check(block, offset, cutter.line)
            if not block.strip():
                raise Unreadable("empty", "This file is empty.")
            cutter.delimiter = (
                said[1].decode() if said else delimiter_of(block[:65_536].decode("utf-8", "ignore"))
            )
            headers = self._headers(cutter, block, offset)
            header_row = cutter.row - 1
            chunks = tuple(cutter.chunks())
        if not cutter.data_rows:
            raise Unreadable("no-rows", "This file names its columns but has no rows.")
        return Source(
            path=self.path,
            filename=self.filename,
            kind=self.kind,
            packed=self.packed,
            encoding=encoding,
            delimiter=cutter.delimiter,
            headers=headers,
            header_row=header_row,
            rows=cutter.data_rows,
            chunks=chunks,
            warnings=tuple(self.warnings),
            temporary=tuple(self.temporary),
        )

    def _headers(self, cutter: Cutter, block: bytes, offset: int) -> tuple[str, ...]:
        """Read the first row that is not blank and leave the cutter behind it."""
        feed = Feed(cutter, block, offset)
        for cells in csv_rows(feed, cutter.delimiter):
            feed.refuse_open_quote()
            row, line = cutter.row, feed.started
            feed.next_record()
            cutter.row, cutter.line = row + 1, feed.line
            if cells:
                cutter.handle.seek(feed.position)
                return names_of(cells, line, self.limits)
        raise Unreadable("empty", "This file is empty.")


def _head(path: Path) -> bytes:
    with path.open("rb") as handle:
        return handle.read(1024)


def _refuse_strangers(head: bytes) -> None:
    for mark, message in _STRANGERS:
        if head.startswith(mark):
            raise Unreadable("not-a-table", message)
    if _MARKUP.match(head):
        raise Unreadable("not-a-table", "This is a web page or JSON, not a table. Send CSV or XLSX.")
