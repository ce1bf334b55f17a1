"""Runs alone in a process of its own: one XLSX in, one CSV in UTF-8 out, within limits set on itself.

Usage: sheet_child.py SOURCE TARGET MEMORY_BYTES SECONDS OUTPUT_BYTES CELL_BYTES COLUMNS
Prints one JSON object: {"sheet", "others"} or {"error"}. Imports nothing of ours, so that it starts fast.
"""

import csv
import json
import resource
import sys
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta

Cell = int | float | str | bool | time | date | datetime | timedelta


class TooMuchError(Exception):
    """One of the limits was reached; the argument is its name."""


def written(cell: Cell, cell_bytes: int) -> str:
    """Return a cell as our own reader likes it. Whole floats become whole numbers."""
    if isinstance(cell, str):
        if len(cell) > cell_bytes or (len(cell) * 4 > cell_bytes and len(cell.encode()) > cell_bytes):
            raise TooMuchError("cell")
        return cell
    if isinstance(cell, bool):
        return "TRUE" if cell else "FALSE"
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() and abs(cell) < 1e15 else repr(cell)
    if isinstance(cell, datetime):
        # A spreadsheet keeps days as floats: what is left below a millisecond is noise.
        cell = cell + timedelta(microseconds=500)
        cell = cell.replace(microsecond=cell.microsecond // 1000 * 1000)
        return cell.date().isoformat() if cell.time() == time() else cell.isoformat()
    if isinstance(cell, date | time):
        return cell.isoformat()
    if isinstance(cell, timedelta):
        return str(cell)
    return str(cell)


def lines(
    book: object, output_bytes: int, cell_bytes: int, columns: int, about: dict[str, object]
) -> Iterator[list[str]]:
    """Yield the rows of the first visible sheet that has any, at their places in the sheet."""
    from python_calamine import CalamineWorkbook, SheetTypeEnum, SheetVisibleEnum

    assert isinstance(book, CalamineWorkbook)
    names = [
        sheet.name
        for sheet in book.sheets_metadata
        if sheet.typ == SheetTypeEnum.WorkSheet and sheet.visible == SheetVisibleEnum.Visible
    ]
    spent = 0
    for at, name in enumerate(names):
        sheet = book.get_sheet_by_name(name)
        if sheet.start is None or sheet.height == 0:
            continue
        if sheet.width > columns:
            raise TooMuchError(f"columns {sheet.width}")
        about.update(sheet=name, others=len(names) - at - 1)
        for row in sheet.iter_rows():
            cells = [written(cell, cell_bytes) for cell in row]
            spent += sum(map(len, cells)) + len(cells)
            if spent > output_bytes:
                raise TooMuchError("output")
            yield cells if any(cells) else []
        return


def main(source: str, target: str, *numbers: str) -> dict[str, object]:
    """Convert, within limits. Returns what to print."""
    memory, seconds, output_bytes, cell_bytes, columns = map(int, numbers)
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 1))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    # After the limits: the library is the part that reads what a stranger made.
    from python_calamine import CalamineError, CalamineWorkbook, PasswordError, XmlError, ZipError

    about: dict[str, object] = {}
    try:
        with open(source, "rb") as handle, open(target, "w", encoding="utf-8", newline="") as out:
            book = CalamineWorkbook.from_filelike(handle)
            writer = csv.writer(out, lineterminator="\n")
            writer.writerows(lines(book, output_bytes, cell_bytes, columns, about))
    except TooMuchError as reason:
        return {"error": str(reason)}
    except PasswordError:
        return {"error": "password"}
    except MemoryError:
        return {"error": "memory"}
    except (CalamineError, XmlError, ZipError, UnicodeError, OverflowError, OSError):
        return {"error": "damaged"}
    return about or {"error": "empty"}


if __name__ == "__main__":
    sys.stdout.write(json.dumps(main(*sys.argv[1:])))
