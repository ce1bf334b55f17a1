"""How much an untrusted file may ask of us. Everything is counted on real bytes, never on declared sizes."""

from dataclasses import dataclass

MB = 1_000_000


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of one import. Bytes, rows, columns, seconds.

    `ratio` is how many times its packed size a file may unpack to, once `ratio_floor` bytes are out:
    small files of zeros harm nobody.
    """

    file_bytes: int = 500 * MB
    inflated_bytes: int = 1_500 * MB
    ratio: int = 200
    ratio_floor: int = 10 * MB
    entries: int = 20  # of a zip that carries a table
    workbook_entries: int = 2_000  # of the zip that an XLSX is
    rows: int = 5_000_000
    columns: int = 500
    cell_bytes: int = MB
    workbook_memory: int = 1_500 * MB  # address space of the process that opens a workbook
    workbook_seconds: int = 120

    @property
    def record_bytes(self) -> int:
        """Return how long one row may be."""
        return 4 * self.cell_bytes
