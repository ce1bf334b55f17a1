"""Judging a release: its migrations, one after the other, against the models of the release before."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.contrib.postgres import operations as of_postgres
from django.db import models
from django.db.migrations import Migration, RunPython, RunSQL
from django.db.migrations import operations as of_django
from django.db.migrations.operations.base import Operation
from django.db.migrations.operations.fields import AlterField, FieldOperation, RemoveField
from django.db.migrations.operations.special import SeparateDatabaseAndState
from django.db.migrations.state import ProjectState

from operations.fleet.safety.changes import Change, Verb
from operations.fleet.safety.collecting import parts_of, statements_of, steps_of
from operations.fleet.safety.fields import has_fewer_choices, is_loosened, is_never_null, type_step
from operations.fleet.safety.reading import read
from operations.fleet.safety.rules import CONTRACTED, EXCLUSIVE, SPLIT, WHAT, Ground, Rule, broken_by
from tenants.changing import Kind, contracts_of, declaration_of

# What is understood without a word of its author. Subclasses are not: they may do anything.
KNOWN = frozenset(
    {
        *(of_django.CreateModel, of_django.DeleteModel, of_django.RenameModel, of_django.AlterModelTable),
        *(of_django.AlterModelOptions, of_django.AlterModelManagers, of_django.AlterModelTableComment),
        *(of_django.AddField, of_django.RemoveField, of_django.AlterField, of_django.RenameField),
        *(of_django.AddIndex, of_django.RemoveIndex, of_django.RenameIndex),
        *(of_django.AddConstraint, of_django.RemoveConstraint, of_django.AlterUniqueTogether),
        *(of_postgres.AddIndexConcurrently, of_postgres.RemoveIndexConcurrently),
        *(of_postgres.AddConstraintNotValid, of_postgres.ValidateConstraint),
    }
)
_ADDING = frozenset({Verb.CREATE_TABLE, Verb.ADD_COLUMN})


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong, on which operation, and how to split it."""

    rule: Rule
    operation: str
    detail: str = ""

    def __str__(self) -> str:
        detail = f" ({self.detail})" if self.detail else ""
        return (
            f"{self.operation}: {self.rule.value}{detail}. {WHAT[self.rule]}\n  Instead: {SPLIT[self.rule]}"
        )


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a migration is, and what is wrong with it."""

    migration: str
    kind: Kind
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True)
class Earlier:
    """What earlier releases brought: their migrations, their backfills, and the models of the last one."""

    state: ProjectState
    migrations: Collection[str] = ()
    backfills: Collection[str] = ()
    unvalidated: Collection[str] = ()


@dataclass(slots=True)
class _Seen:
    """What has been found out about one migration so far."""

    problems: list[Problem] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)
    kinds: set[Kind] = field(default_factory=set)
    removed_checks: dict[str, models.CheckConstraint] = field(default_factory=dict)


def judge(plan: Sequence[Migration], earlier: Earlier, *, large: Collection[str]) -> list[Verdict]:
    """Judge the migrations of a release in the order in which they are applied."""
    state = earlier.state.clone()
    ground = Ground(large=frozenset(large), used=columns_of(earlier.state))
    unvalidated = set(earlier.unvalidated)
    return [_judge_one(migration, state, ground, earlier, unvalidated) for migration in plan]


def columns_of(state: ProjectState) -> dict[str, frozenset[str]]:
    """Return the columns of each table that the models of a state know."""
    found: dict[str, frozenset[str]] = {}
    for model in state.apps.get_models(include_auto_created=True, include_swapped=True):
        columns = {str(one.column) for one in model._meta.local_concrete_fields}
        found[model._meta.db_table] = found.get(model._meta.db_table, frozenset()) | columns
    return found


def _judge_one(
    migration: Migration, state: ProjectState, ground: Ground, earlier: Earlier, unvalidated: set[str]
) -> Verdict:
    ground.is_atomic = migration.atomic
    seen = _Seen()
    for number, (operation, before, after) in enumerate(steps_of(migration, state), start=1):
        name = f"operation {number}, {operation.describe()}"
        _learn(operation, migration.app_label, before, ground, unvalidated)
        for rule, detail in _of_models(operation, migration.app_label, before, after):
            seen.problems.append(Problem(rule, name, detail))
        for inner, here, moved in parts_of(operation, migration.app_label, before):
            _judge_operation(inner, name, migration.app_label, here, moved, ground, seen)
    _judge_whole(migration, ground, seen)
    return _settled(migration, seen, earlier)


def _learn(
    operation: Operation, app_label: str, before: ProjectState, ground: Ground, unvalidated: set[str]
) -> None:
    """Find out what the rules want to know of the models at this place."""
    ground.columns = columns_of(before)
    for model in (one for (app, _), one in before.models.items() if app == app_label):
        table = str(model.options.get("db_table") or f"{app_label}_{model.name_lower}")
        for constraint in model.options.get("constraints", ()):
            if isinstance(constraint, models.CheckConstraint):
                ground.checks.add(constraint.name)
                if (column := is_never_null(constraint)) and constraint.name not in unvalidated:
                    ground.never_null.add((table, column))
            elif isinstance(constraint, models.UniqueConstraint):
                ground.unique_indexes.add(constraint.name)
    if isinstance(operation, of_postgres.AddConstraintNotValid):
        unvalidated.add(operation.constraint.name)
    if isinstance(operation, of_postgres.ValidateConstraint):
        unvalidated.discard(operation.name)


def _of_models(
    operation: Operation, app_label: str, before: ProjectState, after: ProjectState
) -> Iterator[tuple[Rule, str]]:
    """Yield what is wrong and shows in the models only, not in SQL."""
    inner: Sequence[Operation] = [operation]
    if isinstance(operation, SeparateDatabaseAndState):
        inner = operation.state_operations
        dropped = {change.column for change in _sent_as_written(operation) if change.verb is Verb.DROP_COLUMN}
        for one in inner:
            if isinstance(one, RemoveField):
                old = _field(before, app_label, one)
                if not (old.null or old.has_db_default() or old.many_to_many) and old.column not in dropped:
                    yield Rule.LEFT_REQUIRED, f"{one.model_name}.{one.name}"
    for one in inner:
        if not isinstance(one, AlterField):
            continue
        if fewer := has_fewer_choices(_field(before, app_label, one), _field(after, app_label, one)):
            yield Rule.CHOICE_REMOVED, fewer


def _sent_as_written(operation: SeparateDatabaseAndState) -> list[Change]:
    texts = [one.sql for one in operation.database_operations if isinstance(one, RunSQL)]
    return [change for text in texts if isinstance(text, str) for change in read(text)]


def _field(state: ProjectState, app_label: str, operation: FieldOperation) -> Any:
    return state.apps.get_model(app_label, operation.model_name)._meta.get_field(operation.name)


def _judge_operation(
    operation: Operation,
    name: str,
    app_label: str,
    before: ProjectState,
    after: ProjectState,
    ground: Ground,
    seen: _Seen,
) -> None:
    said = declaration_of(operation)
    if said is not None:
        seen.kinds.add(said.kind)
    if type(operation) not in KNOWN and said is None and not _does_nothing(operation):
        seen.problems.append(Problem(Rule.UNDECLARED, name))
        if not isinstance(operation, RunSQL):
            return
    try:
        statements = statements_of(operation, app_label, before, after)
    except RuntimeError as problem:
        if said is None:
            seen.problems.append(Problem(Rule.UNDECLARED, name, str(problem)))
        return
    changes = [change for statement in statements for change in read(statement)]
    _look_at_fields(operation, app_label, before, after, ground, seen)
    ground.undefaulted |= {(one.table, one.column) for one in changes if one.verb is Verb.DROP_DEFAULT}
    for change in changes:
        if change.verb is Verb.UNREADABLE and said is None:
            seen.problems.append(Problem(Rule.UNREADABLE, name, change.text))
        for rule in broken_by(change, ground):
            seen.problems.append(Problem(rule, name, change.text))
        _note(change, ground)
    seen.changes += changes


def _does_nothing(operation: Operation) -> bool:
    if isinstance(operation, RunPython):
        return operation.code is RunPython.noop
    return isinstance(operation, RunSQL) and not operation.sql


def _look_at_fields(
    operation: Operation,
    app_label: str,
    before: ProjectState,
    after: ProjectState,
    ground: Ground,
    seen: _Seen,
) -> None:
    """Find out which types grow, and which checks are replaced by wider ones."""
    if isinstance(operation, AlterField):
        old, new = (_field(state, app_label, operation) for state in (before, after))
        step = type_step(old, new)
        if step is not None:
            ground.widened[new.model._meta.db_table, str(new.column)] = step
    if isinstance(operation, of_django.RemoveConstraint):
        model = before.models[app_label, operation.model_name_lower]
        found = model.get_constraint_by_name(operation.name)
        if isinstance(found, models.CheckConstraint):
            seen.removed_checks[found.name] = found
    if isinstance(operation, of_django.AddConstraint):
        check = operation.constraint
        if isinstance(check, models.CheckConstraint) and any(
            is_loosened(old, check) for old in seen.removed_checks.values()
        ):
            ground.loosened.add(check.name)


def _note(change: Change, ground: Ground) -> None:
    if change.verb is Verb.CREATE_TABLE:
        ground.made.add(change.table)
    if change.verb is Verb.ADD_COLUMN:
        ground.added.add((change.table, change.column))


def _judge_whole(migration: Migration, ground: Ground, seen: _Seen) -> None:
    whole = "the whole migration"
    held = {one.table for one in seen.changes if one.verb in EXCLUSIVE} & ground.large - ground.made
    if migration.atomic and len(held) > 1:
        seen.problems.append(Problem(Rule.TOGETHER, whole, ", ".join(sorted(held))))
    if not migration.atomic and len(migration.operations) > 1:
        seen.problems.append(Problem(Rule.OUTSIDE, whole, "half of it stays done when it fails"))


def _settled(migration: Migration, seen: _Seen, earlier: Earlier) -> Verdict:
    """Decide what the migration is, and forgive what it may do as the contract of an earlier release."""
    name = f"{migration.app_label}.{migration.name}"
    problems = list(dict.fromkeys(seen.problems))
    takes = any(problem.rule in CONTRACTED for problem in problems) or Kind.CONTRACT in seen.kinds
    said = contracts_of(migration)
    if takes or said is not None:
        if wrong := _wrong_with(migration, takes, earlier):
            problems.append(Problem(Rule.FOLLOWS_NOTHING, "the whole migration", wrong))
        else:
            problems = [problem for problem in problems if problem.rule not in CONTRACTED]
        if any(change.verb in _ADDING for change in seen.changes):
            problems.append(Problem(Rule.MIXED, "the whole migration"))
    if takes:
        kind = Kind.CONTRACT
    elif Kind.BACKFILL in seen.kinds:
        kind = Kind.BACKFILL
    elif Kind.EXPAND in seen.kinds or any(one.verb is not Verb.HARMLESS for one in seen.changes):
        kind = Kind.EXPAND
    else:
        kind = Kind.NEUTRAL
    return Verdict(name, kind, tuple(problems))


def _wrong_with(migration: Migration, takes: bool, earlier: Earlier) -> str:
    """Return what is wrong with what a migration says it follows; "" if nothing is."""
    said = contracts_of(migration)
    if said is None:
        return "it has no `contracts`"
    if not takes:
        return "nothing in it takes away or tightens anything"
    if said.expand not in earlier.migrations:
        return f"{said.expand} is in no earlier release"
    if said.backfill and said.backfill not in earlier.backfills:
        return f"the backfill {said.backfill} is in no earlier release"
    if not said.backfill and not said.because.strip():
        return "it names no backfill, and does not say why none is needed"
    return ""
