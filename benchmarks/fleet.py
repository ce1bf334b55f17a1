"""A fleet of organisations migrates: Enclave, django-tenants' multiprocessing executor, and bare SQL.

A column, a column of personal data (for which the trail's trigger is made anew), an index, a data migration
in Python, and nothing to apply. Bare SQL sends the same statements and writes nothing down of them.
Everything is timed inside a process that has already started, from the call to the last commit. Both
have their template or public schema at the new release beforehand. All three use two processes or
connections for each database. `--tenants 200,1000` says how many organisations. `while_serving` migrates
the largest fleet once more with people at work in it and tables in use.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg

from benchmarks.installation import ROOT, SHARDS, Installation, report, running
from tenants.names import TEMPLATE_SCHEMA

WHAT = ("column", "personal", "index", "data")
# The executor knows no personal columns: to it, one is a column like the other.
RIVALS = ("column", "index", "data")
BARE = {
    "column": "ALTER TABLE {schema}.gear_speaker ADD COLUMN weight integer NULL",
    # The trail keeps what is personal apart, so a trigger that knows the column belongs to it.
    "personal": "BEGIN; ALTER TABLE {schema}.gear_speaker ADD COLUMN colour varchar(20) NULL; {trigger}; "
    "ALTER TABLE {schema}.gear_speaker ENABLE ALWAYS TRIGGER audit_row; COMMIT",
    "index": "CREATE INDEX speaker_by_watts ON {schema}.gear_speaker (watts)",
    "data": "UPDATE {schema}.gear_speaker SET watts = 100 WHERE watts IS NULL",
}
BACK = {
    "column": "ALTER TABLE {schema}.gear_speaker DROP COLUMN weight",
    "personal": "ALTER TABLE {schema}.gear_speaker DROP COLUMN colour",
    "index": "DROP INDEX {schema}.speaker_by_watts",
    "data": "UPDATE {schema}.gear_speaker SET watts = NULL",
}

REPEATS = 3
HELD_S = 6.0
FORGET = "DELETE FROM {schema}.django_migrations WHERE app = 'gear' AND name LIKE '0002%'"


def main() -> None:
    """Measure, and print the object."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--tenants", default="200,1000")
    counts = sorted(int(word) for word in parser.parse_args().tenants.split(","))
    figures: dict[str, Any] = {}
    baselines: dict[str, Any] = {}
    with running() as installation:
        stock = _Stock(installation)
        for count in counts:
            _make(count)
            stock.make(count)
            for what in WHAT:
                bare, ours = _by_turns(installation, what, count)
                baselines[f"sql_{what}_{count}_ms"], figures[f"{what}_{count}_ms"] = bare, ours
                if what in RIVALS:
                    baselines[f"executor_{what}_{count}_ms"] = stock.migrate(what)
                    stock.undo(what)
            figures[f"nothing_{count}_ms"] = _ours("", migrated=0)
            if count == counts[-1]:
                figures["while_serving"] = _while_serving(installation, count)
            baselines[f"executor_nothing_{count}_ms"] = stock.migrate("")
    most = counts[-1]
    report(
        "fleet",
        figures={**figures, "nothing_ms": figures[f"nothing_{most}_ms"]},
        baselines=baselines,
        ratios={
            **{
                f"{what}_vs_executor": _times(baselines, f"executor_{what}", figures, what, most)
                for what in RIVALS
            },
            **{f"{what}_vs_sql": _times(figures, what, baselines, f"sql_{what}", most) for what in WHAT},
            "add_column_vs_executor": _times(baselines, "executor_column", figures, "column", most),
            "add_column_vs_sql": _times(figures, "column", baselines, "sql_column", most),
        },
    )


def _by_turns(installation: Installation, what: str, count: int) -> tuple[float, float]:
    """Return the milliseconds of bare SQL and of ours, the middle of several, measured by turns.

    The first to come after so many were made finds cold caches, and a machine has moods.
    """
    bare, ours = [], []
    for _ in range(REPEATS):
        bare.append(_bare(installation, what))
        ours.append(_ours(what, migrated=count))
        _undo(installation, what)
    return statistics.median(bare), statistics.median(ours)


