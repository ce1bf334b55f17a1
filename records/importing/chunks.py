"""Cutting a CSV into pieces that each hold whole rows, in one pass that also checks every byte.

The pieces depend on the bytes only, so a job that was killed finds the same ones again. A piece without
quotation marks is read column-wise; one with them goes through the csv module, which alone decides
where such a row ends.
"""

import csv
import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from records.importing.encodings import not_text, nul
from records.importing.limits import Limits
from records.importing.refusals import Unreadable

CHUNK_BYTES = 960_000  # below the limit of a cell, so that only unusual pieces are looked at cell by cell
CHUNK_ROWS = 20_000  # bounds the objects a piece of very short rows becomes
END = "\x1fend of the table\x1f"

# Our own limits are checked on real bytes; the module's default would refuse legal cells.
csv.field_size_limit(1 << 27)


@dataclass(frozen=True, slots=True)
class Chunk:
    """Some whole rows of the file. `first_row` numbers rows as a spreadsheet does: the first line is 1."""

    offset: int
    size: int
    first_row: int
    rows: int  # with blank ones
    blank: int
    quoted: bool


def plain_lines(text: str) -> str:
    """Return the text with `\\n` as its only line end."""
    return text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text


class Cutter:
    """One pass over the data rows. Raises Unreadable for what no row-level report could carry."""

    def __init__(self, handle: BinaryIO, *, delimiter: str, row: int, line: int, limits: Limits) -> None:
        self.handle = handle
        self.delimiter = delimiter
        self.row = row  # number of the next row
        self.line = line  # line of the file it starts on
        self.limits = limits
        self.data_rows = 0

    def chunks(self) -> Iterator[Chunk]:
        """Yield the pieces until the end of the file."""
        while True:
            offset = self.handle.tell()
            block = self.block()
            if not block:
                return
            self.check(block, offset, self.line)
            chunk = self._quoted(block, offset) if b'"' in block else self._plain(block, offset)
            self.row += chunk.rows
            self.data_rows += chunk.rows - chunk.blank
            if self.data_rows > self.limits.rows:
                raise Unreadable("too-many-rows", f"This table has more than {self.limits.rows:,} rows.")
            self.handle.seek(chunk.offset + chunk.size)
            yield chunk

    def block(self) -> bytes:
        """Return bytes that end with a line, or with the file."""
        block = self.handle.read(CHUNK_BYTES)
        while True:
            end = block.rfind(b"\n") + 1
            if not end:
                # A carriage return in the last place may be half of a line end.
                end = block.rfind(b"\r", 0, len(block) - 1) + 1
            if end and len(block) >= CHUNK_BYTES:
                return _few_rows(block[:end])
            if len(block) > self.limits.record_bytes:
                raise self.too_large(self.line)
            more = self.handle.read(CHUNK_BYTES)
            if not more:
                return _few_rows(block)
            block += more

    def check(self, block: bytes, offset: int, line: int) -> None:
        """Raise Unreadable if the bytes are not text in UTF-8. They start on `line` of the file."""
        at = block.find(b"\0")
        if at >= 0:
            raise nul(line + plain_lines(block[:at].decode("utf-8", "replace")).count("\n"))
        try:
            block.decode()
        except UnicodeDecodeError as error:
            place = line + plain_lines(block[: error.start].decode("utf-8", "replace")).count("\n")
            raise not_text("utf-8", place, offset + error.start + 1, block[error.start]) from None

    def _plain(self, block: bytes, offset: int) -> Chunk:
        text = block.replace(b"\r\n", b"\n").replace(b"\r", b"\n") if b"\r" in block else block
        rows = text.count(b"\n") + (not text.endswith(b"\n"))
        blank = 0
        if b"\n\n" in text or text.startswith(b"\n"):
            blank = text.split(b"\n").count(b"") - text.endswith(b"\n")
        if len(text) > self.limits.cell_bytes:
            for at, line in enumerate(text.split(b"\n")):
                if len(line) > self.limits.cell_bytes:
                    self._check_cells(line.split(self.delimiter.encode()), self.line + at)
        self.line += rows
        return Chunk(offset, len(block), self.row, rows, blank, quoted=False)

    def _quoted(self, block: bytes, offset: int) -> Chunk:
        feed = Feed(self, block, offset)
        rows = blank = 0
        for cells in csv_rows(feed, self.delimiter):
            if feed.ended and cells == [END]:
                break
            feed.refuse_open_quote()
            rows += 1
            blank += not cells
            if feed.position - feed.record_start > self.limits.cell_bytes:
                self._check_cells([cell.encode() for cell in cells], feed.started)
            feed.next_record()
            if feed.position >= feed.stop:
                break
        self.line = feed.line
        return Chunk(offset, feed.position - offset, self.row, rows, blank, quoted=True)

    def _check_cells(self, cells: list[bytes], line: int) -> None:
        if max(map(len, cells)) > self.limits.cell_bytes:
            raise self.too_large(line)

    def too_large(self, line: int) -> Unreadable:
        """Return the refusal for a cell, or a row, that is beyond its limit."""
        return Unreadable(
            "cell-too-large",
            f"Line {line:,} holds a cell of more than {self.limits.cell_bytes:,} bytes. "
            "A quotation mark may be missing.",
            line,
        )


