"""XLSX from strangers: its parts are counted here, then read in a process that can only harm itself."""

import json
import re
import subprocess
import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from records.importing.archives import Meter, inflate
from records.importing.limits import MB, Limits
from records.importing.refusals import Unreadable

CHILD = Path(__file__).with_name("sheet_child.py")
BASE_MEMORY = 110 * MB  # the interpreter and the library, before a byte of the file
PER_INFLATED_BYTE = (
    6  # measured: a parsed cell takes one to three times the bytes of its XML, twice while growing
)
NOT_A_TABLE = "This file is not a table. Send CSV, a zip of one CSV, or XLSX."
OVERLAP = 256  # bytes: what is looked for may lie across two pieces
_FORMULA = re.compile(rb"<f[\s>/]")
_UNSOLVED = re.compile(rb"(?:</f>|<f[^<>]*/>)\s*(?:<v\s*/>|<v>\s*</v>)?\s*</c>")
DECLARATIONS = (b"<!doctype", b"<!entity")
REASONS = {
    "cell": ("cell-too-large", "A cell of this workbook holds too much text."),
    "output": ("too-large", "This workbook holds more text than we take. Send it as CSV, or in parts."),
    "password": ("xlsx-encrypted", "This workbook is protected by a password. Send it without one."),
    "memory": ("xlsx-memory", "This workbook needs too much memory. Send it as CSV, or in parts."),
    "damaged": (
        "xlsx-damaged",
        "This workbook cannot be read. Open it in a spreadsheet, save it again and send it.",
    ),
    "empty": ("empty", "This workbook has no visible sheet with anything in it."),
    "time": ("xlsx-time", "This workbook takes too long to read. Send it as CSV, or in parts."),
}


@dataclass(frozen=True, slots=True)
class Sheet:
    """What was taken from a workbook."""

    name: str
    others: int  # visible sheets after it, not read


def is_workbook(entries: list[zipfile.ZipInfo]) -> bool:
    """Return whether a zip is an XLSX. Raises Unreadable for other documents of the same family."""
    names = {entry.filename.lower() for entry in entries}
    if "xl/workbook.xml" in names:
        return True
    if "[content_types].xml" in names or "content.xml" in names:
        raise Unreadable("not-a-table", "This is a document of another kind. Save the table as XLSX or CSV.")
    return False


@dataclass(slots=True)
class Parts:
    """What the parts of a workbook came to: bytes, cells with a formula, and those without its result."""

    made: int = 0
    formulas: int = 0
    unsolved: int = 0

    def count(self, seen: bytes, new: int) -> None:
        """Count the formulas in some XML that end in its last `new` bytes."""
        if b"<f" in seen:
            old = len(seen) - new
            self.formulas += sum(1 for found in _FORMULA.finditer(seen) if found.end() > old)
            self.unsolved += sum(1 for found in _UNSOLVED.finditer(seen) if found.end() > old)

    def warnings(self) -> list[str]:
        """Return what the person should know."""
        told = []
        if solved := self.formulas - self.unsolved:
            cells = "1 cell is a formula" if solved == 1 else f"{solved:,} cells are formulas"
            told.append(f"{cells}. What was read is the result that the workbook was saved with.")
        if self.unsolved:
            cells = "1 formula has" if self.unsolved == 1 else f"{self.unsolved:,} formulas have"
            told.append(
                f"{cells} no result in this workbook and count as empty. "
                "Open it in a spreadsheet, save it and send it again to have them."
            )
        return told


def check_parts(handle: BinaryIO, entries: list[zipfile.ZipInfo], limits: Limits) -> Parts:
    """Unpack every part without keeping it and return what they came to.

    Raises Unreadable for bombs and for parts that declare a document type: no spreadsheet writes one,
    and entities that grow (the "billion laughs") begin there.
    """
    meter, parts = Meter(limits), Parts()
    for entry in entries:
        xml = entry.filename.lower().endswith((".xml", ".rels", ".vml"))
        is_sheet = entry.filename.lower().startswith("xl/worksheets/sheet")
        tail, first = b"", True
        for piece in inflate(handle, entry, meter):
            if not xml:
                continue
            if first and piece[:2] in (b"\xff\xfe", b"\xfe\xff", b"<\x00", b"\x00<"):
                raise Unreadable("xlsx-damaged", REASONS["damaged"][1])  # UTF-16 would hide what we look for
            first = first and not piece
            whole = tail + piece
            seen = whole.lower() if b"<!" in whole else b""
            if any(mark in seen for mark in DECLARATIONS):
                raise Unreadable(
                    "xlsx-dtd", "This workbook declares a document type, as no spreadsheet does."
                )
            if is_sheet:
                parts.count(whole, len(piece))
            tail = whole[-OVERLAP:]
    parts.made = meter.made
    return parts


def to_csv(source: Path, target: Path, inflated: int, limits: Limits) -> Sheet:
    """Write the first visible sheet with content to `target` as CSV in UTF-8. Raises Unreadable."""
    memory = min(limits.workbook_memory, BASE_MEMORY + PER_INFLATED_BYTE * inflated)
    numbers = (memory, limits.workbook_seconds, limits.inflated_bytes, limits.cell_bytes, limits.columns)
    try:
        done = subprocess.run(  # noqa: S603  # our own script, no shell, paths made by us
            [sys.executable, "-I", str(CHILD), str(source), str(target), *map(str, numbers)],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=limits.workbook_seconds,
            check=False,
            env={},
        )
    except subprocess.TimeoutExpired:
        raise Unreadable(*REASONS["time"]) from None
    try:
        answer = json.loads(done.stdout)
    except ValueError:
        # Killed by its own limits: the allocator aborts, or the kernel ends it for its time.
        raise Unreadable(*REASONS["time" if done.returncode in (-24, -9) else "memory"]) from None
    if "error" not in answer:
        return Sheet(name=str(answer["sheet"]), others=int(answer["others"]))
    reason, _, number = str(answer["error"]).partition(" ")
    if reason == "columns":
        raise too_many_columns(int(number), limits)
    raise Unreadable(*REASONS[reason])


def too_many_columns(found: int, limits: Limits) -> Unreadable:
    """Return the refusal for a table that is too wide."""
    return Unreadable(
        "too-many-columns", f"This table has {found:,} columns; at most {limits.columns:,} are taken."
    )
