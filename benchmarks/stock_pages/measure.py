"""Fills a rival with the flights, asks for its two pages and prints the medians as JSON."""

import json
import os
import statistics
import sys
import time
from typing import Any

import django

REPEATS = 40
HOST = "bench.example"


def main() -> None:
    """Measure the rival named on the command line: plain or stock."""
    kind = sys.argv[1]
    django.setup()
    from django.contrib.auth.models import User
    from django.test import Client
    from django.test.utils import setup_test_environment

    setup_test_environment()
    (set_up_stock if kind == "stock" else set_up_plain)()
    user = User.objects.create_superuser("bea") if kind == "plain" else stock_user()
    client = Client(HTTP_HOST=HOST)
    backend = "django.contrib.auth.backends.ModelBackend"
    client.force_login(user, backend=backend)
    print(json.dumps({"list_ms": median(client, "/"), "record_ms": median(client, "/1000/")}))


def set_up_plain() -> None:
    """Make the tables and fill them."""
    from django.core.management import call_command

    call_command("migrate", run_syncdb=True, interactive=False, verbosity=0)
    fill()


def set_up_stock() -> None:
    """Make a tenant as the manual of django-tenants shows, and fill it."""
    from django.core.management import call_command
    from django.db import connection

    from benchmarks.stock_tenants.stockclient.models import Client, Domain

    call_command("migrate_schemas", shared=True, interactive=False, verbosity=0)
    client = Client(name="Bench", schema_name="bench")
    client.save(verbosity=0)
    Domain(domain=HOST, tenant=client).save()
    connection.set_tenant(client)
    fill()


def stock_user() -> Any:
    """Return a person who may view every flight, through guardian's model-wide permission."""
    from django.contrib.auth.models import User
    from guardian.shortcuts import assign_perm

    user = User.objects.create_user("bea")
    assign_perm("flights.view_flight", user)
    return user


def fill() -> None:
    """Copy the flights from the file the first process has written."""
    from django.db import connection

    with connection.cursor() as cursor, open(os.environ["FLIGHTS_CSV"], "rb") as file:
        header = file.readline().decode().strip()
        with cursor.copy(
            f"COPY flights_flight ({header}) FROM STDIN (FORMAT csv, NULL 'NA', FORCE_NOT_NULL (tailnum))"
        ) as copy:
            while block := file.read(1 << 20):
                copy.write(block)
        cursor.execute("ANALYZE flights_flight")


def median(client: Any, path: str) -> float:
    """Return the median milliseconds of a page in the server."""
    times = []
    for _ in range(REPEATS):
        began = time.perf_counter()
        response = client.get(path)
        times.append((time.perf_counter() - began) * 1000)
        if response.status_code != 200:
            raise RuntimeError(f"{path} answered {response.status_code}")
    return round(statistics.median(times[5:]), 2)


if __name__ == "__main__":
    main()
