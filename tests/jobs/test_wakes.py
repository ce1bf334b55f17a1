"""Wake rows and the sweeper: what no message brings, they bring."""

import os
from datetime import timedelta

import psycopg
import pytest
from django.db import connections
from django.utils import timezone

from jobs import bells, sweeps, wakes
from jobs.actions import enqueue
from jobs.testing import run_due
from tenants.context import enter, on_shard
from tenants.functions import own
from tenants.models import Organisation
from tenants.placement import State
from tests.jobs.lasting import ACTOR

AGO = timedelta(minutes=1)


@pytest.fixture(autouse=True)
def nobody_else_waits(organisations: dict[str, Organisation]) -> None:
    """Take away the wake rows that other rooms' tests have committed: here rows are counted."""
    for alias in ("SHARD_1", "SHARD_2"):
        with psycopg.connect(os.environ[f"OWNER_{alias}_DATABASE_URL"], autocommit=True) as connection:
            connection.execute("DELETE FROM enclave.wake")


def wake_rows(alias: str = "shard_1") -> list[tuple[str, str]]:
    """Hand out the due wake rows of a shard, which are due again at once."""
    with on_shard(alias), connections[alias].cursor() as cursor:
        cursor.execute("SELECT organisation, kind FROM enclave.due_wakes(10000, interval '-1 minute')")
        return list(cursor.fetchall())


def ask_long_ago(organisation: Organisation) -> None:
    """Enqueue a job whose wake row is due."""
    with enter(organisation, actor=ACTOR):
        enqueue("tests.items", payload={"items": 1}, label="x", by=None, due=timezone.now() - AGO)


def of(organisation: Organisation, rows: list[tuple[str, str]]) -> int:
    """Count the rows of an organisation."""
    return sum(1 for schema, _ in rows if schema == organisation.schema_name)


def move(organisation: Organisation, state: State) -> None:
    """Change the state in the control plane; the fixture, which lasts, keeps its own."""
    Organisation.objects.get(pk=organisation.pk).move_to(state, reason="test")


class TestAWakeRow:
    def test_is_written_with_the_job(self, pulse: Organisation) -> None:
        ask_long_ago(pulse)
        assert (pulse.schema_name, "jobs.app") in wake_rows()

    def test_stays_and_rings_while_there_is_something_to_do(self, pulse: Organisation) -> None:
        bells.heard(pulse.pk, "app")
        ask_long_ago(pulse)
        assert wakes.sweep_shard("shard_1") == 0
        assert bells.store().get(f"enclave:bell:app:{pulse.pk}") is not None

    def test_goes_when_everything_is_done(self, pulse: Organisation) -> None:
        ask_long_ago(pulse)
        run_due(pulse)
        assert wakes.sweep_shard("shard_1") >= 1
        assert of(pulse, wake_rows()) == 0

    def test_stands_for_many(self, pulse: Organisation) -> None:
        for _ in range(20):
            ask_long_ago(pulse)
        assert wakes.sweep_shard("shard_1") == 19

    def test_of_a_suspended_organisation_comes_again(self, pulse: Organisation) -> None:
        ask_long_ago(pulse)
        run_due(pulse)
        move(pulse, State.SUSPENDED)
        assert wakes.sweep_shard("shard_1") == 0

    def test_of_an_organisation_that_is_gone_is_forgotten(self, pulse: Organisation) -> None:
        ask_long_ago(pulse)
        move(pulse, State.GONE)
        assert wakes.sweep_shard("shard_1") == 1

    def test_of_a_kind_that_nobody_answers_comes_again(self, pulse: Organisation) -> None:
        with enter(pulse, actor=ACTOR) as context, connections["default"].cursor() as cursor:
            wakes_at = own("enclave_wake", context.schema)
            cursor.execute(f"SELECT {wakes_at}('others.kind', now() - interval '1 minute')")
        assert wakes.sweep_shard("shard_1") == 0


class TestSweeps:
    def test_are_on_the_beat(self) -> None:
        schedule = sweeps.schedule()
        assert {"jobs.wakes.shard_1", "jobs.wakes.shard_2"} <= schedule.keys()
        assert schedule["jobs.wakes.shard_1"]["kwargs"] == {"name": "jobs.wakes.shard_1"}

    def test_run_one_at_a_time(self, running_servers: None) -> None:
        inner: list[bool] = []
        sweeps.add("tests.alone", every_seconds=60, run=lambda: inner.append(sweeps.run("tests.alone")))
        assert sweeps.run("tests.alone") is True
        assert inner == [False]

    def test_of_another_release_are_left_out(self) -> None:
        assert sweeps.run("tests.unknown") is False
