"""Migrations that are sent as one transaction take one large table from everybody at the most."""

import pytest
from django.db import migrations, models

from operations.fleet.parts import cut
from tenants import sizes
from tenants.changing import Kind, declared
from tests.fleet_safety.planted import field, migration, released

NOTHING = migrations.RunPython.noop


def sql(text: str) -> migrations.RunSQL:
    """Return written SQL, declared."""
    return declared(migrations.RunSQL(text), Kind.EXPAND, because="It is a test")


SPEAKER = (field("colour", models.CharField(max_length=9, db_default="")),)
LOUDER = (field("decibels", models.IntegerField(null=True)),)
JOBS = (sql("ALTER TABLE jobs_job ALTER COLUMN note SET DEFAULT 'none'"),)
SMALL = (sql("ALTER TABLE accounts_invitation ADD COLUMN colour text"),)
STRANGE = (sql("DO 'whatever it does'"),)
PYTHON = (migrations.RunPython(NOTHING, NOTHING),)


class TestCut:
    @pytest.mark.parametrize(
        ("plan", "parts"),
        [
            ([SPEAKER], "T1"),
            ([SPEAKER, LOUDER], "T2"),
            ([SPEAKER, SMALL, LOUDER], "T3"),
            ([SPEAKER, JOBS], "T1 T1"),
            ([SMALL, SPEAKER, SMALL, JOBS, SMALL], "T3 T2"),
            ([SPEAKER, JOBS, LOUDER], "T1 T1 T1"),
            ([SPEAKER, STRANGE], "T1 T1"),
            ([STRANGE, STRANGE], "T1 T1"),
            ([STRANGE, SMALL], "T2"),
            ([SPEAKER, PYTHON, JOBS, SMALL], "T1 P1 T2"),
            ([SMALL, SMALL, PYTHON, SPEAKER, JOBS], "T2 P1 T1 T1"),
        ],
    )
    def test_lets_no_transaction_take_two_large_tables(
        self, plan: list[tuple[migrations.RunSQL, ...]], parts: str
    ) -> None:
        assert {"gear_speaker", "jobs_job"} <= set(sizes.large_tables())
        assert "accounts_invitation" not in sizes.large_tables()
        made = [migration(*operations, name=f"{n:04}") for n, operations in enumerate(plan, start=2)]
        state = released().clone()
        found = cut(made, state)
        assert " ".join(f"{'T' if as_text else 'P'}{len(run)}" for as_text, run in found) == parts
        assert [one for _, run in found for one in run] == made
        assert "colour" not in state.models["gear", "speaker"].fields
