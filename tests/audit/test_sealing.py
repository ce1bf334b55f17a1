"""Sealed while written to, verified by separate code, and every change of every column seen."""

import copy
import json
import os
import subprocess
import sys
import threading
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest

from audit import verifier
from audit.exporting import lines
from audit.sealing import merkle_root, seal, seal_everything
from tenants.models import Organisation
from tests.servers import ROOT

LOG = uuid.UUID(int=7)
ADA = '{"kind": "person", "id": "01890a5d-ac96-774b-bcce-b302099a8057"}'
Entries = list[dict[str, Any]]


@pytest.fixture(scope="module")
def written(
    owner: psycopg.Connection, probes: None, organisations: dict[str, Organisation]
) -> Iterator[None]:
    """Committed writes of four connections while the sealer runs, to be read by the tests of this file."""
    schema = organisations["pulse"].placement().schema
    failures: list[BaseException] = []

    def write(number: int) -> None:
        try:
            with psycopg.connect(os.environ["SHARD_1_DATABASE_URL"]) as connection:
                for turn in range(25):
                    _one_transaction(connection, schema, number, turn)
        except BaseException as problem:  # noqa: BLE001  # raised again in the test's thread
            failures.append(problem)

    writers = [threading.Thread(target=write, args=(number,)) for number in range(4)]
    for writer in writers:
        writer.start()
    while any(writer.is_alive() for writer in writers):
        with owner.transaction(), owner.cursor() as cursor:
            seal(cursor, log_id=LOG, most=40)
    assert not failures
    with owner.transaction(), owner.cursor() as cursor:
        seal_everything(cursor, log_id=LOG)
    yield
    owner.execute("DELETE FROM probe_row; DELETE FROM probe_bulk")


def _one_transaction(connection: psycopg.Connection, schema: str, number: int, turn: int) -> None:
    connection.execute(
        "SELECT set_config('role', %s, true), set_config('search_path', %s, true), "
        "set_config('app.actor', %s, true)",
        (schema, schema, ADA),
    )
    connection.execute("INSERT INTO probe_row (name, person) VALUES (%s, 'Grace')", (f"w{number}-{turn}",))
    connection.execute(
        """INSERT INTO probe_bulk (kind, "values") SELECT 'w', '{"a": 1}' FROM generate_series(1, 4)"""
    )
    if turn % 5 == 4:
        connection.rollback()
    else:
        connection.commit()


@pytest.fixture
def entries(owner: psycopg.Connection, written: None) -> Entries:
    """Return the exported trail, read."""
    with owner.cursor() as cursor:
        return [json.loads(line) for line in lines(cursor)]


def verify(entries: Entries, **options: Any) -> verifier.Report:
    return verifier.verify([json.dumps(entry) for entry in entries], **options)


def of(entries: Entries, kind: str) -> Entries:
    return [entry for entry in entries if entry["kind"] == kind]


class TestSealingWhileWriting:
    def test_seals_and_verifies_everything(self, entries: Entries) -> None:
        report = verify(entries)

        assert report.faults == []
        assert report.events == report.sealed >= 400
        assert report.segments > 3
        assert report.head == of(entries, "segment")[-1]["header_hash"]

    def test_leaves_out_what_was_rolled_back(self, entries: Entries) -> None:
        assert len([e for e in of(entries, "event") if e["code"] == "probe.row.added"]) == 80

    def test_waits_for_an_older_open_transaction(self, owner: psycopg.Connection, written: None) -> None:
        with psycopg.connect(os.environ["SHARD_1_DATABASE_URL"]) as older:
            older.execute("SELECT pg_current_xact_id()")
            owner.execute("INSERT INTO probe_row (name) VALUES ('newer')")
            with owner.transaction(), owner.cursor() as cursor:
                assert seal(cursor, log_id=LOG) is None
            older.rollback()
            with owner.transaction(), owner.cursor() as cursor:
                sealed = seal(cursor, log_id=LOG)
        assert sealed is not None
        assert sealed.count == 1

    def test_seals_silence_when_asked(self, owner: psycopg.Connection, written: None) -> None:
        with owner.transaction(), owner.cursor() as cursor:
            sealed = seal(cursor, log_id=LOG, allow_empty=True)
        assert sealed is not None
        assert sealed.count == 0
        with owner.cursor() as cursor:
            assert verifier.verify(lines(cursor)).verified


