"""Makes and migrates clients with stock django-tenants; prints milliseconds as JSON."""

import json
import os
import re
import subprocess
import sys
import time

import django

FIRST = "stock_0"


def main() -> None:
    """Do what the first word says."""
    django.setup()
    if sys.argv[1] == "make":
        _make(int(sys.argv[2]))
        print(json.dumps({"ms": 0}))
    else:
        print(json.dumps({"ms": _migrate()}))


def _make(count: int) -> None:
    from django.core.management import call_command
    from django.db import connection

    from benchmarks.stock_tenants.stockclient.models import Client

    call_command("migrate_schemas", shared=True, interactive=False, verbosity=0)
    if not Client.objects.filter(schema_name=FIRST).exists():
        Client(name=FIRST, schema_name=FIRST).save(verbosity=0)
        with connection.cursor() as cursor:
            cursor.execute(
                f"INSERT INTO {FIRST}.gear_speaker (name, serial, state, notes) "
                "VALUES ('tower', '1', 'ok', '')"
            )
    text = _dump()
    for number in range(Client.objects.count(), count):
        name = f"stock_{number}"
        with connection.cursor() as cursor:
            cursor.execute(re.sub(rf"\b{FIRST}\b", name, text))
        Client.objects.bulk_create([Client(name=name, schema_name=name)])


def _dump() -> str:
    from tenants.schema import _replayable, find_tool

    finished = subprocess.run(
        [
            str(find_tool("pg_dump")),
            f"--schema={FIRST}",
            "--no-owner",
            "--inserts",
            "--rows-per-insert=500",
            os.environ["STOCK_DATABASE_URL"],
        ],
        check=True,
        capture_output=True,
        text=True,
    )
    head = f"SET check_function_bodies = off; CREATE SCHEMA {FIRST};\n"
    return head + _replayable(finished.stdout).replace(f"CREATE SCHEMA {FIRST};", "")


def _migrate() -> float:
    from django.core.management import call_command

    began = time.perf_counter()
    call_command("migrate_schemas", executor="multiprocessing", tenant=True, interactive=False, verbosity=0)
    return round((time.perf_counter() - began) * 1000, 1)


if __name__ == "__main__":
    main()
