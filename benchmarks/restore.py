"""Twenty of two hundred organisations go back to one moment while the others are served (F20).

All are made and filled, the server is copied, and everybody writes on. Of that moment the digests of the
twenty are remembered; then they are spoilt, and brought back by the command that operators use, which
recovers the server once for all of them. Meanwhile pages of the others are asked for, `--rate` times a
second, by a process of its own. The rival is bringing back each alone, as one of them was: twenty times
what that took.
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
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from benchmarks import installation
from benchmarks.installation import ROOT, SHARDS, Installation

OPERATORS = ("one@operators.example", "two@operators.example")
QUIET_SECONDS = 45
STEPS = ("read", "loaded", "swapped")
# What a restore itself writes; of the trail, all entries until then are compared.
WRITTEN = {"audit_event", "audit_private", "audit_epoch", "jobs_job", "jobs_outgoingmail"}
WRITTEN |= {"identity_session", "accounts_invitation"}


@dataclass(frozen=True, slots=True)
class Restored:
    """What bringing some back together took."""

    seconds: float
    rows: int
    recoveries: int
    steps: dict[str, float]


def main() -> None:
    """Make, spoil, bring back, compare; print the object."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--tenants", type=int, default=200)
    parser.add_argument("--restored", type=int, default=20)
    parser.add_argument("--records", type=int, default=300)
    parser.add_argument("--rate", type=float, default=15)
    told = parser.parse_args()
    with installation.running() as place:
        _announce(place)
        _make(told.tenants + 1, told.records)
        _manage("backup")
        spoilt, alone = range(told.restored), told.tenants
        _write(range(told.tenants + 1))
        then, moment = _digests(place, [*spoilt, alone]), _moment()
        _spoil([*spoilt, alone])
        visitors = _visitors(told.restored, told.tenants, told.rate)
        others = _digests(place, range(told.restored, told.tenants))
        _phase(visitors)
        time.sleep(QUIET_SECONDS)
        _phase(visitors)
        together = _bring_back(spoilt, moment, when_read=lambda: _phase(visitors))
        _phase(visitors)
        time.sleep(QUIET_SECONDS)
        _, before, recovering, loading, after = json.loads(_ended(visitors))
        one = _bring_back([alone], moment)
        now = _digests(place, [*spoilt, alone], then)
        same = _digests(place, others)
    quiet, during = _served(before + after), _served(recovering + loading)
    figures = {
        "organisations": told.tenants,
        "restored": told.restored,
        "seconds": round(together.seconds, 1),
        "recoveries": together.recoveries,
        "seconds_of_each": together.steps,
        "digests_equal": sum(now[number] == then[number] for number in spoilt),
        "rows_verified": together.rows,
        "others_untouched": sum(same[number] == others[number] for number in others),
        "others_failed": quiet["failed"] + during["failed"],
        "others_before": _served(before),
        "others_during": during,
        "others_while_recovering": _served(recovering),
        "others_while_loading": _served(loading),
        "others_after": _served(after),
    }
    installation.report(
        "restore",
        figures=figures,
        baselines={"one_alone_seconds": round(one.seconds, 1)},
        ratios={
            # Before and after together: a busy machine is not busy in the same way for ten minutes.
            "others_p99": round(during["p99_ms"] / quiet["p99_ms"], 2),
            "others_median": round(during["median_ms"] / quiet["median_ms"], 2),
            "together_vs_one_by_one": round(together.seconds / (one.seconds * told.restored), 2),
            "of_ten_minutes": round(together.seconds / 600, 3),
        },
    )


def _announce(place: Installation) -> None:
    """Say where the log is archived and back-ups lie, as an operator does."""
    for alias in SHARDS:
        os.environ[f"{alias.upper()}_WAL_ARCHIVE"] = str(place.postgres.archive)
    os.environ["ENCLAVE_BACKUPS"] = str(place.folder / "backups")


def _make(count: int, records: int) -> None:
    from django.db import connections
    from django.utils import timezone

    from accounts.identity.models import User
    from operations.actions.provisioning import Wish, provision
    from records.actions import collections
    from records.models import Record
    from records.values import FieldSpec, FieldType
    from tenants.context import Actor, control_plane, enter

    with control_plane():
        for email in OPERATORS:
            User.objects.create(email=email, name=email, is_staff=True, is_active=True)
    fields = (FieldSpec("f_name", "Name", FieldType.TEXT), FieldSpec("f_size", "Size", FieldType.INTEGER))
    for number in range(count):
        wish = Wish(f"org-{number}", f"Org {number}", f"o{number}@o.example", "O", None, SHARDS[number % 2])
        made = provision(wish)
        with enter(made, actor=Actor.system("bench")):
            collection = collections.create(
                name="Gear", fields=fields, by=User.objects.get(), at=timezone.now()
            )
            Record.objects.bulk_create(
                Record(collection=collection, values={"f_name": f"Tower {one}", "f_size": one})
                for one in range(records)
            )
        if number % 50 == 0:
            connections.close_all()  # a connection keeps a plan for everything it did
    connections.close_all()


def _entered(numbers: Any) -> Any:
    """Enter organisations one after the other."""
    from tenants.context import Actor, enter
    from tenants.models import Organisation

    for number in numbers:
        with enter(Organisation.objects.get(slug=f"org-{number}"), actor=Actor.system("bench")):
            yield number


