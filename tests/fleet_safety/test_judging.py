"""Each kind of change is what it is, and each kind of danger is refused with a way out."""

from typing import Any

import pytest
from django.contrib.postgres.operations import AddConstraintNotValid, AddIndexConcurrently, ValidateConstraint
from django.db import migrations, models
from django.db.models import CheckConstraint, Index, Q, UniqueConstraint
from django.db.models.functions import Now, Random

from operations.fleet.safety.judging import judge
from operations.fleet.safety.rules import SPLIT, WHAT, Rule
from tenants.changing import (
    Contracts,
    Kind,
    declared,
    drop_column,
    drop_table,
    stop_using,
    stop_using_model,
)
from tenants.models.base import UUIDv7
from tests.fleet_safety.planted import FOLLOWING, altered, earlier, field, judged, migration, rules

STATES = [("ok", "In order"), ("broken", "Broken")]
NOT_NULL = CheckConstraint(name="watts_there", condition=Q(watts__isnull=False))
LOUD = CheckConstraint(name="loud", condition=Q(watts__gte=0))
STATE = CheckConstraint(name="state_known", condition=Q(state__in=["ok", "broken"]))
STATE_WIDER = CheckConstraint(name="state_known", condition=Q(state__in=["ok", "broken", "lost"]))


def sql(text: str, kind: Kind | None = None) -> Any:
    """Return an operation of written SQL, declared or not."""
    operation = migrations.RunSQL(text)
    return operation if kind is None else declared(operation, kind, because="It is a test")


def code(apps: Any, editor: Any) -> None:
    """Stand for code of a migration."""


CABLE = migrations.CreateModel(
    "Cable",
    [
        ("id", models.UUIDField(primary_key=True, db_default=UUIDv7())),
        ("length", models.IntegerField()),
        ("speaker", models.ForeignKey("gear.speaker", models.CASCADE)),
    ],
    options={"constraints": [models.UniqueConstraint(name="one_length", fields=["length"])]},
)

ALLOWED: dict[str, tuple[Kind, list[Any]]] = {
    "a column that may be NULL": (Kind.EXPAND, [field("loud", models.IntegerField(null=True))]),
    "a column with a default of the database": (
        Kind.EXPAND,
        [field("loud", models.IntegerField(db_default=0))],
    ),
    "a default that is one for all rows": (
        Kind.EXPAND,
        [field("at", models.DateTimeField(db_default=Now()))],
    ),
    "a key to another table, without index": (
        Kind.EXPAND,
        [field("place", models.ForeignKey("records.collection", models.CASCADE, null=True, db_index=False))],
    ),
    "a table": (Kind.EXPAND, [CABLE]),
    "a table and what belongs to it": (
        Kind.EXPAND,
        [
            CABLE,
            migrations.AddIndex("cable", Index(name="c_length", fields=["length"])),
            migrations.AddField("cable", "made_in", models.CharField(max_length=9, default="")),
            migrations.RenameField("cable", "made_in", "origin"),
        ],
    ),
    "a longer text": (Kind.EXPAND, [altered("name", models.CharField(max_length=150))]),
    "a text without limit": (Kind.EXPAND, [altered("name", models.TextField())]),
    "a column that may be NULL from now on": (
        Kind.EXPAND,
        [altered("serial", models.CharField(max_length=40, unique=True, null=True))],
    ),
    "another default of the code": (
        Kind.NEUTRAL,
        [altered("name", models.CharField(max_length=100, default="x"))],
    ),
    "another choice": (
        Kind.NEUTRAL,
        [altered("state", models.CharField(choices=[*STATES, ("lost", "L")], default="ok", max_length=10))],
    ),
    "other words": (Kind.NEUTRAL, [migrations.AlterModelOptions("speaker", {"verbose_name": "box"})]),
    "a field that is no longer used": (Kind.NEUTRAL, [stop_using("speaker", "watts")]),
    "a model that is no longer used": (Kind.NEUTRAL, [stop_using_model("speaker")]),
    "a check on a new column": (
        Kind.EXPAND,
        [
            field("loud", models.IntegerField(null=True)),
            AddConstraintNotValid("speaker", CheckConstraint(name="c", condition=Q(loud__gte=0))),
        ],
    ),
    "SQL that its author speaks for": (Kind.EXPAND, [sql("CREATE VIEW loud AS SELECT 1", Kind.EXPAND)]),
    "code that its author speaks for": (
        Kind.BACKFILL,
        [declared(migrations.RunPython(code), Kind.BACKFILL, because="Three rows")],
    ),
    "nothing": (Kind.NEUTRAL, [migrations.RunPython(migrations.RunPython.noop), sql("")]),
}

