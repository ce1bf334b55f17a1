"""Somebody who adds, changes and bins records of a collection over HTTP, so many times a second.

Ends when its input does, and prints one JSON object: requests, those that failed, and the slowest.
"""

import html
import json
import logging
import random
import re
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
    from records.models import Collection
    from tenants.context import Actor, enter
    from tenants.models import Organisation

    logging.getLogger("django.request").setLevel(logging.CRITICAL)
    setup_test_environment()
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
    print(json.dumps(_write(client, collection.key, keys, float(sys.argv[2]), ended)))


def _until_told(ended: threading.Event) -> None:
    sys.stdin.read()
    ended.set()


def _write(
    client: Any, key: str, keys: dict[str, str], rate: float, ended: threading.Event
) -> dict[str, Any]:
    requests = failed = 0
    slowest = 0.0
    paths: list[str] = []
    due = time.perf_counter()
    while not ended.is_set():
        due += 1 / rate
        began = time.perf_counter()
        answer = _one(client, key, keys, paths)
        slowest = max(slowest, time.perf_counter() - began)
        requests += 1
        if answer.status_code >= 400:
            failed += 1
            print(answer.status_code, answer.request["PATH_INFO"], file=sys.stderr)
        # Somebody who waited does not make up for it all at once.
        due = max(due, time.perf_counter() - 1)
        ended.wait(max(0.0, due - time.perf_counter()))
    return {"requests": requests, "failed": failed, "slowest_ms": round(slowest * 1000, 1)}


def _one(client: Any, key: str, keys: dict[str, str], paths: list[str]) -> Any:
    values = {keys["Wristband"]: f"new {random.randrange(10**9)}", keys["Steps"]: str(random.randrange(900))}
    way = random.random()
    if len(paths) < 5 or way < 0.4:
        answer = client.post(f"/c/{key}/new/", values)
        place = answer.headers.get("Location", "")
        if "/r/" in place:
            paths.append(place.partition("?")[0])
        return answer
    if way < 0.8:
        form = f"{random.choice(paths)}edit/"
        page = client.get(form)
        return client.post(form, {**_hidden(page), **values}) if page.status_code == 200 else page
    return client.post(f"{paths.pop(random.randrange(len(paths)))}bin/")


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
