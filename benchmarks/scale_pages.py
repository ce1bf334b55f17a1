"""Asks for the list page of random organisations and prints the times as JSON. Run by `bin/bench scale`."""

import json
import sys
import time
from pathlib import Path
from random import Random
from typing import Any

import django

ASKED, WARM = 300, 30
ROUNDS, OTHERS = 6, 9  # first visits: connections, and organisations that each has not served
KEEPERS = ("Private_Clean", "Private_Dirty")


def main() -> None:
    """Ask, and print medians and memory."""
    count = int(sys.argv[1])
    django.setup()
    from django.db import connections
    from django.test.utils import setup_test_environment

    from config.preloading import preload

    setup_test_environment()
    preload()  # as the web server does
    visitors = [visitor(number) for number in range(count)]
    random, touched, memory = Random(7), set(), []
    times = []
    for _ in range(WARM):
        _ask(*visitors[0])
    connections.close_all()  # a connection that has served nobody yet
    for _ in range(ASKED):
        number = random.randrange(count)
        began = time.perf_counter()
        _ask(*visitors[number])
        times.append((time.perf_counter() - began) * 1000)
        touched.add(number)
        if number % 2 == 0:
            memory.append((len({one for one in touched if one % 2 == 0}), private_kb(backend())))
    firsts = _first_visits(visitors, random)
    times.sort()
    schemas, most = max(memory)
    first = memory[0]
    print(
        json.dumps(
            {
                "median_ms": round(times[len(times) // 2], 2),
                "p95_ms": round(times[int(len(times) * 0.95)], 2),
                "first_visit_ms": round(firsts[len(firsts) // 2], 2),
                "backend_mb": round(most / 1000, 1),
                "schemas": schemas,
                "kb_per_schema": round((most - first[1]) / max(1, schemas - first[0])),
                "process_mb": round(private_kb("self") / 1000, 1),
            }
        )
    )


def _first_visits(visitors: list[tuple[Any, str]], random: Random) -> list[float]:
    """Return the milliseconds of pages of organisations that a connection in use has not served, sorted."""
    from django.db import connections

    times = []
    for _ in range(ROUNDS):
        connections.close_all()
        first, *others = random.sample(visitors, OTHERS + 1)
        for _ in range(WARM // 3):
            _ask(*first)
        for visitor in others:
            began = time.perf_counter()
            _ask(*visitor)
            times.append((time.perf_counter() - began) * 1000)
    return sorted(times)


def visitor(number: int) -> tuple[Any, str]:
    """Return a browser signed in as the owner, and the address of the list of records."""
    from django.test import Client

    from accounts.identity.models import User
    from records.models import Collection
    from tenants.context import Actor, enter
    from tenants.models import Organisation

    organisation = Organisation.objects.get(slug=f"org-{number}")
    client = Client(HTTP_HOST=organisation.primary_host, headers={"sec-fetch-site": "same-origin"})
    with enter(organisation, actor=Actor.system("bench")):
        backend = "allauth.account.auth_backends.AuthenticationBackend"
        client.force_login(User.objects.get(), backend=backend)
        key = Collection.objects.values_list("key", flat=True).get()
    return client, f"/c/{key}/"


def _ask(client: Any, path: str) -> None:
    response = client.get(path)
    if response.status_code != 200:
        raise RuntimeError(f"{path} answered {response.status_code}")


def backend() -> int:
    """Return the process of the server that this one's connection to the first shard has."""
    from django.db import connections

    connection = connections["shard_1"]
    connection.ensure_connection()
    return int(connection.connection.info.backend_pid)


def private_kb(pid: int | str) -> int:
    """Return the memory that a process has to itself, in kB."""
    rows = dict(
        line.split(":", 1)
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
        if ":" in line
    )
    return sum(int(rows[name].split()[0]) for name in KEEPERS)


if __name__ == "__main__":
    main()
