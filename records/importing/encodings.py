"""From bytes to UTF-8: byte order marks, UTF-16 and, only when the person says so, Windows-1252."""

import codecs
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from records.importing.limits import Limits
from records.importing.refusals import Unreadable

OFFERED = ("cp1252",)
BLOCK = 1 << 20
_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)


def encoding_of(head: bytes, asked: str | None) -> tuple[str, int]:
    """Return (encoding, length of its mark). A mark in the file wins over what was asked for.

    Raises Unreadable for encodings that are not taken.
    """
    for mark, name in _MARKS:
        if head.startswith(mark):
            if name == "utf-32":
                raise Unreadable("encoding", "This file is UTF-32 text. Save it as UTF-8.")
            return name, len(mark)
    if asked is not None and asked not in OFFERED:
        raise ValueError(f"{asked!r} is not offered")
    return asked or "utf-8", 0


def not_text(name: str, line: int, at: int, byte: int) -> Unreadable:
    """Return the refusal for a byte that the encoding does not know. `at` counts from 1."""
    spoken = "UTF-8" if name.startswith("utf-8") else name.upper().replace("CP1252", "Windows-1252")
    advice = " Save the file as UTF-8, or say that it is Windows-1252." if spoken == "UTF-8" else ""
    return Unreadable(
        "encoding",
        f"Line {line:,} is not {spoken} text: byte {at:,} of the file is {byte:#04x}.{advice}",
        line,
    )


def nul(line: int) -> Unreadable:
    """Return the refusal for a NUL character, which no table holds and no text column keeps."""
    return Unreadable(
        "nul", f"Line {line:,} holds a NUL character. Export the table again as plain text.", line
    )


def transcode(source: Path, target: Path, name: str, mark: int, limits: Limits) -> None:
    """Write the text of `source` to `target` in UTF-8. Raises Unreadable."""
    decoder = codecs.getincrementaldecoder(name)()
    made, line, at = 0, 1, mark
    with source.open("rb") as handle, target.open("wb") as out:
        handle.seek(mark)
        for block, last in _blocks(handle):
            try:
                text = decoder.decode(block, final=last)
            except UnicodeDecodeError as error:
                # The decoder may hold back bytes of the block before, so positions count from its own input.
                given = error.object
                line += given[: error.start].decode(name, "replace").count("\n")
                place = at + len(block) - len(given) + error.start
                raise not_text(name, line, place + 1, given[error.start]) from None
            line += text.count("\n")
            at += len(block)
            data = text.encode()
            made += len(data)
            if made > limits.inflated_bytes:
                raise Unreadable(
                    "too-large", f"This file is larger than {limits.inflated_bytes // 1_000_000:,} MB."
                )
            out.write(data)


def _blocks(handle: BinaryIO) -> Iterator[tuple[bytes, bool]]:
    block = handle.read(BLOCK)
    while True:
        following = handle.read(BLOCK)
        yield block, not following
        if not following:
            return
        block = following
