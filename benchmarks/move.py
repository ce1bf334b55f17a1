"""An organisation moves there and back between two servers while it is written to over HTTP.

`--records` says how many it has, `--moves` how often it moves; 50 times a second somebody adds, changes or
bins a record through the whole of the server, in processes of their own that know only where it lived when
they began. The rival is what an administrator does: pg_dump of the schema piped into psql, with the
organisation closed for as long as that takes.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from typing import Any

from benchmarks import installation

RATE = 50
WRITERS = 16  # a write waits for the others while a processor is short; four do not come to fifty
CHUNK = 20_000


def main() -> None:
    """Measure, and print the object."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--records", type=int, default=1_000_000)
    parser.add_argument("--moves", type=int, default=6)
    told = parser.parse_args()
    with installation.running(two_servers=True) as place:
        organisation, collection = _fill(told.records)
        subprocess.run(
            [sys.executable, "-c", _WORK], check=True, env={**os.environ, "ENCLAVE_LOGIN": "owner"}
        )
        rival = _dump_and_restore(place, str(organisation.schema_name))
        writers = [_writer(str(collection.pk)) for _ in range(WRITERS)]
        moves = [_move(number) for number in range(told.moves)]
        said = [json.loads(_ended(writer)) for writer in writers]
    pauses = [move["pause_ms"] for move in moves]
    seconds = [move["copy_seconds"] for move in moves]
    installation.report(
        "move",
        figures={
            "records": told.records,
            "moves": len(moves),
            "pause_ms": {"median": round(statistics.median(pauses), 1), "worst": max(pauses)},
            "compare_pause_ms": {"worst": max(move["compare_pause_ms"] for move in moves)},
            "rows_verified": sum(move["rows_compared"] + move["rows_verified"] for move in moves),
            "writes": sum(one["writes"] for one in said),
            "writes_a_second": {
                "asked": RATE,
                "reached": round(sum(one["writes"] / one["seconds"] for one in said), 1),
            },
            "requests_failed": sum(one["failed"] for one in said),
            "write_ms": {
                "median": round(statistics.median(one["median_ms"] for one in said), 1),
                "worst": max(one["slowest_ms"] for one in said),
            },
            "copy_seconds": round(statistics.median(seconds), 2),
            "move_seconds": round(statistics.median(move["seconds"] for move in moves), 2),
            "parts_ms": {name: moves[-1].get(name) for name in _PARTS},
        },
        baselines={"dump_and_restore_seconds": rival},
        ratios={
            "copy_vs_dump": round(statistics.median(seconds) / rival, 2),
            "pause_vs_dump": round(statistics.median(pauses) / (rival * 1000), 4),
        },
    )


_PARTS = ("arrived_ms", "verified_ms", "unfollowed_ms", "finished_ms", "pause_ms")
_WORK = """
import django; django.setup()
from jobs.testing import run_due
from tenants.models import Organisation
run_due(Organisation.objects.get(slug="bench"))
"""


def _fill(records: int) -> tuple[Any, Any]:
    """Make an organisation with one collection of so many records, captured by its trail like all others."""
    from django.utils import timezone

    from operations.actions.provisioning import Wish, provision
    from records.actions import collections, loading
    from records.values import FieldSpec, FieldType
    from tenants.context import Actor, enter

    organisation = provision(
        Wish("bench", "Bench", "bea@bench.example", "Bea", "a long enough password", shard="shard_1")
    )
    fields = [
        FieldSpec("wristband", "Wristband", FieldType.TEXT),
        FieldSpec("gate", "Gate", FieldType.TEXT),
        FieldSpec("steps", "Steps", FieldType.INTEGER),
        FieldSpec("note", "Note", FieldType.TEXT),
    ]
    with enter(organisation, actor=Actor.system("bench")):
        collection = collections.create(name="Readings", fields=fields, by=None, at=timezone.now())
    for first in range(0, records, CHUNK):
        rows = [
            b'{"gate":"gate %d","note":"seen near the stage, moving on","steps":%d,"wristband":"band %d"}'
            % (number % 17, number % 911, number)
            for number in range(first, min(first + CHUNK, records))
        ]
        with enter(organisation, actor=Actor.system("bench")):
            loading.copy_in(collection=collection, rows=rows, import_id=None, by=None, at=timezone.now())
    return organisation, collection


def _writer(collection: str) -> "subprocess.Popen[str]":
    process = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.move_writer", collection, str(RATE / WRITERS)],
        cwd=installation.ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    process.stdout.readline()  # it has begun
    return process


def _ended(process: "subprocess.Popen[str]") -> str:
    said, _ = process.communicate(timeout=120)
    return said.splitlines()[-1]


def _move(number: int) -> dict[str, Any]:
    from operations.models import Move

    began = time.perf_counter()
    to = "shard_1" if number % 2 else "shard_2"
    finished = subprocess.run(
        [sys.executable, str(installation.ROOT / "manage.py"), "move", "bench", "--to", to],
        cwd=installation.ROOT,
        env={**os.environ, "ENCLAVE_LOGIN": "owner"},
        capture_output=True,
        text=True,
        check=False,
    )
    if finished.returncode:
        raise SystemExit(finished.stdout + finished.stderr)
    figures = Move.objects.latest("asked_at").figures
    return {**figures, "seconds": time.perf_counter() - began}


def _dump_and_restore(place: installation.Installation, schema: str) -> float:
    """Return the seconds of pg_dump of the schema into psql on the other server, in a database of its own."""
    import psycopg

    from tenants.schema import find_tool

    assert place.second is not None
    with psycopg.connect(place.second.superuser_url("postgres"), autocommit=True) as connection:
        connection.execute("CREATE DATABASE rival")
    source = place.postgres.superuser_url("shard_1")
    target = place.second.superuser_url("rival")
    began = time.perf_counter()
    dump = subprocess.Popen(
        [str(find_tool("pg_dump")), f"--schema={schema}", "--no-owner", "--no-acl", f"--dbname={source}"],
        stdout=subprocess.PIPE,
    )
    subprocess.run(
        [str(find_tool("psql")), "--quiet", "--no-psqlrc", f"--dbname={target}"],
        stdin=dump.stdout,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        check=True,
    )
    dump.wait()
    seconds = round(time.perf_counter() - began, 2)
    with psycopg.connect(place.second.superuser_url("rival"), autocommit=True) as connection:
        row = connection.execute(f"SELECT count(*) FROM {schema}.records_record".encode()).fetchone()
    if row is None or not row[0]:
        raise SystemExit("The rival restored nothing.")
    with psycopg.connect(place.second.superuser_url("postgres"), autocommit=True) as connection:
        connection.execute("DROP DATABASE rival")
    return seconds


if __name__ == "__main__":
    main()
