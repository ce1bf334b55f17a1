"""A ledger on the client's side: what the web server said it had saved, against what is there afterwards."""

import http.client
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from urllib.parse import urlencode

from django.conf import settings
from django.db import connections
from django.utils import timezone

from accounts.identity.models import User
from records.actions import collections
from records.models import Collection
from records.values import FieldSpec, FieldType
from tenants.context import Actor, enter
from tenants.models import Organisation
from tests.people import signed_in
from tests.workers import wait_for

ACTOR = Actor.system("test")
TOKEN = "c" * 32


@dataclass(slots=True)
class Ledger:
    """Writers of one organisation. `said` counts the answers by status; 0 stands for none."""

    organisation: Organisation
    collection: Collection
    host: str
    cookie: str
    acknowledged: list[str] = field(default_factory=list)
    said: Counter[int] = field(default_factory=Counter)
    _numbers: Iterator[int] = field(default_factory=count)

    def write(self, port: int) -> int:
        """Add one record through the web server and note what it answered."""
        name = f"entry {next(self._numbers)}"
        status = post(port, self.host, self.cookie, f"/c/{self.collection.key}/new/", {"f_name": name})
        if status == 302:
            self.acknowledged.append(name)
        self.said[status] += 1
        return status

    def read(self, port: int) -> int:
        """Return the status of the list's page."""
        return get(port, self.host, self.cookie, f"/c/{self.collection.key}/")

    @contextmanager
    def writing(self, port: int, *, writers: int = 4) -> Iterator[None]:
        """Let people write all the time, for a block."""
        finished = threading.Event()

        def go_on() -> None:
            while not finished.is_set():
                if self.write(port) != 302:
                    finished.wait(0.05)

        people = [threading.Thread(target=go_on) for _ in range(writers)]
        for one in people:
            one.start()
        try:
            yield
        finally:
            finished.set()
            for one in people:
                one.join()

    def wait_for_more(self, *, than: int) -> None:
        """Return when more than so many writes were acknowledged."""
        wait_for(lambda: len(self.acknowledged) > than, seconds=60)

    def faults(self) -> list[str]:
        """Return what is not as it should be: writes lost or doubled, and rows without their one event.

        May be asked while people write: it is one statement, so all of it is of one moment.
        """
        acknowledged = list(self.acknowledged)
        alias = str(self.organisation.shard_id)
        connections[alias].close()
        with enter(self.organisation, actor=ACTOR), connections[alias].cursor() as cursor:
            cursor.execute(_ROWS_AND_EVENTS, (self.collection.pk,))
            rows = cursor.fetchall()
        there = Counter(name for name, _, _ in rows if name is not None)
        found = [f"lost: {name}" for name in acknowledged if not there[name]]
        found += [f"doubled: {name}" for name, times in there.items() if times > 1]
        found += [f"{times} events of {name}" for name, times, _ in rows if name is not None and times != 1]
        return found + [f"an event of nothing: {of}" for name, _, of in rows if name is None]


_ROWS_AND_EVENTS = """
SELECT record.values ->> 'f_name', coalesce(event.times, 0), event.object_id
FROM (SELECT id, values FROM records_record WHERE collection_id = %s) AS record
FULL JOIN (
    SELECT object_id, count(*) AS times FROM audit_event
    WHERE code = 'records.record.added' GROUP BY object_id
) AS event ON event.object_id = record.id
"""


def open_ledger(organisation: Organisation) -> Ledger:
    """Return the ledger of a new collection, written by the organisation's owner, signed in."""
    with enter(organisation, actor=ACTOR):
        owner = User.objects.get()
        name = FieldSpec("f_name", "Name", FieldType.TEXT, required=True)
        collection = collections.create(
            name=f"Ledger {timezone.now():%f}", fields=(name,), by=owner, at=timezone.now()
        )
        address = str(owner.email)
    cookie = signed_in(organisation, address).cookies[settings.SESSION_COOKIE_NAME].value
    return Ledger(organisation, collection, str(organisation.primary_host), cookie)


def post(port: int, host: str, cookie: str, path: str, values: dict[str, str]) -> int:
    """Send a form as a browser does that is signed in; return the status, 0 for no answer."""
    body = urlencode({**values, "csrfmiddlewaretoken": TOKEN})
    return _status(port, "POST", host, cookie, path, body)


def get(port: int, host: str, cookie: str, path: str) -> int:
    """Load a page; return the status, 0 for no answer."""
    return _status(port, "GET", host, cookie, path, None)


def _status(port: int, method: str, host: str, cookie: str, path: str, body: str | None) -> int:
    headers = {
        "Host": host,
        "Origin": f"http://{host}",
        "Sec-Fetch-Site": "same-origin",
        "Cookie": f"{settings.SESSION_COOKIE_NAME}={cookie}; {settings.CSRF_COOKIE_NAME}={TOKEN}",
        "Content-Type": "application/x-www-form-urlencoded",
    }
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        connection.request(method, path, body=body, headers=headers)
        answer = connection.getresponse()
        answer.read()
        # Led to the sign-in: nothing was done.
        is_stranger = "/accounts/" in (answer.headers["Location"] or "")
        return 401 if is_stranger else answer.status
    except (OSError, http.client.HTTPException):
        return 0
    finally:
        connection.close()
