"""Workers that die in the middle of an import: no row is lost, none comes twice."""

import random
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil  # type: ignore[import-untyped]  # the package ships no types
import pytest
from django.conf import settings
from django.utils import timezone

from accounts.identity.models import User
from audit.models import Event
from records.imports import actions
from records.models import Import, MissingLink, Record
from records.values import dumps, loads
from tenants.context import Actor, enter
from tenants.models import Organisation
from tests import workers
from tests.imports.conftest import design_of, flights_head, sent

ACTOR = Actor.system("test")
ROWS = 20_000
KILLS = (
    "records.import_check before 5000",
    "records.import after 3000",
    "records.import after 4000",
    "records.import before 9000",
)


class Journey:
    """One import whose data is committed, because processes of their own work on it."""

    def __init__(self, organisation: Organisation, plan: Path) -> None:
        self.organisation, self.plan = organisation, plan
        with enter(organisation, actor=ACTOR):
            self.owner = User.objects.get()
            upload = sent(flights_head(ROWS))
            self.row = actions.begin(
                upload=upload, name="flights.csv", collection=None, by=self.owner, at=timezone.now()
            )

    def wait(self, done: Callable[[Import], bool], *, seconds: float = 120) -> Import:
        """Return the import when it is as wanted."""

        def ask() -> bool:
            with enter(self.organisation, actor=ACTOR):
                self.row = Import.objects.select_related("job", "collection").get(pk=self.row.pk)
            assert self.row.job is None or not self.row.job.error, self.row.job.error
            return done(self.row)

        workers.wait_for(ask, seconds=seconds)
        return self.row

    def agree(self) -> None:
        """Take the design that is proposed, and have the file checked."""
        with enter(self.organisation, actor=ACTOR):
            choices = design_of(self.row).choices()
            actions.make_collection(
                row=self.row,
                name="Flights",
                choices=choices,
                on_missing=MissingLink.REFUSE,
                zone="UTC",
                by=self.owner,
                at=timezone.now(),
            )

    def apply(self) -> None:
        """Have the rows loaded."""
        with enter(self.organisation, actor=ACTOR):
            actions.apply(row=self.row, by=self.owner, at=timezone.now())

    def found(self) -> Counter[bytes]:
        """Return what is in the collection, row by row."""
        with enter(self.organisation, actor=ACTOR):
            return Counter(dumps(values) for values in Record.objects.values_list("values", flat=True))

    def captured(self) -> int:
        """Return how many rows the trail says were added."""
        with enter(self.organisation, actor=ACTOR):
            return Event.objects.filter(code="records.record.added").count()


@pytest.fixture(scope="module")
def running_beat(running_servers: None) -> Iterator[None]:
    with workers.beat():
        yield


@pytest.fixture
def own_folder() -> None:
    """Workers have the folder of the session."""


@pytest.fixture
def journey(running_beat: None, tmp_path: Path) -> Journey:
    plan = tmp_path / "kills"
    plan.write_text("")
    return Journey(workers.lasting(), plan)


def start(journey: Journey) -> workers.Started:
    environment = {
        "IMPORT_KILLS": str(journey.plan),
        "ENCLAVE_FILES": str(settings.MEDIA_ROOT),
        "ENCLAVE_JOB_LEASE_SECONDS": "1",
    }
    started = workers.start_worker(
        pool="prefork", include="tests.imports.for_workers", environment=environment
    )
    started.wait_until_ready()
    return started


def kill_child(started: workers.Started) -> None:
    """Kill the process that does the work; its parent starts another one."""
    for child in psutil.Process(started.process.pid).children():
        child.kill()


def whole(journey: Journey) -> None:
    """Assert that every row of the file is there as often as in the file, and in the trail too."""
    found = journey.found()
    assert found.total() == journey.captured() == journey.row.imported == ROWS
    names = ("year", "month", "day", "sched_dep_time", "carrier", "flight", "origin", "dest")
    head, *lines = (line.split(",") for line in flights_head(ROWS).decode().splitlines())
    sent_keys = Counter(tuple(line[head.index(name)] for name in names) for line in lines)
    kept_keys: Counter[tuple[str, ...]] = Counter()
    for document, times in found.items():
        values = loads(document)
        kept_keys[tuple(str(values[name]) for name in names)] += times
    assert kept_keys == sent_keys


def test_every_row_is_there_once_however_often_workers_die(journey: Journey) -> None:
    journey.plan.write_text("\n".join(KILLS))
    started = start(journey)
    try:
        journey.wait(lambda row: row.state == "proposed")
        journey.agree()
        journey.wait(lambda row: row.state == "checked")
        journey.apply()
        journey.wait(lambda row: row.state == "done")
    finally:
        started.kill()
    assert journey.plan.read_text() == ""
    whole(journey)


@pytest.mark.nightly
def test_every_row_is_there_once_after_a_hundred_deaths_at_random(journey: Journey) -> None:
    started = start(journey)
    left = 100
    try:
        for state, go_on in (("proposed", journey.agree), ("checked", journey.apply), ("done", lambda: None)):
            while True:
                time.sleep(random.uniform(0, 2.5))
                row = journey.wait(lambda _: True)
                if row.state == state:
                    break
                if left:
                    kill_child(started)
                    left -= 1
            go_on()
    finally:
        started.kill()
    whole(journey)
