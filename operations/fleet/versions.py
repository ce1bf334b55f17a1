"""The organisations at one version: one of them is migrated for real, the others by its recording."""

import logging
import time
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, field, replace
from uuid import UUID

from django.conf import settings
from django.db import OperationalError, connections
from psycopg.conninfo import make_conninfo

from operations.fleet.ledger import written
from operations.fleet.recording import migrate_and_record
from operations.fleet.running import MOST_TRIES, is_locked, run, said
from operations.fleet.runs import FleetStopped, Run
from operations.fleet.work import Outcome, Target, Work
from operations.models import FleetState
from tenants.context import as_owner
from tenants.models import Organisation
from tenants.schema import version_at
from tenants.staying import LivesElsewhere

logger = logging.getLogger(__name__)

MOST_CANARIES = 3
FAILED_SHARE = 0.1  # of a version's organisations; beyond it the fault lies with the migration
FAILED_FEW = 5


@dataclass(slots=True)
class Versions:
    """Migrates version by version. What was recorded for one ring serves the next."""

    at_work: Run
    recorded: dict[str, Work] = field(default_factory=dict)

    def migrate(self, version: str, group: Sequence[Organisation]) -> Iterator[FleetState]:
        """Migrate the organisations that are said to be at one version, and yield the state of each.

        One that is found elsewhere is only written down. Raises FleetStopped when a share of them
        failed, or somebody asked to stop; whoever was not reached is left as it is.
        """
        if not group:
            return
        by_id = {organisation.pk: organisation for organisation in group}
        targets = [Target(one.pk, str(one.shard_id), str(one.schema_name)) for one in group]
        if not version:
            yield from self._write(by_id, map(_look, targets))
            return
        work = self.recorded.get(version)
        if work is None:
            last = yield from self._record(version, targets, by_id)
            work = self.recorded.get(version)
            targets = [target for target in targets if target.id in by_id]
            if work is None and last.error and targets:
                raise FleetStopped(f"{len(group) - len(targets)} failed one after the other: {last.error}")
        if work is None:
            # The first was not where it was said to be, so nothing that was said of the others is believed.
            yield from self._write(by_id, map(_look, targets))
            return
        yield from self._replay(work, targets, by_id, of=len(group))

    def _record(
        self, version: str, targets: Sequence[Target], by_id: dict[UUID, Organisation]
    ) -> Generator[FleetState, None, Outcome]:
        """Migrate one for real, a few at most if they fail; return what became of the last of them."""
        for canary in targets[:MOST_CANARIES]:
            outcome, work = _canary(canary, version)
            yield from self._write(by_id, iter([outcome]))
            del by_id[canary.id]
            if work is not None:
                self.recorded[version] = work
            if work is not None or not (outcome.error or outcome.waits):
                break
        return outcome

    def _replay(
        self, work: Work, targets: Sequence[Target], by_id: dict[UUID, Organisation], *, of: int
    ) -> Iterator[FleetState]:
        most, failed = max(FAILED_FEW, round(of * FAILED_SHARE)), 0
        outcomes = run(work, targets, addresses=_addresses(), most_failed=most, stop=self.at_work.stop)
        for state in self._write(by_id, outcomes):
            failed += bool(state.error)
            yield state
        if failed > most:
            raise FleetStopped(f"{failed} of {of} failed; the others were left as they are.")
        self.at_work.check()

    def _write(self, by_id: dict[UUID, Organisation], outcomes: Iterator[Outcome]) -> Iterator[FleetState]:
        for states in written(by_id, outcomes):
            self.at_work.count(states)
            yield from states


def _look(target: Target) -> Outcome:
    """Find out at which version a schema is of which nothing was written down."""
    with as_owner(target.alias, target.schema):
        return Outcome(target, version_at(target.alias, target.schema))


def _canary(target: Target, version: str) -> tuple[Outcome, Work | None]:
    """Migrate one schema for real; return what became of it, and the work for the others if it was done."""
    began = time.perf_counter()
    try:
        there = _look(target).version
        if there != version:
            return Outcome(target, there), None
        parts = migrate_and_record(target.alias, target.schema)
    except OperationalError as problem:
        connections[target.alias].close()
        if is_locked(problem) and target.tries + 1 < MOST_TRIES:
            return _canary(replace(target, tries=target.tries + 1), version)
        return Outcome(target, "", said(problem), took_ms=_ms_since(began)), None
    except LivesElsewhere as elsewhere:
        return Outcome(target, "", waits=str(elsewhere)), None
    except Exception as problem:
        # Whatever one organisation's data does to a migration must not keep the others from theirs.
        logger.exception("schema %s was not migrated", target.schema)
        # Whatever became of the connection must not keep the others from theirs either.
        connections[target.alias].close()
        return Outcome(target, "", said(problem), took_ms=_ms_since(began)), None
    return Outcome(target, parts[-1].aim, took_ms=_ms_since(began)), Work(parts, version, target.schema)


def _ms_since(began: float) -> float:
    return (time.perf_counter() - began) * 1000


def _addresses() -> dict[str, str]:
    found = {}
    for alias in settings.SHARD_ALIASES:
        database = connections[alias].settings_dict
        found[alias] = make_conninfo(
            host=database["HOST"],
            port=database["PORT"],
            user=database["USER"],
            password=database["PASSWORD"],
            dbname=database["NAME"],
        )
    return found
