"""Somebody who adds, changes and bins records of a collection over HTTP, so many times a second.

Ends when its input does, and prints one JSON object: writes, those that failed, for how many seconds, the
slowest and the one in the middle, which is what limits the rate.
"""

import html
import json
import logging
import random
import re
import statistics
import sys
import threading
import time
from typing import Any

import django


def main() -> None:
    """Write until told to stop."""
    django.setup()
    from django.test import Client
    from django.test.utils import setup_test_environment

    from accounts.identity.models import User
    from config.preloading import preload
    from records.models import Collection
    from tenants.context import Actor, enter
    from tenants.models import Organisation

    logging.getLogger("django.request").setLevel(logging.CRITICAL)
    setup_test_environment()
    preload()  # as the web server does
    organisation = Organisation.objects.get(slug="bench")
    client = Client(HTTP_HOST=organisation.primary_host, headers={"sec-fetch-site": "same-origin"})
    client.raise_request_exception = False
    with enter(organisation, actor=Actor.system("bench")):
        backend = "allauth.account.auth_backends.AuthenticationBackend"
        client.force_login(User.objects.get(email="bea@bench.example"), backend=backend)
        collection = Collection.objects.get(pk=sys.argv[1])
        keys = {field.name: field.key for field in collection.live_fields()}
    ended = threading.Event()
    threading.Thread(target=_until_told, args=(ended,), daemon=True).start()
    print("began", flush=True)
    hand = Hand(client, f"/c/{collection.key}/", keys)
    print(json.dumps(_write(hand, float(sys.argv[2]), ended)))


def _until_told(ended: threading.Event) -> None:
    sys.stdin.read()
    ended.set()


def _write(hand: "Hand", rate: float, ended: threading.Event) -> dict[str, Any]:
    failed = 0
    took: list[float] = []
    due = since = time.perf_counter()
    while not ended.is_set():
        due += 1 / rate
        began = time.perf_counter()
        answer = hand.write()
        took.append((time.perf_counter() - began) * 1000)
        if answer.status_code != 302:
            failed += 1
            print(answer.status_code, answer.request["PATH_INFO"], file=sys.stderr)
        # What waited is made up for: so many a second are asked for, also of a machine that is busy.
        ended.wait(max(0.0, due - time.perf_counter()))
    return {
        "writes": len(took),
        "failed": failed,
        "slowest_ms": round(max(took), 1),
        "median_ms": round(statistics.median(took), 1),
        "seconds": time.perf_counter() - since,
    }


class Hand:
    """Who writes. It knows the records that it has made, and so what a form of theirs would say.

    Forms are not fetched: drawing one costs more than the write, and the writers would be what is measured.
    """

    def __init__(self, client: Any, place: str, keys: dict[str, str]) -> None:
        self.client, self.place, self.keys = client, place, keys
        self.known: dict[str, tuple[dict[str, Any], int]] = {}  # path -> values, version
        self.form: dict[str, list[str]] = {}
        self.empty: dict[str, Any] = {}

    def write(self) -> Any:
        """Add, change or bin a record, and return the answer."""
        way = random.random()
        if len(self.known) < 5 or way < 0.4:
            return self._add()
        path = random.choice(list(self.known))
        if way < 0.8:
            return self._change(path)
        del self.known[path]
        return self.client.post(f"{path}bin/")

    def _values(self) -> dict[str, Any]:
        wristband, steps = f"new {random.randrange(10**9)}", random.randrange(900)
        return {self.keys["Wristband"]: wristband, self.keys["Steps"]: steps}

    def _add(self) -> Any:
        values = self._values()
        answer = self.client.post(f"{self.place}new/", values)
        path = answer.headers.get("Location", "").partition("?")[0]
        if "/r/" in path:
            if not self.form:
                self.form = _hidden(self.client.get(f"{path}edit/"))
                self.empty = json.loads(self.form["_seen"][0])
            self.known[path] = ({**self.empty, **values}, 1)
        return answer

    def _change(self, path: str) -> Any:
        (seen, version), values = self.known[path], self._values()
        form = {**self.form, "_seen": json.dumps(seen), "_version": str(version), **values}
        answer = self.client.post(f"{path}edit/", form)
        if answer.status_code == 302:
            self.known[path] = ({**seen, **values}, version + 1)
        return answer


def _hidden(page: Any) -> dict[str, list[str]]:
    """Return the hidden fields of a form: how it began."""
    found: dict[str, list[str]] = {}
    for tag in re.findall(r"<input[^>]*type=\"hidden\"[^>]*>", page.content.decode()):
        name, value = re.search(r'name="([^"]*)"', tag), re.search(r'value="([^"]*)"', tag)
        if name and value:
            found.setdefault(name[1], []).append(html.unescape(value[1]))
    return found


if __name__ == "__main__":
    main()
