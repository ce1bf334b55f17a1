"""Two thousand organisations on one server: what a page costs, what a connection and the catalogue weigh.

Ten organisations are made, then many more through the product's own door (`--tenants`, default 2,000).
At both sizes a process of its own asks for the same page, a list of fifty records, of a random one of ten
organisations, and of a random one of all. Of two thousand, a connection has hardly served one before, so
the first visit of a connection is told apart (`first_visit_ms`), at both sizes. The rest is read from the
server, and drawn out to 10,000: `figures.first_to_give_out` names what comes nearest to its limit there.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import Any

import psycopg

from benchmarks.installation import ROOT, SHARDS, Installation, percentile, report, running
from benchmarks.scale_limits import Limit, limits
from benchmarks.scale_pages import backend, private_kb

FEW, FAR = 10, 10_000
RECORDS = 200
WRITES = 10  # organisations whose making is timed at each size


@dataclass(frozen=True, slots=True)
class Size:
    """What was seen at one number of organisations. Sizes in MB of both shards together."""

    organisations: int
    database_mb: float
    catalogue_mb: float
    relations: int
    files: int
    roles: int
    connect_ms: float
    provision_ms: float
    first_write_ms: float  # of a connection that has served nobody yet
    writer_mb: float  # what such a connection has to itself after it
    figures_ms: float  # for one organisation
    sweep_for_work_ms: float
    fleet_nothing_ms: float


def main() -> None:
    """Make them, measure at both sizes, print the object."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--tenants", type=int, default=2000)
    many = parser.parse_args().tenants
    with running() as place:
        _make(FEW)
        few, page_few = _size(place, FEW), _pages(FEW)
        _make(many)
        lots = _size(place, many)
        page_same, page_many = _pages(FEW), _pages(many)
        _report(few, lots, {"few": page_few, "same_ten": page_same, "many": page_many})


def _report(few: Size, lots: Size, pages: dict[str, dict[str, float]]) -> None:
    expected = limits(asdict(few), asdict(lots), pages["many"], far=FAR)
    report(
        "scale",
        figures={
            "organisations": lots.organisations,
            "page_ms": pages["many"]["median_ms"],
            "page_p95_ms": pages["many"]["p95_ms"],
            "page_of_the_same_ten_ms": pages["same_ten"]["median_ms"],
            "first_visit_ms": pages["many"]["first_visit_ms"],
            "connection_mb": pages["many"]["backend_mb"],
            "connection_kb_per_schema": pages["many"]["kb_per_schema"],
            "schemas_a_connection_touched": pages["many"]["schemas"],
            "web_process_mb": pages["many"]["process_mb"],
            "catalogue_mb": lots.catalogue_mb,
            "database_mb": lots.database_mb,
            "relations": lots.relations,
            "files": lots.files,
            "connect_ms": lots.connect_ms,
            "provision_ms": lots.provision_ms,
            "first_write_ms": lots.first_write_ms,
            "writer_mb": lots.writer_mb,
            "figures_ms": lots.figures_ms,
            "sweep_for_work_ms": lots.sweep_for_work_ms,
            "fleet_nothing_ms": lots.fleet_nothing_ms,
            "at_10000": {limit.name: _said(limit) for limit in expected},
            "first_to_give_out": max(expected, key=lambda limit: limit.share).name,
        },
        baselines={"with_ten": {**asdict(few), "page": pages["few"]}},
        ratios={
            "page_vs_10": round(pages["many"]["median_ms"] / pages["few"]["median_ms"], 2),
            "page_p95_vs_10": round(pages["many"]["p95_ms"] / pages["few"]["p95_ms"], 2),
            "same_ten_vs_10": round(pages["same_ten"]["median_ms"] / pages["few"]["median_ms"], 2),
            "first_visit_vs_10": round(pages["many"]["first_visit_ms"] / pages["few"]["first_visit_ms"], 2),
            "first_write_vs_10": round(lots.first_write_ms / few.first_write_ms, 2),
            "provision_vs_10": round(lots.provision_ms / few.provision_ms, 2),
            "catalogue_kb_per_organisation": round(
                1000 * (lots.catalogue_mb - few.catalogue_mb) / (lots.organisations - few.organisations)
            ),
        },
    )


def _said(limit: Limit) -> dict[str, Any]:
    return {
        "expected": round(limit.expected, 1),
        "limit": limit.most,
        "unit": limit.unit,
        "share": round(limit.share, 3),
        "organisations_at_limit": limit.organisations,
    }


def _make(count: int) -> list[float]:
    """Make organisations until there are `count`, the first ten with records; return milliseconds of each."""
    from tenants.models import Organisation

    numbers = list(range(Organisation.objects.count(), count))
    if len(numbers) <= WRITES:
        return [_made(number) for number in numbers]
    with ThreadPoolExecutor(len(SHARDS)) as pool:  # a shard each
        return list(pool.map(_made, numbers))


