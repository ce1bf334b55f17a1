"""Making an organisation: from a ready schema, by replaying the template, and as django-tenants does it.

The rival makes the same tables from the same migrations with `create_schema` of django-tenants 4, on
the same server, in a process of its own. The physical limit is the template's text run by psql.
"""

import json
import os
import subprocess
import sys
import time

from benchmarks.installation import ROOT, SHARDS, Installation, percentile, report, running

MADE = 60
RIVAL_MADE = 6


def main() -> None:
    """Measure, and print the object."""
    with running(ready=MADE + 5) as installation:
        ready = _provision(MADE + 5, prefix="ready")[5:]
        _forget_ready()
        cold = _provision(MADE + 5, prefix="cold")[5:]
        bare = _bare_replay(installation)
        rival = _rival(installation)
    report(
        "provision",
        figures={
            "p95_ms": round(percentile(ready, 0.95), 1),
            "median_ms": round(percentile(ready, 0.5), 1),
            "cold_p95_ms": round(percentile(cold, 0.95), 1),
            "cold_median_ms": round(percentile(cold, 0.5), 1),
            "made": len(ready) + len(cold),
        },
        baselines={
            "django_tenants_median_ms": round(percentile(rival["ms"], 0.5), 1),
            "django_tenants_tables": rival["tables"],
            "bare_sql_median_ms": round(percentile(bare, 0.5), 1),
        },
        ratios={
            "vs_django_tenants": round(percentile(rival["ms"], 0.5) / percentile(ready, 0.5), 1),
            "cold_vs_django_tenants": round(percentile(rival["ms"], 0.5) / percentile(cold, 0.5), 1),
            "cold_vs_bare_sql": round(percentile(cold, 0.5) / percentile(bare, 0.5), 2),
        },
    )


def _provision(count: int, *, prefix: str) -> list[float]:
    """Return the milliseconds of making organisations, one after the other, on both shards in turn."""
    from operations.actions.provisioning import Wish, provision

    took = []
    for number in range(count):
        wish = Wish(
            f"{prefix}-{number}",
            f"{prefix} {number}",
            f"o{number}@{prefix}.example",
            "Owner",
            None,
            SHARDS[number % 2],
        )
        began = time.perf_counter()
        organisation = provision(wish)
        took.append((time.perf_counter() - began) * 1000)
        expected = prefix == "ready"
        if organisation.makings.get().was_ready is not expected:
            raise RuntimeError(f"{wish.slug} was not made the way that is measured")
    return took


def _forget_ready() -> None:
    """Drop what still lies ready, so that the next ones are made cold."""
    from django.db import connections

    from tenants.context import on_shard

    for alias in SHARDS:
        while True:
            with on_shard(alias), connections[alias].cursor() as cursor:
                cursor.execute("SELECT enclave.claim()")
                (schema,) = cursor.fetchone()
                if schema is None:
                    break
                cursor.execute("SELECT enclave.discard(%s)", (schema,))


def _bare_replay(installation: Installation) -> list[float]:
    """Return the milliseconds of running the template's text by itself, as the superuser."""
    import psycopg

    from tenants.names import TEMPLATE_SCHEMA, new_schema_name

    took = []
    with psycopg.connect(installation.postgres.superuser_url("shard_1"), autocommit=True) as connection:
        row = connection.execute("SELECT body FROM enclave.template WHERE is_current").fetchone()
        if row is None:
            raise RuntimeError("there is no template")
        connection.execute("SET check_function_bodies = off")
        for _ in range(20):
            name = new_schema_name()
            text = f"CREATE ROLE {name};" + str(row[0]).replace(TEMPLATE_SCHEMA, name)
            began = time.perf_counter()
            connection.execute(text.encode())
            took.append((time.perf_counter() - began) * 1000)
    return took


def _rival(installation: Installation) -> dict[str, list[float]]:
    """Return what the process with stock django-tenants measured."""
    import psycopg

    with psycopg.connect(installation.postgres.superuser_url("postgres"), autocommit=True) as connection:
        connection.execute("CREATE DATABASE stock")
    variables = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "benchmarks.stock_tenants.settings",
        "STOCK_DATABASE_URL": installation.postgres.superuser_url("stock"),
        "STOCK_MADE": str(RIVAL_MADE),
    }
    finished = subprocess.run(
        [sys.executable, "-m", "benchmarks.stock_tenants.provision"],
        cwd=ROOT,
        env=variables,
        check=False,
        capture_output=True,
        text=True,
    )
    if finished.returncode:
        raise RuntimeError(finished.stderr[-3000:])
    found: dict[str, list[float]] = json.loads(finished.stdout.splitlines()[-1])
    return found


if __name__ == "__main__":
    main()