REFUSED: dict[str, tuple[set[str], list[Any]]] = {
    "a column gone that is used": (
        {"STILL_USED"},
        [migrations.RemoveField("speaker", "watts")],
    ),
    "a table gone that is used": ({"STILL_USED"}, [migrations.DeleteModel("speaker")]),
    "a column of another name": ({"RENAMED"}, [migrations.RenameField("speaker", "watts", "power")]),
    "a table of another name": ({"RENAMED"}, [migrations.RenameModel("speaker", "box")]),
    "a table in another place": ({"RENAMED"}, [migrations.AlterModelTable("speaker", "boxes")]),
    "a required column": ({"REQUIRED"}, [field("loud", models.IntegerField(default=1))]),
    "a field no longer used that is required": ({"LEFT_REQUIRED"}, [stop_using("speaker", "name")]),
    "a unique column with a default": (
        {"REQUIRED", "SCANNED"},
        [field("loud", models.IntegerField(unique=True, db_default=1))],
    ),
    "a choice gone": (
        {"CHOICE_REMOVED", "FOLLOWS_NOTHING"},
        [altered("state", models.CharField(choices=STATES[:1], default="ok", max_length=10))],
    ),
    "a default of the database gone": (
        {"TIGHTENED", "FOLLOWS_NOTHING"},
        [sql("ALTER TABLE gear_speaker ALTER name DROP DEFAULT", Kind.EXPAND)],
    ),
    "another type": (
        {"OTHER_TYPE", "REWRITTEN"},
        [altered("watts", models.CharField(max_length=9, null=True))],
    ),
    "a larger number": ({"REWRITTEN"}, [altered("watts", models.BigIntegerField(null=True))]),
    "a shorter text": ({"OTHER_TYPE", "REWRITTEN"}, [altered("name", models.CharField(max_length=50))]),
    "a default that differs from row to row": (
        {"REWRITTEN"},
        [field("dice", models.FloatField(null=True, db_default=Random()))],
    ),
    "a key of its own for each row": ({"REWRITTEN"}, [field("key", models.UUIDField(db_default=UUIDv7()))]),
    "NOT NULL": (
        {"TIGHTENED", "SCANNED", "FOLLOWS_NOTHING"},
        [altered("watts", models.IntegerField())],
    ),
    "a unique column": (
        {"TIGHTENED", "SCANNED", "FOLLOWS_NOTHING"},
        [altered("watts", models.IntegerField(null=True, unique=True))],
    ),
    "a check": ({"TIGHTENED", "SCANNED", "FOLLOWS_NOTHING"}, [migrations.AddConstraint("speaker", LOUD)]),
    "a unique index with a condition": (
        {"TIGHTENED", "SCANNED", "FOLLOWS_NOTHING"},
        [
            migrations.AddConstraint(
                "speaker", UniqueConstraint(name="u", fields=["name"], condition=Q(watts=1))
            )
        ],
    ),
    "a unique constraint gone": (
        {"GONE", "FOLLOWS_NOTHING"},
        [altered("serial", models.CharField(max_length=40))],
    ),
    "an index": ({"SCANNED"}, [migrations.AddIndex("speaker", Index(name="i", fields=["watts"]))]),
    "an indexed key to another table": (
        {"SCANNED"},
        [field("place", models.ForeignKey("records.collection", models.CASCADE, null=True))],
    ),
    "a number that must be positive": ({"SCANNED"}, [field("loud", models.PositiveIntegerField(null=True))]),
    "an index in a transaction": (
        {"OUTSIDE"},
        [AddIndexConcurrently("speaker", Index(name="i", fields=["watts"]))],
    ),
    "rows written at once": ({"WRITTEN"}, [sql("UPDATE gear_speaker SET watts = 1", Kind.BACKFILL)]),
    "a lock": ({"LOCKED"}, [sql("LOCK TABLE gear_speaker", Kind.EXPAND)]),
    "VACUUM FULL": ({"LOCKED"}, [sql("VACUUM (FULL) gear_speaker", Kind.NEUTRAL)]),
    "CLUSTER": ({"LOCKED"}, [sql("CLUSTER gear_speaker USING i", Kind.NEUTRAL)]),
    "SQL that nobody speaks for": ({"UNDECLARED"}, [sql("CREATE VIEW loud AS SELECT 1")]),
    "code that nobody speaks for": ({"UNDECLARED"}, [migrations.RunPython(code)]),
    "a table that is filled as it is made": (
        {"UNDECLARED", "UNREADABLE"},
        [sql("CREATE TABLE heavy AS SELECT * FROM box WHERE watts > 100")],
    ),
    "a table that a question makes": (
        {"UNDECLARED", "UNREADABLE"},
        [sql("SELECT name, sum(watts) INTO heavy FROM box GROUP BY name")],
    ),
    "SQL that is not understood": ({"UNDECLARED", "UNREADABLE"}, [sql("DO $$ BEGIN END $$")]),
    "an order by another model": ({"UNDECLARED"}, [migrations.AlterOrderWithRespectTo("speaker", None)]),
    "a function gone": ({"GONE", "FOLLOWS_NOTHING"}, [sql("DROP FUNCTION loud()", Kind.NEUTRAL)]),
    "a kind that is declared without what it follows": (
        {"FOLLOWS_NOTHING"},
        [sql("SELECT 1", Kind.CONTRACT)],
    ),
}