def _other(value: Any) -> Any:
    if isinstance(value, bool) or value is None:
        return "01890a5d-ac96-774b-bcce-b302099a8057"
    return value + 1 if isinstance(value, int) else ("0" if value[:1] != "0" else "1") + value[1:]


EVENT_COLUMNS = [*verifier.EVENT_FIELDS, "private_commitment"]
SEGMENT_COLUMNS = [*verifier.HEADER_FIELDS, "header_hash"]


def _delete_first(entries: Entries) -> None:
    entries.remove(of(entries, "event")[3])


def _insert(entries: Entries) -> None:
    event = copy.deepcopy(of(entries, "event")[3])
    event.update(eid=event["eid"] + 1_000_000, private_ref=None, private_commitment=None)
    entries.append(event)


def _swap(entries: Entries) -> None:
    first, second = of(entries, "event")[3:5]
    first["payload"], second["payload"] = second["payload"], first["payload"]


def _drop_middle(entries: Entries) -> None:
    entries.remove(of(entries, "segment")[1])


def _rewrite(entries: Entries) -> None:
    _swap(entries)
    before = verifier.NOTHING_BEFORE
    events = sorted(of(entries, "event"), key=verifier.key_of)
    for segment in of(entries, "segment"):
        inside = events[: segment["count"]]
        events = events[segment["count"] :]
        segment["root"] = verifier.root([verifier.leaf(event) for event in inside]).hex()
        segment["prev_header_hash"] = before
        before = segment["header_hash"] = verifier.header_hash(segment)


def _cut_tail(entries: Entries) -> None:
    last = [segment for segment in of(entries, "segment") if segment["count"]][-1]
    for segment in of(entries, "segment")[last["segment_no"] - 1 :]:
        entries.remove(segment)
    first = (last["first_epoch"], last["first_txid"], last["first_eid"])
    cut = [entry for entry in entries if entry["kind"] == "event" and verifier.key_of(entry) >= first]
    refs = {event["private_ref"] for event in cut}
    entries[:] = [entry for entry in entries if entry not in cut and entry.get("ref") not in refs]


class TestTampering:
    @pytest.mark.parametrize("column", EVENT_COLUMNS)
    def test_of_an_events_column_is_seen(self, entries: Entries, column: str) -> None:
        event = next(e for e in of(entries, "event") if e["private_ref"])
        event[column] = _other(event[column])

        assert not verify(entries).verified

    @pytest.mark.parametrize("column", SEGMENT_COLUMNS)
    def test_of_a_segments_column_is_seen(self, entries: Entries, column: str) -> None:
        segment = of(entries, "segment")[1]
        segment[column] = _other(segment[column])

        assert not verify(entries).verified

    @pytest.mark.parametrize("column", ["salt", "value"])
    def test_of_a_private_part_is_seen(self, entries: Entries, column: str) -> None:
        private = of(entries, "private")[0]
        private[column] = _other(private[column])

        assert any("private part" in fault for fault in verify(entries).faults)

    @pytest.mark.parametrize("change", [_delete_first, _insert, _swap, _drop_middle])
    def test_of_the_order_is_seen(self, entries: Entries, change: Callable[[Entries], None]) -> None:
        change(entries)

        assert not verify(entries).verified

    @pytest.mark.parametrize("change", [_rewrite, _cut_tail])
    def test_of_everything_is_seen_by_who_kept_a_head(
        self, entries: Entries, change: Callable[[Entries], None]
    ) -> None:
        last = of(entries, "segment")[-1]
        kept = {last["segment_no"]: last["header_hash"]}
        change(entries)

        assert verify(entries).verified
        assert not verify(entries, known_heads=kept).verified


@pytest.mark.parametrize("size", [0, 1, 2, 3, 4, 5, 7, 8, 9, 31, 100])
def test_the_trees_of_sealer_and_verifier_agree(size: int) -> None:
    leaves = [bytes([number]) * 32 for number in range(size)]

    assert merkle_root(leaves) == verifier.root(leaves)


def test_the_command_seals_an_organisation_and_prints_what_verifies(tide: Organisation) -> None:
    done = subprocess.run(
        [sys.executable, str(ROOT / "manage.py"), "seal", "tide", "--export"],
        env={**os.environ, "ENCLAVE_LOGIN": "owner", "DJANGO_SETTINGS_MODULE": "config.settings.test"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    report = verifier.verify(done.stdout.splitlines())
    assert report.verified
    assert report.events == report.sealed > 0
    assert "tide: sealed" in done.stderr
