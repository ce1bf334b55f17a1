"""The rules: what a change would do to the code of the release before, to the disk, and to who waits.

Each says what is wrong, and how it is done in several releases instead.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum

from operations.fleet.safety.changes import Change, Flag, Verb
from operations.fleet.safety.collecting import FOUND


class Rule(StrEnum):
    """What can be wrong with a migration. The texts are shown to its author."""

    RENAMED = "renamed"
    STILL_USED = "still used"
    GONE = "taken away"
    REQUIRED = "required at once"
    LEFT_REQUIRED = "left required"
    TIGHTENED = "tightened"
    CHOICE_REMOVED = "choice removed"
    OTHER_TYPE = "another type"
    REWRITTEN = "rewritten"
    SCANNED = "scanned under a lock"
    WRITTEN = "written at once"
    LOCKED = "locked"
    TOGETHER = "locked together"
    OUTSIDE = "not in a transaction"
    UNDECLARED = "not declared"
    UNREADABLE = "not readable"
    MIXED = "mixed"
    FOLLOWS_NOTHING = "follows nothing"


WHAT: dict[Rule, str] = {
    Rule.RENAMED: "The release before this one still asks for the old name, and fails while both serve.",
    Rule.STILL_USED: "The release before this one has it in its models, so it reads and writes it.",
    Rule.GONE: "What goes must have been given up by a release before this one.",
    Rule.REQUIRED: "The release before this one adds rows without it, and its rows are refused.",
    Rule.LEFT_REQUIRED: "This release adds rows without it, but the column is NOT NULL and has no default.",
    Rule.TIGHTENED: "The release before this one may still write what is no longer allowed.",
    Rule.CHOICE_REMOVED: "The release before this one may still write a choice that this one does not know.",
    Rule.OTHER_TYPE: "The release before this one reads and writes the old type.",
    Rule.REWRITTEN: "A large table is written anew while nobody can read it.",
    Rule.SCANNED: "A large table is read from end to end while nobody can write it.",
    Rule.WRITTEN: "All rows of a large table are written in one transaction.",
    Rule.LOCKED: "A table is locked, or rebuilt while it is locked.",
    Rule.TOGETHER: "Several large tables are locked in one transaction, which waits for some of them.",
    Rule.OUTSIDE: "This cannot, or must not, run in one transaction with other things.",
    Rule.UNDECLARED: "Nobody can see from outside what this does.",
    Rule.UNREADABLE: "This SQL is not understood here.",
    Rule.MIXED: "It takes away and adds; who has to wait for the one would wait for the other too.",
    Rule.FOLLOWS_NOTHING: "It does not say, or not rightly, which release and which backfill it follows.",
}

SPLIT: dict[Rule, str] = {
    Rule.RENAMED: (
        "Add the new one and write both (this release), copy with a backfill, read the new one and "
        "stop_using the old (next release), drop it (the release after)."
    ),
    Rule.STILL_USED: (
        "In this release take it from the models with stop_using or stop_using_model (tenants.changing). "
        "In the next one drop it with drop_column or drop_table, in a migration with `contracts`."
    ),
    Rule.GONE: (
        "Give the migration `contracts = Contracts(expand=…)` with the migration, of an earlier release, "
        "that stopped using it."
    ),
    Rule.REQUIRED: (
        "Give the field `null=True` or `db_default=…` in this release; fill it with a backfill; make it NOT "
        "NULL in the next one, in a migration with `contracts`."
    ),
    Rule.LEFT_REQUIRED: "Give the field `null=True` or `db_default=…` before it is taken from the models.",
    Rule.TIGHTENED: (
        "Let this release write only what will be allowed, and mend old rows with a backfill. Tighten in the "
        "next release, in a migration with `contracts = Contracts(expand=…, backfill=…)`."
    ),
    Rule.CHOICE_REMOVED: (
        "Stop offering it in this release, change old rows with a backfill, and remove it in the next one, "
        "in a migration with `contracts`."
    ),
    Rule.OTHER_TYPE: (
        "Add a column of the new type and write both (this release), copy with a backfill, read the new one "
        "and stop_using the old (next release), drop it (the release after)."
    ),
    Rule.REWRITTEN: (
        "Add a column without such a default, or of the new type, and fill it with a backfill; in the next "
        "release use it alone."
    ),
    Rule.SCANNED: (
        "Make indexes with AddIndexConcurrently (unique ones: CREATE UNIQUE INDEX CONCURRENTLY, then ADD "
        "CONSTRAINT … USING INDEX), add checks and keys with AddConstraintNotValid and validate them with "
        "ValidateConstraint in a migration of its own; NOT NULL comes after a validated check IS NOT NULL."
    ),
    Rule.WRITTEN: "Write a backfill (jobs.backfills), which changes some rows at a time.",
    Rule.LOCKED: "Leave it out: use CONCURRENTLY where there is such a form, and run VACUUM without FULL.",
    Rule.TOGETHER: "One migration for each of the tables.",
    Rule.OUTSIDE: "Give it a migration of its own, with `atomic = False` and this one operation.",
    Rule.UNDECLARED: "Wrap it: declared(operation, Kind.…, because=…) of tenants.changing.",
    Rule.UNREADABLE: "Wrap it: declared(operation, Kind.…, because=…), and say for how long it locks what.",
    Rule.MIXED: "One migration for what is added, and another one, with `contracts`, for what goes.",
    Rule.FOLLOWS_NOTHING: (
        "contracts = Contracts(expand='app.migration of an earlier release', backfill='app.backfill' of an "
        "earlier release, or because='why nothing has to be filled')."
    ),
}

# What a migration may do that says rightly what it follows.
CONTRACTED = frozenset({Rule.GONE, Rule.TIGHTENED, Rule.CHOICE_REMOVED})
Column = tuple[str, str]


@dataclass(slots=True)
class Ground:
    """What the rules have to know beside the change.

    `large` has tables with why they are; `used` the columns of each table in the models of the release
    before; `made` and `added` are what this release adds; `columns` are those of a table now. `never_null`
    columns have a validated check; `widened` ones change their type without being written; `loosened`
    and `checks` are names of constraints.
    """

    large: frozenset[str] = frozenset()
    used: dict[str, frozenset[str]] = field(default_factory=dict)
    made: set[str] = field(default_factory=set)
    added: set[Column] = field(default_factory=set)
    columns: dict[str, frozenset[str]] = field(default_factory=dict)
    never_null: set[Column] = field(default_factory=set)
    widened: dict[Column, bool] = field(default_factory=dict)
    loosened: set[str] = field(default_factory=set)
    checks: set[str] = field(default_factory=set)
    unique_indexes: set[str] = field(default_factory=set)
    undefaulted: set[Column] = field(default_factory=set)
    is_atomic: bool = True


def broken_by(change: Change, ground: Ground) -> Iterator[Rule]:
    """Yield the rules that a change breaks. What this release itself has made, nobody else knows."""
    if change.table and change.table in ground.made:
        return
    yield from _for_old_code(change, ground)
    yield from _for_who_waits(change, ground)


def _for_old_code(change: Change, ground: Ground) -> Iterator[Rule]:
    at = (change.table, change.column)
    is_new = at in ground.added
    match change.verb:
        case Verb.RENAME_TABLE | Verb.RENAME_COLUMN:
            if not is_new:
                yield Rule.RENAMED
        case Verb.DROP_TABLE:
            yield Rule.STILL_USED if change.table in ground.used else Rule.GONE
        case Verb.DROP_COLUMN:
            if not is_new:
                is_used = change.column in ground.used.get(change.table, ())
                yield Rule.STILL_USED if is_used else Rule.GONE
        case Verb.DROP_CODE:
            yield Rule.GONE
        case Verb.ADD_COLUMN:
            has_default = Flag.DEFAULT in change.flags and at not in ground.undefaulted
            # The release before adds rows with the default, and the second one would be refused.
            repeats = Flag.UNIQUE in change.flags and Flag.DEFAULT in change.flags
            if (Flag.NOT_NULL in change.flags and not has_default) or repeats:
                yield Rule.REQUIRED
        case Verb.SET_TYPE:
            if not is_new and at not in ground.widened:
                yield Rule.OTHER_TYPE
        case Verb.SET_NOT_NULL | Verb.DROP_DEFAULT:
            if not is_new:
                yield Rule.TIGHTENED
        case Verb.ADD_CONSTRAINT | Verb.CREATE_INDEX:
            is_plain = change.verb is Verb.CREATE_INDEX and Flag.UNIQUE not in change.flags
            if not is_plain and change.column not in ground.loosened and not _only_new(change, ground):
                yield Rule.TIGHTENED
        case Verb.DROP_CONSTRAINT:
            is_freeing = change.column in ground.checks or change.column.startswith(
                (f"{FOUND}_foreign_key", f"{FOUND}_check")
            )
            if not is_freeing:
                yield Rule.GONE
        case Verb.DROP_INDEX:
            if change.column in ground.unique_indexes:
                yield Rule.GONE


def _only_new(change: Change, ground: Ground) -> bool:
    """Return whether only columns are concerned that the release before does not write."""
    concerned = change.names & ground.columns.get(change.table, frozenset())
    return bool(concerned) and all((change.table, name) in ground.added for name in concerned)


def _for_who_waits(change: Change, ground: Ground) -> Iterator[Rule]:
    flags = change.flags
    if change.verb in (Verb.LOCK, Verb.REBUILD):
        yield Rule.LOCKED
    if Flag.CONCURRENTLY in flags and ground.is_atomic:
        yield Rule.OUTSIDE
    if change.table not in ground.large:
        return
    match change.verb:
        case Verb.ADD_COLUMN:
            if Flag.VOLATILE in flags:
                yield Rule.REWRITTEN
            if flags & {Flag.UNIQUE, Flag.CHECK} or {Flag.REFERENCES, Flag.DEFAULT} <= flags:
                yield Rule.SCANNED
        case Verb.SET_TYPE:
            if not ground.widened.get((change.table, change.column), False):
                yield Rule.REWRITTEN
        case Verb.SET_NOT_NULL:
            if (change.table, change.column) not in ground.never_null:
                yield Rule.SCANNED
        case Verb.ADD_CONSTRAINT:
            if not flags & {Flag.NOT_VALID, Flag.USING_INDEX}:
                yield Rule.SCANNED
        case Verb.CREATE_INDEX:
            if Flag.CONCURRENTLY not in flags:
                yield Rule.SCANNED
        case Verb.VALIDATE:
            # Text of several migrations is sent as one transaction, which may hold the table already.
            if ground.is_atomic:
                yield Rule.OUTSIDE
        case Verb.WRITE:
            yield Rule.WRITTEN


# What takes the table from everybody, if only for a moment.
EXCLUSIVE = frozenset(
    {
        *(Verb.ADD_COLUMN, Verb.DROP_COLUMN, Verb.RENAME_TABLE, Verb.RENAME_COLUMN, Verb.SET_TYPE),
        *(Verb.SET_NOT_NULL, Verb.DROP_NOT_NULL, Verb.SET_DEFAULT, Verb.DROP_DEFAULT),
        *(Verb.ADD_CONSTRAINT, Verb.DROP_CONSTRAINT, Verb.DROP_TABLE, Verb.LOCK),
    }
)
