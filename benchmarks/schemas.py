"""A thousand organisations on one shard: what a backend keeps, what switching costs, what autovacuum does.

Schemas are made from the real template. Eight connections then visit random organisations for some
minutes, each visit one transaction through the product's own door with three of its queries. The limit
is the same visits to one organisation only.
"""

import os
import statistics
import threading
import time
from dataclasses import dataclass, field
from random import Random
from typing import Any

import psycopg

from benchmarks.installation import Installation, percentile, report, running

SCHEMAS = int(os.environ.get("ENCLAVE_BENCH_SCHEMAS", "1000"))
SECONDS = float(os.environ.get("ENCLAVE_BENCH_SECONDS", "120"))
CONNECTIONS = 8


@dataclass(slots=True)
class Visits:
    """What one connection did: milliseconds of each visit, and its backend's memory by schemas touched."""

    first: list[float] = field(default_factory=list)
    again: list[float] = field(default_factory=list)
    memory: list[tuple[int, int]] = field(default_factory=list)


def main() -> None:
    """Make the schemas, visit them, print the object."""
    with running() as place:
        made = _make_schemas()
        tenants = _tenants()
        one = _visit_all(tenants[:1], seconds=min(10.0, SECONDS))
        before = _vacuums(place)
        many = _visit_all(tenants, seconds=SECONDS)
        after = _vacuums(place)
        _report(place, made, one, many, after - before)


def _report(
    place: Installation, made: list[float], one: list[Visits], many: list[Visits], vacuums: int
) -> None:
    again = [took for visits in many for took in visits.again]
    first = [took for visits in many for took in visits.first]
    quiet = [took for visits in one for took in visits.again]
    slopes = [slope for visits in many if (slope := _slope(visits.memory))]
    report(
        "schemas",
        figures={
            "schemas": SCHEMAS,
            "replay_median_ms": round(percentile(made, 0.5), 1),
            "replay_last_100_median_ms": round(percentile(made[-100:], 0.5), 1),
            "backend_kb_per_schema": round(statistics.median(slopes)) if slopes else None,
            "first_visit_median_ms": round(percentile(first, 0.5), 2),
            "visit_median_ms": round(percentile(again, 0.5), 2) if again else None,
            "visit_p95_ms": round(percentile(again, 0.95), 2) if again else None,
            "visits": len(first) + len(again),
            "autovacuums": vacuums,
            "database_mb": _size(place),
        },
        baselines={"one_organisation_median_ms": round(percentile(quiet, 0.5), 2)},
        ratios={
            "visit_vs_one_organisation": round(percentile(again, 0.5) / percentile(quiet, 0.5), 2)
            if again
            else None
        },
    )


def _make_schemas() -> list[float]:
    from django.db import connections

    from tenants.context import on_shard
    from tenants.names import new_schema_name

    took = []
    for _ in range(SCHEMAS):
        began = time.perf_counter()
        with on_shard("shard_1"), connections["shard_1"].cursor() as cursor:
            cursor.execute("SELECT enclave.replay(%s, 'ready')", (new_schema_name(),))
        took.append((time.perf_counter() - began) * 1000)
    return took


def _tenants() -> list[Any]:
    """Return a placement for each schema, without the control plane knowing them."""
    import uuid

    from tenants.placement import State, Tenant

    superuser = os.environ["OWNER_SHARD_1_DATABASE_URL"]
    with psycopg.connect(superuser) as connection:
        names = [name for (name,) in connection.execute("SELECT schema_name FROM enclave.issued")]
    return [
        Tenant(uuid.uuid4(), name, name, name, "shard_1", 1, "current", State.ACTIVE, "") for name in names
    ]


def _visit_all(tenants: list[Any], *, seconds: float) -> list[Visits]:
    found = [Visits() for _ in range(CONNECTIONS)]
    threads = [
        threading.Thread(target=_visit, args=(tenants, visits, seconds, number))
        for number, visits in enumerate(found)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return found


def _visit(tenants: list[Any], visits: Visits, seconds: float, seed: int) -> None:
    """Visit random organisations on one connection until the time is over."""
    from django.contrib.auth.models import Group
    from django.db import connections

    from accounts.identity.models import User
    from records.models import Collection
    from tenants.context import Actor, enter

    random, seen = Random(seed), set()
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        tenant = random.choice(tenants)
        began = time.perf_counter()
        with enter(tenant, actor=Actor.system("bench")):
            list(User.objects.all()[:1]), list(Group.objects.all()[:1]), list(Collection.objects.all()[:1])
            pid = connections["shard_1"].connection.info.backend_pid
        took = (time.perf_counter() - began) * 1000
        (visits.again if tenant.schema in seen else visits.first).append(took)
        seen.add(tenant.schema)
        if len(seen) % 50 == 0:
            visits.memory.append((len(seen), _private_kb(pid)))
    connections["shard_1"].close()


def _private_kb(pid: int) -> int:
    """Return the memory that a backend has to itself, in kB."""
    with open(f"/proc/{pid}/smaps_rollup") as file:
        rows = dict(line.split(":", 1) for line in file if ":" in line)
    return sum(int(rows[name].split()[0]) for name in ("Private_Clean", "Private_Dirty"))


def _slope(memory: list[tuple[int, int]]) -> float | None:
    """Return the growth in kB for each schema touched, over the whole run."""
    if len(memory) < 2 or memory[-1][0] == memory[0][0]:
        return None
    return (memory[-1][1] - memory[0][1]) / (memory[-1][0] - memory[0][0])


def _vacuums(place: Installation) -> int:
    with psycopg.connect(place.postgres.superuser_url("shard_1")) as connection:
        found = connection.execute(
            "SELECT COALESCE(sum(autovacuum_count + autoanalyze_count), 0) FROM pg_stat_all_tables"
        ).fetchone()
    return int(found[0]) if found else 0


def _size(place: Installation) -> int:
    with psycopg.connect(place.postgres.superuser_url("shard_1")) as connection:
        found = connection.execute("SELECT pg_database_size('shard_1') / 1000000").fetchone()
    return int(found[0]) if found else 0


if __name__ == "__main__":
    main()
