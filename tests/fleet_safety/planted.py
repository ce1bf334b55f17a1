"""Migrations planted in the example app, which is large, judged against its models of the release before."""

from collections.abc import Sequence
from functools import cache
from typing import Any

from django.db import migrations, models
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ProjectState

from operations.fleet.safety.judging import Earlier, Verdict, judge
from tenants.changing import Contracts

TABLE = "gear_speaker"
EXPANDED = "gear.0001_initial"
FOLLOWING = Contracts(expand=EXPANDED, backfill="gear.loudness")


@cache
def released() -> ProjectState:
    """Return the models of all apps, as the release before has them."""
    return MigrationLoader(None, ignore_no_migrations=True).project_state()


def earlier(*before: Operation) -> Earlier:
    """Return what the release before brought; operations of it may be added."""
    state = released().clone()
    unvalidated = set()
    for operation in before:
        operation.state_forwards("gear", state)
        if type(operation).__name__ == "AddConstraintNotValid":
            unvalidated.add(operation.constraint.name)  # type: ignore[attr-defined]  # it has one
    return Earlier(state, {EXPANDED}, {"gear.loudness"}, unvalidated)


def migration(*operations: Operation, name: str = "0002_planted", **attributes: Any) -> Any:
    """Return a migration of the example app."""
    made = type("Migration", (migrations.Migration,), {"operations": list(operations), **attributes})
    return made(name, "gear")


def judged(
    *operations: Operation, before: Sequence[Operation] = (), large: bool = True, **attributes: Any
) -> Verdict:
    """Judge one migration."""
    tables = {TABLE} if large else set()
    return judge([migration(*operations, **attributes)], earlier(*before), large=tables)[0]


def rules(verdict: Verdict) -> set[str]:
    """Return the names of the rules that a migration breaks."""
    return {problem.rule.name for problem in verdict.problems}


def field(name: str, of: models.Field[Any, Any]) -> Operation:
    """Return an operation that adds a field."""
    return migrations.AddField("speaker", name, of)


def altered(name: str, of: models.Field[Any, Any]) -> Operation:
    """Return an operation that changes a field."""
    return migrations.AlterField("speaker", name, of)
