"""Writes into an organisation in every way until its input ends; prints each acknowledged write."""

import json
import random
import sys
import threading
import time
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import django

THREADS = 4
Effect = dict[str, Any]
_touched = threading.local()  # rows: the serials that the write under way is about


def main() -> None:
    """Write."""
    django.setup()
    from django.db import connections

    from tenants.models import Organisation

    slug, rate = sys.argv[1], int(sys.argv[2])
    ended, lock = threading.Event(), threading.Lock()
    # As an old process has it: read once, never again.
    stale = Organisation.objects.get(slug=slug).placement()

    def say(line: Effect) -> None:
        with lock:
            sys.stdout.write(json.dumps({"at": time.monotonic(), **line}) + "\n")
            sys.stdout.flush()

    def work(number: int) -> None:
        mine: list[str] = []
        while not ended.is_set():
            began = time.monotonic()
            try:
                say(_one(stale, mine))
            except Exception as problem:  # noqa: BLE001  # what failed is part of the ledger
                # Whether its commit came through is known to nobody.
                say({"failed": f"{type(problem).__name__}: {problem}", "unsure": _touched.rows})
                mine[:] = [serial for serial in mine if serial not in _touched.rows]
                connections.close_all()
            ended.wait(max(0.0, THREADS / rate - (time.monotonic() - began)))

    say({"began": True})
    threads = [threading.Thread(target=work, args=(number,)) for number in range(THREADS)]
    for thread in threads:
        thread.start()
    sys.stdin.read()
    ended.set()
    for thread in threads:
        thread.join()


def _one(tenant: Any, mine: list[str]) -> Effect:
    """Write once, in a transaction of its own, and return what is so from its commit on."""
    from tenants.context import Actor, enter

    ways: list[Callable[[Any, list[str]], Effect]] = [_add, _bulk, _copy]
    if len(mine) > 5:
        ways += [_change, _change, _update, _remove, _cascade]
    serials, _touched.rows = list(mine), []
    with enter(tenant, actor=Actor.system("writer")) as context:
        effect = random.choice(ways)(context, serials)
    mine[:] = serials
    return effect


def _new() -> str:
    return uuid4().hex


def _add(context: Any, mine: list[str]) -> Effect:
    from tests.rooms.gear.models import Speaker

    serial = _new()
    Speaker.objects.create(name="orm", serial=serial, watts=1)
    mine.append(serial)
    return {"set": {serial: 1}}


def _bulk(context: Any, mine: list[str]) -> Effect:
    from tests.rooms.gear.models import Speaker

    serials = [_new() for _ in range(5)]
    Speaker.objects.bulk_create([Speaker(name="bulk", serial=serial, watts=2) for serial in serials])
    mine.extend(serials)
    return {"set": dict.fromkeys(serials, 2)}


def _copy(context: Any, mine: list[str]) -> Effect:
    from django.db import connections

    serials = [_new() for _ in range(5)]
    with connections[context.alias].cursor() as cursor:
        statement = "COPY gear_speaker (name, serial, watts, state, notes) FROM STDIN"
        with cursor.copy(statement) as copy:
            for serial in serials:
                copy.write_row(("copied", serial, 3, "ok", ""))
    mine.extend(serials)
    return {"set": dict.fromkeys(serials, 3)}


def _change(context: Any, mine: list[str]) -> Effect:
    from tests.rooms.gear.models import Speaker

    serial, watts = random.choice(mine), random.randrange(10, 10_000)
    _touched.rows = [serial]
    speaker = Speaker.objects.get(serial=serial)
    speaker.watts = watts
    speaker.save(update_fields=["watts"])
    return {"set": {serial: watts}}


def _update(context: Any, mine: list[str]) -> Effect:
    from tests.rooms.gear.models import Speaker

    some, watts = random.sample(mine, 4), random.randrange(10, 10_000)
    _touched.rows = some
    assert Speaker.objects.filter(serial__in=some).update(watts=watts) == len(some)
    return {"set": dict.fromkeys(some, watts)}


def _remove(context: Any, mine: list[str]) -> Effect:
    from tests.rooms.gear.models import Speaker

    serial = mine.pop()
    _touched.rows = [serial]
    assert Speaker.objects.filter(serial=serial).delete()[0] == 1
    return {"gone": [serial]}


def _cascade(context: Any, mine: list[str]) -> Effect:
    """A collection with a field goes, and its field with it; a speaker says that it was so."""
    from records.models import Collection, Field
    from tests.rooms.gear.models import Speaker

    key = _new()[:20]
    collection = Collection.objects.create(name=key, key=f"c-{key}")
    Field.objects.create(collection=collection, name="Name", type="text", position=1)
    collection.delete()
    serial = _new()
    Speaker.objects.create(name="cascade", serial=serial, watts=4)
    mine.append(serial)
    return {"set": {serial: 4}}


if __name__ == "__main__":
    main()