class TestWhatIsAllowed:
    @pytest.mark.parametrize("name", ALLOWED)
    def test_is_what_it_is(self, name: str) -> None:
        kind, operations = ALLOWED[name]
        verdict = judged(*operations)
        assert (rules(verdict), verdict.kind) == (set(), kind)


class TestWhatIsRefused:
    @pytest.mark.parametrize("name", REFUSED)
    def test_names_each_danger(self, name: str) -> None:
        expected, operations = REFUSED[name]
        assert rules(judged(*operations)) == expected

    def test_says_what_on_which_operation_and_how_to_split_it(self) -> None:
        said = str(
            judged(field("a", models.TextField(null=True)), field("b", models.TextField())).problems[0]
        )
        assert said.startswith("operation 2, Add field b to speaker: required at once (ALTER TABLE")
        assert "Instead: Give the field `null=True` or `db_default=…` in this release" in said

    def test_every_rule_has_its_words(self) -> None:
        assert set(WHAT) == set(SPLIT) == set(Rule)


class TestSmallTables:
    @pytest.mark.parametrize(
        "operation",
        [
            migrations.AddIndex("speaker", Index(name="i", fields=["watts"])),
            altered("watts", models.BigIntegerField(null=True)),
            field("key", models.UUIDField(db_default=UUIDv7())),
            sql("UPDATE gear_speaker SET watts = 1", Kind.BACKFILL),
        ],
    )
    def test_may_be_read_and_written_at_once(self, operation: Any) -> None:
        assert rules(judged(operation, large=False)) == set()

    def test_are_not_spared_what_breaks_the_code_before(self) -> None:
        assert "REQUIRED" in rules(judged(field("b", models.TextField()), large=False))


