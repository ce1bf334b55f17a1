"""A piece of the file as columns of texts, with the rows that do not fit its width set apart."""

from dataclasses import dataclass, replace
from pathlib import Path

import polars as pl

from records.importing.chunks import Chunk, plain_lines, read, records


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of one piece: `cells` has one column of texts per header, named "0", "1" and so on.

    `numbers` are their row numbers; `ragged` are the rows with another number of cells: (row, cells found).
    """

    first_row: int
    next_row: int
    numbers: pl.Series
    cells: pl.DataFrame
    ragged: tuple[tuple[int, int], ...]

    def starting_at(self, row: int) -> "Table":
        """Return the same piece without the rows before `row`."""
        if row <= self.first_row:
            return self
        kept = self.numbers >= row
        ragged = tuple(found for found in self.ragged if found[0] >= row)
        return replace(
            self,
            first_row=row,
            numbers=self.numbers.filter(kept),
            cells=self.cells.filter(kept),
            ragged=ragged,
        )


def table_of(path: Path, chunk: Chunk, width: int, delimiter: str) -> Table:
    """Read one piece of the file."""
    text = read(path, chunk)
    if chunk.quoted:
        return _from_records(text, chunk, width, delimiter)
    lines = plain_lines(text).split("\n")
    if not lines[-1]:
        lines.pop()
    return _from_lines(lines, chunk, width, delimiter)


def _from_lines(lines: list[str], chunk: Chunk, width: int, delimiter: str) -> Table:
    column = pl.Series(lines, dtype=pl.String)
    cells = column.str.split_exact(delimiter, width).struct.unnest()
    cells.columns = [str(at) for at in range(width + 1)]
    fits = cells[str(width - 1)].is_not_null() & cells[str(width)].is_null()
    if chunk.blank:
        fits &= column.str.len_bytes() > 0
    cells = cells.drop(str(width))
    numbers = pl.int_range(chunk.first_row, chunk.first_row + len(lines), dtype=pl.Int64, eager=True)
    ragged: tuple[tuple[int, int], ...] = ()
    if not fits.all():
        ragged = tuple(
            (chunk.first_row + at, lines[at].count(delimiter) + 1)
            for at in (~fits).arg_true().to_list()
            if lines[at]
        )
        cells, numbers = cells.filter(fits), numbers.filter(fits)
    return Table(chunk.first_row, chunk.first_row + chunk.rows, numbers, cells, ragged)


def _from_records(text: str, chunk: Chunk, width: int, delimiter: str) -> Table:
    fitting: list[list[str]] = []
    numbers: list[int] = []
    ragged: list[tuple[int, int]] = []
    for row, found in enumerate(records(text, delimiter), chunk.first_row):
        if len(found) == width:
            fitting.append(found)
            numbers.append(row)
        elif found:
            ragged.append((row, len(found)))
    columns = list(zip(*fitting, strict=True)) or [()] * width
    cells = pl.DataFrame({str(at): pl.Series(column, dtype=pl.String) for at, column in enumerate(columns)})
    return Table(
        chunk.first_row,
        chunk.first_row + chunk.rows,
        pl.Series(numbers, dtype=pl.Int64),
        cells,
        tuple(ragged),
    )
