"""MOV-3: what people had before works on the new shard, and nothing acts on the old copy any more."""

import json
import time
from typing import Any
from urllib.parse import urlsplit

import pytest
from aiosmtpd.controller import Controller

from config.embedded.ports import free_port
from tests import workers
from tests.catcher import Caught
from tests.jobs.lasting import KINDS
from tests.moves.conftest import SLUG, Yard, until
from tests.moves.web import Web, asking, serving

pytestmark = pytest.mark.nightly
ITEMS = 300
NEW = {"password1": "something else that is long", "password2": "something else that is long"}
JOIN = {"name": "Fay Moss", "password": "a password of my own"}
# Whoever reads or writes a table, by whichever way, raises one of these.
TOUCHED = (
    "SELECT relname::text, seq_scan, idx_scan, n_tup_ins, n_tup_upd, n_tup_del FROM pg_stat_all_tables "
    "WHERE schemaname = current_schema() ORDER BY relname"
)
EFFECTS = "SELECT subject FROM jobs_outgoingmail WHERE \"to\" = 'nobody@enclave.example' ORDER BY id"
TOKEN = "SELECT lease_token FROM jobs_job WHERE kind = 'tests.items' AND label = 'Long'"
JOBS = "SELECT label, state FROM jobs_job WHERE kind = 'tests.items' ORDER BY label"


def said_by(place: Yard, module: str, *words: str, login: str = "app") -> str:
    """Run a module to its end and return what it said."""
    process = place.python(module, *words, login=login)
    said, _ = process.communicate(timeout=120)
    assert process.returncode == 0, said
    return said


def touched(place: Yard) -> list[tuple[Any, ...]]:
    """Return what the server counts of the old copy, once it counts no more."""
    before: list[tuple[Any, ...]] = []
    while (found := place.ask("shard_1", TOUCHED)) != before:
        before = found
        time.sleep(1.5)  # idle processes tell the server of theirs within a second
    return found


def use_links(web: Web, lived: dict[str, str], ticket: str) -> None:
    """What was given out before works, and what may be used once works once."""
    host, address = lived["host"], urlsplit(ticket)
    content = web.ask(address.netloc, f"{address.path}?{address.query}")
    assert (content.status, content.body) == (200, "the content")
    assert web.ask(host, lived["fay"], fields=JOIN).status == 302
    assert web.ask(host, lived["fay"], fields=JOIN).status == 410
    opened = web.ask(host, lived["mo"])
    assert opened.status == 302
    cookie = opened.headers["Set-Cookie"].partition(";")[0]
    assert web.ask(host, opened.headers["Location"], fields=NEW, cookie=cookie).status == 302
    assert web.ask(host, lived["mo"]).status == 200  # a page that says that it was used


def test_all_goes_on_where_it_lives_and_nothing_acts_on_the_old_copy(one_server: Yard) -> None:
    place = one_server
    lived = json.loads(said_by(place, "tests.moves.living", SLUG, str(ITEMS)))
    host, cookie = lived["host"], f"sid={lived['cookie']}"
    caught = Caught()
    mails: Any = Controller(caught, hostname="127.0.0.1", port=free_port())
    mails.start()
    ours = {**place.variables, "EMAIL_PORT": str(mails.port), "ENCLAVE_LOGIN": "app"}
    # A lease that lapsed would take much longer than the test waits.
    # Nor does the job make room for others just before the move, however slow the machine is.
    ours |= {"ENCLAVE_JOB_LEASE_SECONDS": "300", "ENCLAVE_JOB_TURN_SECONDS": "300"}
    at_work = ",".join(f"jobs.{number}" for number in range(8))
    with (
        serving(place) as web,
        workers.worker(include=KINDS, queues=at_work, environment=ours) as before,
        asking(web, host, "/", cookie) as statuses,
    ):
        until(lambda: len(place.ask("shard_1", EFFECTS)) > 5)
        ticket = web.ask(host, lived["file"], cookie=cookie).headers["Location"]
        place.moved(to="shard_2")
        use_links(web, lived, ticket)
        old = touched(place)
        with workers.worker(include=KINDS, environment=ours), workers.beat(environment=ours):
            finished = [("Long", "succeeded"), ("Short", "succeeded")]
            until(lambda: place.ask("shard_2", JOBS) == finished)
            until(lambda: len(caught) >= 3)
            for login in ("app", "owner"):
                said_by(place, "tests.moves.sweeping", login=login)
        assert touched(place) == old
        # Its worker went on with it where it lives now, or noticed too late and left it to the next one.
        ((token,),) = place.ask("shard_2", TOKEN)
        assert token == 1 or "was left" in before.said()
    mails.stop()
    assert set(statuses) == {200}
    # The web process was told where it asked, and asked again before anybody noticed.
    log = (place.hosts["shard_1"].folder / "log").read_text()
    assert "this organisation does not live here at epoch 1" in log
    # Every item once, every mail once, and nobody wakes anybody up on the old shard.
    effects = [subject for (subject,) in place.ask("shard_2", EFFECTS)]
    assert sorted(effects) == sorted([f"item {n}" for n in range(ITEMS)] + ["item 0", "item 1"])
    sent = [(str(mail["to"]), str(mail["subject"])) for mail in caught]
    assert {to for to, _ in sent} == {"fay@x.example", "mo@harbour.example", "o@harbour.example"}
    assert len(set(sent)) == len(sent)
    wakes = "SELECT count(*) FROM enclave.wake WHERE organisation = %s"
    assert place.ask("shard_1", wakes, place.schema) == [(0,)]
    # The last that the old copy heard of was its own end.
    last = "SELECT code FROM audit_event ORDER BY epoch DESC, txid DESC, eid DESC LIMIT 1"
    assert place.ask("shard_1", last) == [("organisation.move_closed",)]


def test_a_sealer_who_was_late_writes_nothing_on_the_old_copy(one_server: Yard) -> None:
    place = one_server
    place.ask("shard_1", "UPDATE enclave.placed SET state = 'closed' WHERE schema_name = %s", place.schema)
    sealer = place.command("seal", SLUG)
    said, _ = sealer.communicate(timeout=60)
    assert sealer.returncode == 1
    assert "It does not live on shard_1 any more." in said
    assert place.ask("shard_1", "SELECT count(*) FROM audit_segment") == [(0,)]
