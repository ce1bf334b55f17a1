"""Somebody who opens the list of records of one organisation after another, so many times a second.

Told the numbers of the organisations and the rate. Each line on standard input begins another phase; at
its end a JSON list is printed: for each phase the milliseconds of each request, and whether it went well.
"""

import json
import sys
import threading
import time
from random import Random
from typing import Any

import django

WARM = 2


def main() -> None:
    """Visit until told to stop."""
    first, last, rate = int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])
    django.setup()
    from django.test.utils import setup_test_environment

    from benchmarks.scale_pages import visitor
    from config.preloading import preload

    setup_test_environment()
    preload()  # as the web server does
    visitors = [visitor(number) for number in range(first, last)]
    for client, path in visitors * WARM:
        client.get(path)
    phases: list[list[tuple[float, bool]]] = [[]]
    ended = threading.Event()
    threading.Thread(target=_listen, args=(phases, ended), daemon=True).start()
    print("began", flush=True)
    _visit(visitors, rate, phases, ended)
    print(json.dumps(phases))


def _listen(phases: list[list[tuple[float, bool]]], ended: threading.Event) -> None:
    for _ in sys.stdin:
        phases.append([])
    ended.set()


def _visit(
    visitors: list[tuple[Any, str]],
    rate: float,
    phases: list[list[tuple[float, bool]]],
    ended: threading.Event,
) -> None:
    random, due = Random(11), time.perf_counter()
    while not ended.is_set():
        due += 1 / rate
        client, path = random.choice(visitors)
        phase, began = phases[-1], time.perf_counter()
        client.raise_request_exception = False
        answer = client.get(path)
        phase.append(((time.perf_counter() - began) * 1000, answer.status_code == 200))
        # Somebody who waited does not make up for it all at once.
        due = max(due, time.perf_counter() - 1)
        ended.wait(max(0.0, due - time.perf_counter()))


if __name__ == "__main__":
    main()