class Feed:
    """Hands lines to the csv module and knows how far it has read. It may run past `stop` inside quotes."""

    def __init__(self, cutter: Cutter, block: bytes, offset: int) -> None:
        self.cutter = cutter
        self.position = self.record_start = offset
        self.stop = offset + len(block)
        self.line = self.started = cutter.line
        self.ended = False
        self.waiting = _lines_backwards(block)

    def __iter__(self) -> "Feed":
        return self

    def __next__(self) -> str:
        if self.ended:
            raise StopIteration
        if not self.waiting:
            self._read_on()
        if not self.waiting:
            self.ended = True
            return END + "\n"
        piece = self.waiting.pop()
        self.position += len(piece.encode())
        if self.position - self.record_start > self.cutter.limits.record_bytes:
            raise self.cutter.too_large(self.started)
        self.line += 1
        return piece

    def _read_on(self) -> None:
        self.cutter.handle.seek(self.position)
        block = self.cutter.block()
        self.cutter.check(block, self.position, self.line)
        self.waiting = _lines_backwards(block)

    def next_record(self) -> None:
        """Note that a row ended here."""
        self.record_start = self.position
        self.started = self.line

    def refuse_open_quote(self) -> None:
        """Raise Unreadable if the row that was just read ended only because the file did."""
        if self.ended:
            raise Unreadable(
                "quote-open",
                f"The quotation mark opened on line {self.started:,} is never closed.",
                self.started,
            )


def _lines_backwards(block: bytes) -> list[str]:
    return list(io.StringIO(block.decode(), newline=""))[::-1]


def _few_rows(block: bytes) -> bytes:
    """Return the block, or its first CHUNK_ROWS lines."""
    if block.count(b"\n") <= CHUNK_ROWS:
        return block
    low, high = 0, len(block)
    while high - low > 1:
        middle = (low + high) // 2
        if block.count(b"\n", 0, middle) >= CHUNK_ROWS:
            high = middle
        else:
            low = middle
    return block[:high]


def csv_rows(lines: Iterable[str], delimiter: str) -> Iterator[list[str]]:
    """Yield the rows of an iterable of lines; a blank line is an empty list."""
    return csv.reader(lines, delimiter=delimiter)


def records(text: str, delimiter: str) -> Iterator[list[str]]:
    """Yield the rows of whole records; a blank line is an empty list."""
    return csv_rows(io.StringIO(text, newline=""), delimiter)


def read(path: Path, chunk: Chunk) -> str:
    """Return the text of a piece."""
    with path.open("rb") as handle:
        handle.seek(chunk.offset)
        return handle.read(chunk.size).decode()
