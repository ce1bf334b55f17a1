"""Migrating the fleet: every organisation on every shard, whatever becomes of one of them."""

import gc
import os
import subprocess
import sys
from collections.abc import Iterator

import psycopg
import pytest
from django.core.management import CommandError, call_command

from operations.actions.fleet import behind, migrate_fleet
from operations.actions.provisioning import Wish, provision
from operations.fleet.status import status_lines
from operations.models import FleetState
from tenants import schema
from tenants.functions import written
from tenants.models import Organisation
from tenants.schema import wanted_version
from tests.servers import ROOT

SLUGS = ("fleet-one", "fleet-two", "fleet-three")
TRIGGER = (
    "SELECT count(*) FROM pg_trigger WHERE tgrelid = 'records_record'::regclass AND tgname LIKE 'audit%'"
)


def owner(organisation: Organisation) -> psycopg.Connection:
    """Return a connection of the owner's, with the path set to an organisation's schema."""
    alias = str(organisation.shard_id).upper()
    connection = psycopg.connect(os.environ[f"OWNER_{alias}_DATABASE_URL"], autocommit=True)
    connection.execute("SELECT set_config('search_path', %s, false)", (organisation.schema_name,))
    return connection


@pytest.fixture(scope="module")
def fleet(organisations: dict[str, Organisation]) -> Iterator[list[Organisation]]:
    """Three organisations on two shards, committed."""
    made = []
    for number, slug in enumerate(SLUGS):
        wish = Wish(slug, slug, f"o@{slug}.example", "O", shard=f"shard_{number % 2 + 1}")
        made.append(provision(wish))
    yield made
    FleetState.objects.update(version=wanted_version(), error="")


@pytest.fixture
def late(fleet: list[Organisation]) -> list[Organisation]:
    """The three, each without a trigger that it should have."""
    others = FleetState.objects.exclude(organisation__in=fleet)
    others.update(version=wanted_version(), error="")
    FleetState.objects.filter(organisation__in=fleet).update(version="old", error="")
    for organisation in fleet:
        with owner(organisation) as connection:
            connection.execute("DROP TRIGGER IF EXISTS audit_insert ON records_record")
            # What the schema itself says of the triggers that it has.
            connection.execute(
                f"COMMENT ON SCHEMA {organisation.schema_name} IS 'of an earlier code'".encode()
            )
    return fleet


def migrate(*options: str, command: tuple[str, ...] = ("migrate_fleet",)) -> subprocess.CompletedProcess[str]:
    """Run the command as an operator does: in a process with the owner's login."""
    return subprocess.run(
        [sys.executable, str(ROOT / "manage.py"), *command, *options],
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "config.settings.test", "ENCLAVE_LOGIN": "owner"},
        capture_output=True,
        text=True,
        check=False,
    )


def triggers(organisation: Organisation) -> int:
    """Return how many triggers of the trail stand on an organisation's records."""
    with owner(organisation) as connection:
        row = connection.execute(TRIGGER).fetchone()
        assert row is not None
        return int(row[0])


SPOILT = """
DROP FUNCTION IF EXISTS enclave_wake@(text, timestamptz);
CREATE FUNCTION enclave_wake@(kind text, due timestamptz) RETURNS integer LANGUAGE sql AS 'SELECT 1'
"""
MENDED = """
DROP FUNCTION enclave_wake@(text, timestamptz);
CREATE FUNCTION enclave_wake@(kind text, due timestamptz) RETURNS void LANGUAGE sql AS ''
"""


class TestMigrateFleet:
    def test_one_that_fails_stops_nobody(
        self, late: list[Organisation], capsys: pytest.CaptureFixture[str]
    ) -> None:
        first, *others = sorted(late, key=lambda organisation: organisation.pk)
        before = {organisation.slug: triggers(organisation) for organisation in late}
        home = str(first.schema_name)
        with owner(first) as connection:
            connection.execute(written(SPOILT, home).encode())  # it cannot be replaced
        try:
            finished = migrate()
            assert finished.returncode == 1
            assert "1 organisations were not migrated" in finished.stderr
            for organisation in others:
                assert triggers(organisation) == before[organisation.slug] + 1
                assert f"{organisation.slug}: migrated" in finished.stdout
            assert [one.slug for one in behind(wanted_version())] == [first.slug]
            state = FleetState.objects.get(organisation=first)
            assert "return type" in state.error
            assert state.version not in ("", "old", wanted_version())  # what the schema is at, looked up
            call_command("migrate_fleet", status=True)
            assert f"{first.slug}: {state.error}" in capsys.readouterr().out
        finally:
            with owner(first) as connection:
                connection.execute(written(MENDED, home).encode())

    @pytest.mark.nightly
    def test_reaches_every_organisation_on_every_shard(self, late: list[Organisation]) -> None:
        before = {organisation.slug: triggers(organisation) for organisation in late}
        assert migrate("--only", SLUGS[1]).returncode == 0
        assert len(behind(wanted_version())) == 2
        assert migrate().returncode == 0
        for organisation in late:
            assert triggers(organisation) == before[organisation.slug] + 1
        assert behind(wanted_version()) == []

    @pytest.mark.nightly
    def test_an_upgrade_takes_those_along_who_are_there(self, late: list[Organisation]) -> None:
        finished = migrate(command=("prepare", "--ready", "0"))
        assert finished.returncode == 0, finished.stderr
        assert behind(wanted_version()) == []

    def test_a_schema_changed_by_hand_is_found(self, late: list[Organisation]) -> None:
        odd, *_ = late
        assert migrate().returncode == 0
        with owner(odd) as connection:
            connection.execute("ALTER TABLE records_collection ADD COLUMN by_hand text")
        said = migrate("--only", odd.slug, command=("fingerprint_fleet",))
        assert said.returncode == 1
        assert f"{odd.slug} differs from the template in: records_collection" in said.stdout
        state = FleetState.objects.get(organisation=odd)
        assert (state.differs, len(state.fingerprint)) == ("records_collection columns", 64)
        assert "records_collection" in "".join(status_lines())
        with owner(odd) as connection:
            connection.execute("ALTER TABLE records_collection DROP COLUMN by_hand")
        before = state.fingerprint
        assert migrate("--only", odd.slug, command=("fingerprint_fleet",)).returncode == 0
        state.refresh_from_db()
        assert (state.differs, state.fingerprint != before) == ("", True)

    def test_what_a_worker_froze_stays_frozen(self, db: None) -> None:
        gc.freeze()
        try:
            before = gc.get_freeze_count()
            assert list(migrate_fleet(only="nobody")) == []
            assert gc.get_freeze_count() > before / 2  # some of what is frozen goes by itself
        finally:
            gc.unfreeze()

    def test_an_unknown_address_is_said_to_be_one(self, db: None) -> None:
        with pytest.raises(CommandError, match="no organisation at the address nowhere"):
            call_command("migrate_fleet", only="nowhere")

    def test_what_is_compiled_counts_as_a_version_too(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """A trigger that is new in the code has to reach those who were made before it."""
        now = wanted_version()
        monkeypatch.setattr(schema, "hooks_mark", lambda: "another trigger")
        assert schema.wanted_version.__wrapped__() != now
