"""Serves random organisations until it is told to end, as the release before; prints what it saw as JSON.

Each visit is one transaction that adds a speaker, changes one and lists all. A line on standard input
ends it. Run in a process of its own with the application's login.
"""

import json
import sys
import threading
import time
from random import Random
from uuid import uuid4

import django

THREADS = 4


def main() -> None:
    """Serve, and print how many visits there were, the longest of them, and what failed."""
    django.setup()
    from tenants.models import Organisation

    placements = [one.placement() for one in Organisation.objects.exclude(domains=None)]
    over = threading.Event()
    seen: list[float] = []
    failed: list[str] = []
    threads = [
        threading.Thread(target=_serve, args=(placements, seed, over, seen, failed))
        for seed in range(THREADS)
    ]
    for thread in threads:
        thread.start()
    print("serving", flush=True)  # noqa: T201  # read by whoever started it
    sys.stdin.readline()
    over.set()
    for thread in threads:
        thread.join()
    found = {"visits": len(seen), "longest_ms": round(max(seen)), "failed": failed[:5]}
    print(json.dumps(found), flush=True)  # noqa: T201  # read by whoever started it


def _serve(
    placements: list[object], seed: int, over: threading.Event, seen: list[float], failed: list[str]
) -> None:
    from tenants.context import Actor, enter
    from tests.rooms.gear.models import Speaker

    random = Random(seed)
    while not over.is_set():
        began = time.perf_counter()
        try:
            with enter(random.choice(placements), actor=Actor.system("test")):  # type: ignore[arg-type]  # placements
                made = Speaker.objects.create(name=f"by {seed}", serial=uuid4().hex)
                Speaker.objects.filter(pk=made.pk).update(watts=random.randrange(900))
                list(Speaker.objects.all()[:10])
        except Exception as problem:  # noqa: BLE001  # whatever it is, somebody was refused
            failed.append(f"{type(problem).__name__}: {problem}")
        seen.append((time.perf_counter() - began) * 1000)


if __name__ == "__main__":
    main()