class TestContracts:
    stopped = (stop_using("speaker", "watts"),)

    def test_drop_what_the_release_before_stopped_using(self) -> None:
        verdict = judged(drop_column("gear_speaker", "watts"), before=self.stopped, contracts=FOLLOWING)
        assert (rules(verdict), verdict.kind) == (set(), Kind.CONTRACT)
        gone = judged(drop_table("gear_speaker"), before=(stop_using_model("speaker"),), contracts=FOLLOWING)
        assert (rules(gone), gone.kind) == (set(), Kind.CONTRACT)

    def test_do_not_excuse_what_is_still_used(self) -> None:
        assert rules(judged(drop_column("gear_speaker", "watts"), contracts=FOLLOWING)) == {"STILL_USED"}
        # Nor does stopping and dropping in one release.
        plan = [
            migration(*self.stopped),
            migration(drop_column("gear_speaker", "watts"), name="0003_drop", contracts=FOLLOWING),
        ]
        assert rules(judge(plan, earlier(), large={"gear_speaker"})[1]) == {"STILL_USED"}

    def test_excuse_no_lock(self) -> None:
        assert rules(judged(altered("watts", models.IntegerField()), contracts=FOLLOWING)) == {"SCANNED"}

    @pytest.mark.parametrize(
        ("contracts", "wrong"),
        [
            (
                Contracts(expand="gear.0009_never", backfill="gear.loudness"),
                "gear.0009_never is in no earlier",
            ),
            (Contracts(expand="gear.0001_initial", backfill="gear.colour"), "gear.colour is in no earlier"),
            (Contracts(expand="gear.0001_initial"), "names no backfill"),
        ],
    )
    def test_must_follow_something_that_was_released(self, contracts: Contracts, wrong: str) -> None:
        verdict = judged(drop_column("gear_speaker", "watts"), before=self.stopped, contracts=contracts)
        assert wrong in str(verdict.problems)

    def test_may_say_why_nothing_has_to_be_filled(self) -> None:
        contracts = Contracts(expand="gear.0001_initial", because="Nobody reads it any more")
        assert not judged(
            drop_column("gear_speaker", "watts"), before=self.stopped, contracts=contracts
        ).problems

    def test_are_nothing_to_write_over_other_migrations(self) -> None:
        verdict = judged(field("b", models.TextField(null=True)), contracts=FOLLOWING)
        assert rules(verdict) == {"FOLLOWS_NOTHING", "MIXED"}

    def test_stand_alone(self) -> None:
        verdict = judged(
            *(drop_column("gear_speaker", "watts"), field("b", models.TextField(null=True))),
            before=self.stopped,
            contracts=FOLLOWING,
        )
        assert rules(verdict) == {"MIXED"}

    def test_remove_choices_and_checks_are_widened_at_once(self) -> None:
        fewer = altered("state", models.CharField(choices=STATES[:1], default="ok", max_length=10))
        assert not judged(fewer, contracts=FOLLOWING).problems
        wider = (
            migrations.RemoveConstraint("speaker", "state_known"),
            migrations.AddConstraint("speaker", STATE_WIDER),
        )
        kept = (migrations.AddConstraint("speaker", STATE),)
        assert not judged(*wider, before=kept, large=False).problems
        narrower = (
            migrations.RemoveConstraint("speaker", "state_known"),
            migrations.AddConstraint("speaker", STATE),
        )
        was = (migrations.AddConstraint("speaker", STATE_WIDER),)
        assert "TIGHTENED" in rules(judged(*narrower, before=was, large=False))


class TestLargeTablesStepByStep:
    def test_a_check_is_added_without_looking_and_validated_by_itself(self) -> None:
        added = AddConstraintNotValid("speaker", NOT_NULL)
        assert not judged(added, contracts=FOLLOWING).problems
        validated = ValidateConstraint("speaker", "watts_there")
        assert rules(judged(validated, before=(added,))) == {"OUTSIDE"}
        assert not judged(validated, before=(added,), atomic=False).problems

    def test_not_null_follows_a_validated_check(self) -> None:
        added, strict = AddConstraintNotValid("speaker", NOT_NULL), altered("watts", models.IntegerField())
        assert rules(judged(strict, before=(added,), contracts=FOLLOWING)) == {"SCANNED"}
        checked = (migrations.AddConstraint("speaker", NOT_NULL),)
        assert not judged(strict, before=checked, contracts=FOLLOWING).problems

    def test_an_index_is_made_beside_the_work_and_alone(self) -> None:
        index = AddIndexConcurrently("speaker", Index(name="i", fields=["watts"]))
        assert not judged(index, atomic=False).problems
        other = AddIndexConcurrently("speaker", Index(name="j", fields=["name"]))
        assert rules(judged(index, other, atomic=False)) == {"OUTSIDE"}

    def test_two_of_them_are_not_locked_together(self) -> None:
        operations = [
            sql(f"ALTER TABLE {table} ADD COLUMN x integer", Kind.EXPAND)
            for table in ("gear_speaker", "jobs_job")
        ]
        verdict = judge([migration(*operations)], earlier(), large={"gear_speaker", "jobs_job"})[0]
        assert rules(verdict) == {"TOGETHER"}