def _made(number: int) -> float:
    from django.db import connections

    from operations.actions.provisioning import Wish, provision

    began = time.perf_counter()
    made = provision(
        Wish(f"org-{number}", f"Org {number}", f"o{number}@o.example", "O", None, SHARDS[number % 2])
    )
    took = (time.perf_counter() - began) * 1000
    _fill(made)
    if number % 50 < len(SHARDS):
        # As a pooled one would: a connection keeps a plan for everything it did, and each new schema
        # makes it walk over all of them.
        connections.close_all()
    return took


def _fill(organisation: Any) -> None:
    """Give an organisation one collection with records."""
    from django.utils import timezone

    from accounts.identity.models import User
    from records.actions import collections
    from records.models import Record
    from records.values import FieldSpec, FieldType
    from tenants.context import Actor, enter

    with enter(organisation, actor=Actor.system("bench")):
        owner = User.objects.get()
        fields = (
            FieldSpec("f_name", "Name", FieldType.TEXT),
            FieldSpec("f_size", "Size", FieldType.INTEGER),
        )
        made = collections.create(name="Gear", fields=fields, by=owner, at=timezone.now())
        Record.objects.bulk_create(
            Record(collection=made, values={"f_name": f"Tower {number}", "f_size": number})
            for number in range(RECORDS)
        )


def _pages(count: int) -> dict[str, float]:
    """Ask for pages of random organisations, in a process that has served nobody yet."""
    finished = subprocess.run(
        [sys.executable, "-m", "benchmarks.scale_pages", str(count)],
        cwd=ROOT,
        env=os.environ,
        check=False,
        capture_output=True,
        text=True,
    )
    if finished.returncode:
        raise RuntimeError(finished.stdout[-2000:] + finished.stderr[-2000:])
    found: dict[str, float] = json.loads(finished.stdout.splitlines()[-1])
    return found


def _size(place: Installation, count: int) -> Size:
    took = _make(count + WRITES)
    catalogue = relations = database = 0
    for alias in SHARDS:
        with psycopg.connect(place.postgres.superuser_url(alias)) as connection:
            row = connection.execute(
                "SELECT pg_database_size(current_database()), "
                "(SELECT sum(pg_total_relation_size(oid))::bigint FROM pg_class "
                " WHERE relnamespace = 'pg_catalog'::regnamespace AND relkind = 'r'), "
                "(SELECT count(*) FROM pg_class)"
            ).fetchone()
            assert row is not None  # a query without FROM
            database, catalogue, relations = database + row[0], catalogue + row[1], relations + row[2]
    writes = [_first_write() for _ in range(WRITES)]
    return Size(
        organisations=count + WRITES,
        database_mb=round(database / 1e6, 1),
        catalogue_mb=round(catalogue / 1e6, 1),
        relations=relations,
        files=sum(len(files) for _, _, files in os.walk(place.postgres.folder)),
        roles=_roles(place),
        connect_ms=_median(lambda: psycopg.connect(os.environ["SHARD_1_DATABASE_URL"]).close(), 20),
        provision_ms=round(percentile(took, 0.5), 1),
        first_write_ms=round(statistics.median(write[0] for write in writes), 1),
        writer_mb=round(statistics.median(write[1] for write in writes), 2),
        figures_ms=_figures(),
        sweep_for_work_ms=_median(_due, 10),
        fleet_nothing_ms=_median(_behind, 10),
    )


def _first_write() -> tuple[float, float]:
    """Add a record on a fresh connection; return the milliseconds, and the MB that the connection keeps."""
    from django.db import connections

    from records.models import Collection, Record
    from tenants.context import Actor, enter
    from tenants.models import Organisation

    connections.close_all()
    organisation = Organisation.objects.get(slug="org-0")
    began = time.perf_counter()
    with enter(organisation, actor=Actor.system("bench")):
        collection = Collection.objects.get()
        Record.objects.create(collection=collection, values={"f_name": "One more", "f_size": 1})
    return (time.perf_counter() - began) * 1000, private_kb(backend()) / 1000


def _roles(place: Installation) -> int:
    with psycopg.connect(place.postgres.superuser_url("postgres")) as connection:
        row = connection.execute("SELECT count(*) FROM pg_roles").fetchone()
    return int(row[0]) if row else 0


def _figures() -> float:
    """Return how long one organisation takes in the sweep over the console's figures, in milliseconds."""
    from django.utils import timezone

    from operations.actions import figures

    began = time.perf_counter()
    # As after a day in which nobody was looked at.
    looked_at = figures.refresh(at=timezone.now() + timedelta(days=1))
    return round((time.perf_counter() - began) * 1000 / looked_at, 2)


def _due() -> None:
    from django.db import connections

    from tenants.context import on_shard

    with on_shard("shard_1"), connections["shard_1"].cursor() as cursor:
        cursor.execute("SELECT * FROM enclave.due_wakes(100, interval '1 second')")
        cursor.fetchall()


def _behind() -> None:
    from operations.actions.fleet import behind
    from tenants.schema import wanted_version

    if behind(wanted_version()):
        raise RuntimeError("nobody should be behind")


def _once(work: Any) -> float:
    began = time.perf_counter()
    work()
    return (time.perf_counter() - began) * 1000


def _median(work: Any, times: int) -> float:
    return round(statistics.median(_once(work) for _ in range(times)), 2)


if __name__ == "__main__":
    main()
