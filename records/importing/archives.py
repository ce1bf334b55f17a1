"""Zip files from strangers: names are never used, declared sizes never believed.

The standard library reads the directory; the bytes are inflated here, because its reader stops quietly at the
declared size.
"""

import struct
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from records.importing.limits import Limits
from records.importing.refusals import Unreadable

LOCAL = struct.Struct("<4s5H3L2H")
END = struct.Struct("<4s4H2LH")
END_MARK, LOCAL_MARK = b"PK\x05\x06", b"PK\x03\x04"
DIRECTORY_BYTES = 512_000  # bounds what the standard library parses before we can count entries
BLOCK = 256 * 1024
ENCRYPTED, PATCHED = 0x1, 0x20

DAMAGED = "This zip file is damaged or not built as usual. Make it again and send it."


def damaged() -> Unreadable:
    """Return the refusal for a zip file that contradicts itself."""
    return Unreadable("zip-damaged", DAMAGED)


def entries_of(handle: BinaryIO, most: int) -> list[zipfile.ZipInfo]:
    """Return the entries of a zip file in the order of their data.

    Raises Unreadable if there are more than `most`, if any is encrypted or packed in an unknown way,
    or if two share bytes.
    """
    _check_end(handle, most)
    try:
        with zipfile.ZipFile(handle) as archive:
            entries = sorted(archive.infolist(), key=lambda entry: entry.header_offset)
            start_of_directory = archive.start_dir
    except (zipfile.BadZipFile, NotImplementedError, ValueError, OSError, struct.error, UnicodeError):
        raise damaged() from None
    if len(entries) > most:
        raise Unreadable("zip-entries", f"This zip file holds more than {most:,} files. Send one table.")
    for entry in entries:
        if entry.flag_bits & ENCRYPTED:
            raise Unreadable("zip-encrypted", "This file is protected by a password. Send it without one.")
        if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED) or entry.flag_bits & PATCHED:
            raise Unreadable(
                "zip-method", "This zip file is packed in an unusual way. Pack it as a plain zip."
            )
    ends = [data_offset(handle, entry) + entry.compress_size for entry in entries]
    starts = [entry.header_offset for entry in entries[1:]] + [start_of_directory]
    if any(end > start for end, start in zip(ends, starts, strict=False)):
        raise Unreadable(
            "zip-overlap", "The files in this zip share bytes, as no ordinary zip does. " + DAMAGED
        )
    return entries


def _check_end(handle: BinaryIO, most: int) -> None:
    handle.seek(0, 2)
    size = handle.tell()
    handle.seek(max(0, size - 65_557))
    tail = handle.read()
    at = tail.rfind(END_MARK)
    if at < 0 or len(tail) - at < END.size:
        raise damaged()
    count, directory = END.unpack_from(tail, at)[4:6]
    if directory > DIRECTORY_BYTES or count > most:
        raise Unreadable("zip-entries", f"This zip file holds more than {most:,} files. Send one table.")


def data_offset(handle: BinaryIO, entry: zipfile.ZipInfo) -> int:
    """Return where the packed bytes of an entry start. Raises Unreadable if its local header is not there."""
    if entry.header_offset < 0:
        raise damaged()
    handle.seek(entry.header_offset)
    head = handle.read(LOCAL.size)
    if len(head) < LOCAL.size or head[:4] != LOCAL_MARK:
        raise damaged()
    fields = LOCAL.unpack(head)
    return entry.header_offset + LOCAL.size + int(fields[9]) + int(fields[10])


@dataclass(slots=True)
class Meter:
    """Counts what an archive has unpacked to so far, over all of its entries."""

    limits: Limits
    made: int = 0
    packed: int = 0

    def add(self, count: int) -> None:
        """Count bytes that came out. Raises Unreadable when there are too many."""
        self.made += count
        if self.made > self.limits.inflated_bytes:
            megabytes = self.limits.inflated_bytes // 1_000_000
            raise Unreadable("too-large", f"Unpacked, this file is larger than {megabytes:,} MB.")
        if self.made > max(self.limits.ratio_floor, self.limits.ratio * self.packed):
            raise Unreadable(
                "zip-ratio",
                "This file unpacks to far more than a table of its size would. Send the table unpacked.",
            )


def inflate(handle: BinaryIO, entry: zipfile.ZipInfo, meter: Meter) -> Iterator[bytes]:
    """Yield the real bytes of an entry.

    Raises Unreadable when the meter says so, or when they are not what the directory declares.
    """
    handle.seek(data_offset(handle, entry))
    made = check = 0
    meter.packed += entry.compress_size
    engine = zlib.decompressobj(-15) if entry.compress_type == zipfile.ZIP_DEFLATED else None
    for piece in _pieces(handle, entry.compress_size, engine):
        made += len(piece)
        check = zlib.crc32(piece, check)
        if made > entry.file_size:
            raise Unreadable("zip-size", "A file in this zip is larger than the zip declares. " + DAMAGED)
        meter.add(len(piece))
        yield piece
    if made != entry.file_size or check != entry.CRC:
        raise damaged()


def _pieces(handle: BinaryIO, left: int, engine: "zlib._Decompress | None") -> Iterator[bytes]:
    try:
        while left:
            packed = handle.read(min(BLOCK, left))
            if not packed:
                raise damaged()
            left -= len(packed)
            if engine is None:
                yield packed
                continue
            while packed and not engine.eof:
                yield engine.decompress(packed, BLOCK)
                packed = engine.unconsumed_tail
        if engine is not None:
            yield engine.flush()
            if not engine.eof or engine.unused_data:
                raise damaged()
    except zlib.error:
        raise damaged() from None


def extract(handle: BinaryIO, entry: zipfile.ZipInfo, target: Path, limits: Limits) -> None:
    """Write the real bytes of an entry to `target`, a name that we made. Raises Unreadable."""
    with target.open("wb") as out:
        for piece in inflate(handle, entry, Meter(limits)):
            out.write(piece)


def opening(handle: BinaryIO, entry: zipfile.ZipInfo, limits: Limits) -> bytes:
    """Return the first bytes of an entry, to see what it is. Raises Unreadable."""
    return next((piece[:512] for piece in inflate(handle, entry, Meter(limits)) if piece), b"")
