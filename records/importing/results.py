"""What a person gets back: the fingerprint of a file, and the list of refused rows as CSV."""

import csv
import hashlib
import re
from collections.abc import Iterable
from itertools import groupby
from pathlib import Path
from typing import TextIO

from records.importing.convert import Refused

DANGEROUS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
_BEHIND_A_CUT = re.compile(r"""([;\t\r\n][\s"']*)(?=[=+\-@＝＋－＠])""")
TITLES = ("Row", "Columns", "Values", "Reasons")


def content_digest(path: Path) -> str:
    """Return the SHA-256 of a file in hexadecimal: the same file sent twice has the same one."""
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def neutral(cell: str) -> str:
    """Return a cell that no spreadsheet takes for a formula.

    Where people write commas in numbers, spreadsheets cut at semicolons and lines instead: what stands behind
    one would then begin a cell.
    """
    cell = _BEHIND_A_CUT.sub(r"\1'", cell.replace("\0", ""))
    return f"'{cell}" if cell.startswith(DANGEROUS) else cell


class ResultWriter:
    """Writes one line for each refused row: its number, the columns, what they held, and why not.

    `out` is a text file opened with `newline=""`. Give `titles=False` to go on with a file begun earlier.
    """

    def __init__(self, out: TextIO, *, titles: bool = True) -> None:
        self._writer = csv.writer(out)
        self.rows = 0
        if titles:
            self._writer.writerow(TITLES)

    def write(self, refused: Iterable[Refused]) -> None:
        """Write the refusals of one piece, which come in the order of their rows."""
        for row, group in groupby(refused, key=lambda refusal: refusal.row):
            reasons = list(group)
            named = [refusal for refusal in reasons if refusal.column]
            told = [f"{one.column}: {one.reason}" if one.column else one.reason for one in reasons]
            columns = "; ".join(refusal.column for refusal in named)
            values = "; ".join(refusal.value_excerpt for refusal in named)
            self._writer.writerow([row, neutral(columns), neutral(values), neutral(" ".join(told))])
            self.rows += 1
