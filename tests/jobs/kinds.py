"""Kinds of jobs for the tests, known to the tests' process and to the workers they start.

The effect of an item is a row of outgoing mail whose subject is the item: nothing stops a second one
from being written, so a chunk done twice is seen.
"""

import os
import signal
import time
from collections.abc import Mapping
from typing import Any

from django.db import connections

from jobs import registry
from jobs.actions import Run
from jobs.models import Job, MailState, OutgoingMail
from jobs.refusals import TryLater
from tenants.context import as_owner
from tenants.refusals import Refusal


def effect(text: str) -> None:
    """Write down that an item was processed."""
    OutgoingMail.objects.create(to="nobody@enclave.example", subject=text, state=MailState.FAILED)


def effects() -> list[str]:
    """Return the items processed, in order, inside the organisation entered."""
    rows = OutgoingMail.objects.filter(to="nobody@enclave.example").order_by("id")
    return list(rows.values_list("subject", flat=True))


def items(run: Run) -> Mapping[str, Any]:
    """Process `items` items, `each` in a chunk, sleeping `pause` seconds inside each chunk."""
    count, each, pause = run.payload["items"], run.payload.get("each", 1), run.payload.get("pause", 0)
    while (at := run.state.get("at", 0)) < count:
        with run.chunk():
            upto = min(at + each, count)
            for number in range(at, upto):
                effect(f"item {number}")
            time.sleep(pause)
            run.checkpoint({"at": upto}, done=upto, total=count, note="items")
    return {"items": count}


def freeze(run: Run) -> Mapping[str, Any]:
    """Stop the own process in the middle of a chunk, once: it goes on when somebody lets it.

    Without `timeout` the server waits for the frozen transaction, and only the token stands guard. With
    it the transaction has locked the job: nobody could take over unless the server ended it.
    """
    if run.state.get("frozen"):
        with run.chunk():
            effect("by the second worker")
        return {"by": "second"}
    run.checkpoint({"frozen": True})
    with run.chunk():
        if run.payload["timeout"]:
            Job.objects.select_for_update().get(pk=run.job_id)
        else:
            with connections["default"].cursor() as cursor:
                cursor.execute("SELECT set_config('idle_in_transaction_session_timeout', '0', true)")
        effect("by the frozen worker")
        os.kill(os.getpid(), signal.SIGSTOP)
    return {"by": "frozen"}


def fail(run: Run) -> Mapping[str, Any]:
    """Fail as often, and in the way, that the payload says."""
    if run.attempt <= run.payload["times"]:
        raise {"bug": ValueError, "later": TryLater, "refusal": Refusal}[run.payload["how"]]("secret detail")
    return {"attempt": run.attempt}


def wait(run: Run) -> Mapping[str, Any]:
    """Be busy for `seconds` without a chunk, then write one effect."""
    with run.busy():
        time.sleep(run.payload["seconds"])
    with run.chunk():
        effect("after the wait")
    return {}


def die(run: Run) -> Mapping[str, Any]:
    """End the process without a word, every time."""
    os.kill(os.getpid(), signal.SIGKILL)
    return {}


def index(run: Run) -> Mapping[str, Any]:
    """Make an index as the owner, outside of any transaction, then write it down inside a chunk."""
    with run.busy(), as_owner(run.tenant.alias, run.tenant.schema):
        with connections[run.tenant.alias].cursor() as cursor:
            cursor.execute("CREATE INDEX CONCURRENTLY IF NOT EXISTS ux_tests ON jobs_outgoingmail (subject)")
    with run.chunk():
        effect("indexed")
    return {}


def connection(run: Run) -> Mapping[str, Any]:
    """Take a while, then say how many schemas the connection has touched that does this job."""
    with run.chunk():
        time.sleep(run.payload["pause"])
        raw: Any = connections[run.tenant.alias].connection
        return {"backend": raw.info.backend_pid, "touched": len(raw.enclave_schemas)}


_HANDLERS = {
    "tests.items": (items, {"max_running": 2}),
    "tests.freeze": (freeze, {}),
    "tests.fail": (fail, {"delays": (0, 0, 3600)}),
    "tests.wait": (wait, {}),
    "tests.die": (die, {}),
    "tests.connection": (connection, {}),
    "tests.index": (index, {"queue": "owner"}),
}
NAMES = tuple(_HANDLERS)


def register() -> None:
    """Register the kinds."""
    for name, (handler, options) in _HANDLERS.items():
        if registry.find(name) is None:
            registry.kind(name, **options)(handler)  # type: ignore[arg-type]  # a table of options