def _write(numbers: Any) -> None:
    """What is done after the back-up and before the moment: it is only in the log."""
    from records.models import Collection, Record

    for number in _entered(numbers):
        Record.objects.create(
            collection=Collection.objects.get(), values={"f_name": f"Late {number}", "f_size": number}
        )


def _spoil(numbers: Any) -> None:
    from records.models import Record

    for _ in _entered(numbers):
        half = Record.objects.filter(values__f_size__lt=150)
        half.delete()
        Record.objects.update(values={"f_name": "spoilt", "f_size": 0})


def _moment() -> datetime:
    """Return a moment after everything so far and before everything to come."""
    time.sleep(0.1)
    found = datetime.now(UTC)
    time.sleep(0.1)
    return found


@dataclass(frozen=True, slots=True)
class Held:
    """What an organisation holds: a digest of each table, and of its trail's first entries."""

    tables: dict[str, str]
    entries: int
    trail: str


def _digests(place: Installation, numbers: Any, of: dict[int, Held] | None = None) -> dict[int, Held]:
    """Look at organisations; of the trail as many entries as there were, if `of` says so."""
    from operations.restoring import bundle
    from tenants.models import Organisation

    found = {}
    for number in numbers:
        organisation = Organisation.objects.get(slug=f"org-{number}")
        schema = str(organisation.schema_name)
        with bundle.pinned(place.postgres.superuser_url(str(organisation.shard_id))) as connection:
            tables = bundle.digests(connection, schema)
            row = connection.execute(
                "SELECT count(*), md5(string_agg(event::text, '' ORDER BY epoch, txid, eid)) "
                f"FROM (SELECT * FROM {schema}.audit_event ORDER BY epoch, txid, eid LIMIT %s) "
                "AS event".encode(),
                [of[number].entries if of else None],
            ).fetchone()
        assert row is not None  # a query without GROUP BY
        held = {name: str(about) for name, about in tables.items() if name not in WRITTEN}
        found[number] = Held(held, *row)
    return found


def _visitors(first: int, last: int, rate: float) -> "subprocess.Popen[str]":
    process = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.restore_visitors", str(first), str(last), str(rate)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    if not process.stdout.readline():
        raise SystemExit("Nobody could be visited.")
    return process


def _phase(visitors: "subprocess.Popen[str]") -> None:
    assert visitors.stdin is not None
    visitors.stdin.write("next\n")
    visitors.stdin.flush()


def _ended(visitors: "subprocess.Popen[str]") -> str:
    said, _ = visitors.communicate(timeout=120)
    return said.splitlines()[-1]


def _served(visits: list[tuple[float, bool]]) -> dict[str, Any]:
    times = [ms for ms, _ in visits]
    return {
        "requests": len(visits),
        "failed": sum(not went_well for _, went_well in visits),
        "median_ms": round(installation.percentile(times, 0.5), 1),
        "p99_ms": round(installation.percentile(times, 0.99), 1),
        "longest_ms": round(max(times), 1),
    }


def _bring_back(numbers: Any, moment: datetime, when_read: Callable[[], None] = lambda: None) -> Restored:
    """Ask, approve as somebody else, and wait for the end, with the operators' command.

    `when_read` is called once the server has been recovered and the first one was read from it.
    """
    from operations.models import Restore

    slugs = [f"org-{number}" for number in numbers]
    words = ["restore", *slugs, "--count", str(len(slugs))]
    began = time.perf_counter()
    _manage(*words, "--at", moment.isoformat(), "--reason", "A disaster", "--by", OPERATORS[0])
    approving = threading.Thread(
        target=_manage, args=(*words, "--approve", "--by", OPERATORS[1]), kwargs={"typed": "\n".join(slugs)}
    )
    approving.start()
    mine = Restore.objects.filter(organisation__slug__in=slugs)
    while approving.is_alive() and not mine.exclude(step__in=["asked", "approved"]).exists():
        time.sleep(0.1)
    when_read()
    approving.join()
    seconds = time.perf_counter() - began
    done = mine.filter(step="done")
    if len(done) != len(slugs):
        raise SystemExit(f"{len(slugs) - len(done)} were not brought back.")
    recoveries = done.values_list("result__recovered_at", flat=True).distinct().count()
    taken = {step: [one.result["seconds"][step] for one in done] for step in STEPS}
    steps = {step: round(statistics.median(seconds), 2) for step, seconds in taken.items()}
    # The first one waits for the recovery, which is all that the others have to read from.
    steps["recovery"] = round(max(taken["read"]) - steps["read"], 2)
    return Restored(seconds, sum(one.result["rows"] for one in done), recoveries, steps)


def _manage(*words: str, typed: str = "") -> None:
    """Run a command as the owner; what it says is no part of the object."""
    finished = subprocess.run(
        [sys.executable, str(ROOT / "manage.py"), *words],
        cwd=ROOT,
        env={**os.environ, "ENCLAVE_LOGIN": "owner"},
        input=f"{typed}\n",
        capture_output=True,
        text=True,
        check=False,
    )
    if finished.returncode:
        raise SystemExit(finished.stdout[-3000:] + finished.stderr[-3000:])


if __name__ == "__main__":
    main()