def _while_serving(installation: Installation, count: int) -> dict[str, Any]:
    """Migrate once more while all are served, one table in twenty organisations being in use for a while."""
    server = subprocess.Popen(
        [sys.executable, "-m", "tests.fleet.serving"],
        cwd=ROOT,
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "benchmarks.fleet_settings", "FLEET_LATER": ""},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    if server.stdout is None or server.stdout.readline() != "serving\n":
        raise RuntimeError("nobody serves")
    holders = [
        threading.Thread(target=_hold, args=(installation, number)) for number in range(0, count, count // 20)
    ]
    for holder in holders:
        holder.start()
    took = _ours("column", migrated=count)
    for holder in holders:
        holder.join()
    said, _ = server.communicate("end\n", timeout=60)
    _undo(installation, "column")
    seen = json.loads(said)
    return {
        "column_ms": took,
        "visits": seen["visits"],
        "longest_ms": seen["longest_ms"],
        "failed": len(seen["failed"]),
    }


def _hold(installation: Installation, number: int) -> None:
    """Keep a table of one organisation in use, as a long report does."""
    from tenants.models import Organisation

    organisation = Organisation.objects.get(slug=f"org-{number}")
    alias, schema = str(organisation.shard_id), str(organisation.schema_name)
    with psycopg.connect(installation.postgres.superuser_url(alias)) as connection:
        connection.execute(f"LOCK TABLE {schema}.gear_speaker IN ACCESS SHARE MODE".encode())
        time.sleep(HELD_S)


def _times(upper: dict[str, Any], one: str, lower: dict[str, Any], other: str, count: int) -> float:
    return round(float(upper[f"{one}_{count}_ms"]) / float(lower[f"{other}_{count}_ms"]), 2)


def _make(count: int) -> None:
    """Make organisations until there are `count`, each with one row."""
    from operations.actions.provisioning import Wish, provision
    from tenants.context import Actor, enter
    from tenants.models import Organisation
    from tests.rooms.gear.models import Speaker

    for number in range(Organisation.objects.count(), count):
        made = provision(
            Wish(f"org-{number}", f"O {number}", f"o{number}@o.example", "O", None, SHARDS[number % 2])
        )
        with enter(made, actor=Actor.system("bench")):
            Speaker.objects.create(name="tower", serial="1")


def _ours(what: str, *, migrated: int | None = None) -> float:
    """Return the milliseconds of migrating the fleet, measured in the owner's process."""
    words = [sys.executable, "-m", "benchmarks.fleet_migrations.ours"]
    variables = {
        **os.environ,
        "ENCLAVE_LOGIN": "owner",
        "DJANGO_SETTINGS_MODULE": "benchmarks.fleet_settings",
        "FLEET_LATER": what,
    }
    return _said(words, variables, migrated=migrated)


def _said(words: list[str], variables: dict[str, str], *, migrated: int | None = None) -> float:
    finished = subprocess.run(words, cwd=ROOT, env=variables, check=False, capture_output=True, text=True)
    if finished.returncode:
        raise RuntimeError(finished.stdout[-2000:] + finished.stderr[-2000:])
    found = json.loads(finished.stdout.splitlines()[-1])
    if migrated is not None and found["migrated"] != migrated:
        raise RuntimeError(f"{found['migrated']} were migrated, and should have been {migrated}")
    return float(found["ms"])


def _bare(installation: Installation, what: str) -> float:
    """Return the milliseconds of the statements for each schema, on two connections to each shard."""
    trigger = _trigger(installation)
    took = _each_schema(
        installation,
        lambda schema: BARE[what].format(schema=schema, trigger=trigger.replace(TEMPLATE_SCHEMA, schema)),
    )
    _each_schema(installation, lambda schema: BACK[what].format(schema=schema))
    return took


def _trigger(installation: Installation) -> str:
    """Return the text that makes the template's trigger of the trail anew."""
    query = (
        "SELECT pg_get_triggerdef(oid) FROM pg_trigger "
        f"WHERE tgname = 'audit_row' AND tgrelid = '{TEMPLATE_SCHEMA}.gear_speaker'::regclass"
    )
    with psycopg.connect(installation.postgres.superuser_url(SHARDS[0])) as connection:
        row = connection.execute(query.encode()).fetchone()
    assert row is not None  # the trail captures the example app
    return str(row[0]).replace("CREATE TRIGGER", "CREATE OR REPLACE TRIGGER", 1)


def _undo(installation: Installation, what: str) -> None:
    """Bring every organisation back to the release before, with what is written down of it."""

    def back(schema: str) -> str:
        return f"{BACK[what].format(schema=schema)}; {FORGET.format(schema=schema)}"

    _each_schema(installation, back, also=[TEMPLATE_SCHEMA])
    _ours("")


def _each_schema(
    installation: Installation, statement: Callable[[str], str], *, also: list[str] | None = None
) -> float:
    from tenants.models import Organisation

    work: list[tuple[str, list[str]]] = []
    for alias in SHARDS:
        schemas = list(Organisation.objects.filter(shard_id=alias).values_list("schema_name", flat=True))
        if also and alias == SHARDS[0]:
            schemas += also
        work += [(alias, schemas[0::2]), (alias, schemas[1::2])]

    def run(alias: str, schemas: list[str]) -> None:
        with psycopg.connect(installation.postgres.superuser_url(alias), autocommit=True) as connection:
            connection.execute("SET synchronous_commit = off")
            # The triggers of the trail want to know who acts.
            connection.execute('SET app.actor = \'{"kind": "system"}\'')
            for schema in schemas:
                connection.execute(statement(schema).encode())

    began = time.perf_counter()
    with ThreadPoolExecutor(len(work)) as pool:
        list(pool.map(lambda one: run(*one), work))
    return round((time.perf_counter() - began) * 1000, 1)


class _Stock:
    """The rival: the same tables with stock django-tenants, its schemas copied from its first."""

    def __init__(self, installation: Installation) -> None:
        self.postgres = installation.postgres
        with psycopg.connect(self.postgres.superuser_url("postgres"), autocommit=True) as connection:
            connection.execute("CREATE DATABASE stock")
        self.variables = {
            **os.environ,
            "STOCK_DATABASE_URL": self.postgres.superuser_url("stock"),
            "DJANGO_SETTINGS_MODULE": "benchmarks.fleet_migrations.stock_settings",
        }
        self.made = 0

    def make(self, count: int) -> None:
        """Make clients until there are `count`."""
        self._run("make", "", str(count))

    def migrate(self, what: str) -> float:
        """Return the milliseconds of `migrate_schemas` with the multiprocessing executor."""
        return self._run("migrate", what)

    def undo(self, what: str) -> None:
        """Bring every client back to the release before."""
        with psycopg.connect(self.postgres.superuser_url("stock"), autocommit=True) as connection:
            names = [
                name
                for (name,) in connection.execute(
                    "SELECT nspname FROM pg_namespace WHERE nspname LIKE 'stock\\_%'"
                )
            ]
            for name in names:
                connection.execute(f"{BACK[what].format(schema=name)}; {FORGET.format(schema=name)}".encode())

    def _run(self, verb: str, later: str, *words: str) -> float:
        command = [sys.executable, "-m", "benchmarks.fleet_migrations.stock", verb, *words]
        return _said(command, {**self.variables, "FLEET_LATER": later})


if __name__ == "__main__":
    main()
