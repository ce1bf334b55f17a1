"""What differs is found before the organisation lives there, named by table and key, and all is put back."""

import json
import subprocess
import sys

import pytest

from tests import servers
from tests.moves.conftest import SLUG, TABLE, Yard

pytestmark = pytest.mark.nightly
ROGUE = "SET session_replication_role = replica; "
# What is done to the target once everything is copied, and how it is said.
SPOILED = {
    "a missing row": (f"DELETE FROM {TABLE} WHERE serial = 'first-7'", "is missing in the copy"),
    "an altered row": (f"UPDATE {TABLE} SET watts = 0 WHERE serial = 'first-7'", "has other values"),
    "a letter of another encoding": (
        f"UPDATE {TABLE} SET name = convert_from('\\x746f776572c2a037', 'UTF8') WHERE serial = 'first-7'",
        "has other values",
    ),
    "a row of a rogue": (
        f"INSERT INTO {TABLE} (name, serial, state, notes) VALUES ('rogue', 'rogue', 'ok', '')",
        "is in the copy only",
    ),
    "an entry of the trail": (
        "UPDATE audit_event SET payload = payload || ' ' WHERE ctid = (SELECT min(ctid) FROM audit_event)",
        "audit_event: the row",
    ),
}


def move_while(place: Yard, step: str, *statements: tuple[str, str]) -> str:
    """Move, with statements run on shards after a step; return what it ended with."""
    told = {
        "slug": SLUG,
        "to": "shard_2",
        "step": step,
        "statements": [(place.hosts[alias].superuser_url(alias), text) for alias, text in statements],
    }
    done = subprocess.run(
        [sys.executable, "-m", "tests.moves.spoiling", json.dumps(told)],
        cwd=servers.ROOT,
        env={**place.variables, "ENCLAVE_LOGIN": "owner"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def is_back(place: Yard) -> bool:
    """Whether nothing is left of the attempt."""
    return (
        place.place() == ("shard_1", 1)
        and place.states("shard_1") == [(1, "open")]
        and place.states("shard_2") == []
        and place.leftovers() == []
    )


class TestVerifier:
    def test_names_what_differs_and_puts_everything_back(self, one_server: Yard) -> None:
        place = one_server
        for what, (statement, how) in SPOILED.items():
            said = move_while(place, "copied", ("shard_2", ROGUE + statement))
            assert said.startswith("reverted"), what
            assert how in said, what
            assert f"{TABLE if 'audit' not in how else 'audit_event'}: the row " in said, what
            assert is_back(place), what
        # Found, it was tampering; left alone, it goes.
        place.moved(to="shard_2")

    def test_a_row_of_a_later_entry_is_looked_at_again(self, one_server: Yard) -> None:
        place = one_server
        said = move_while(
            place,
            "compared",
            ("shard_2", f"{ROGUE}DELETE FROM {TABLE} WHERE serial = 'first-7'"),
            ("shard_1", f"UPDATE {TABLE} SET watts = 77 WHERE serial = 'first-7'"),
        )
        assert said.startswith("reverted")
        assert f"{TABLE}: the row " in said
        assert is_back(place)

    def test_a_rogue_who_stops_the_replication_is_named(self, one_server: Yard) -> None:
        place = one_server
        columns = "(id, name, serial, state, notes)"
        said = move_while(
            place,
            "made",
            ("shard_2", f"{ROGUE}INSERT INTO {TABLE} {columns} VALUES (uuidv7(), 'r', 'first-7', 'ok', '')"),
        )
        assert said.startswith("reverted")
        assert f"{TABLE}: the row " in said
        assert is_back(place)

    def test_a_schema_that_was_changed_meanwhile_stays(self, one_server: Yard) -> None:
        place = one_server
        said = move_while(
            place, "compared", ("shard_1", f"ALTER TABLE {TABLE} ALTER COLUMN notes SET DEFAULT 'odd'")
        )
        assert f"The schemas are not the same: {TABLE}" in said
        assert is_back(place)

    def test_a_sequence_that_is_behind_is_found(self, one_server: Yard) -> None:
        place = one_server
        place.moved(to="shard_2")
        place.ask("shard_2", "SELECT setval('audit_event_eid_seq', 1)")
        script = (
            "import django; django.setup()\n"
            "from operations.moves import links, switching\n"
            "with links.owner('shard_1') as one, links.owner('shard_2') as two:\n"
            f"    switching.refuse_sequences_behind('{place.schema}', one, two)\n"
        )
        done = subprocess.run(
            [sys.executable, "-c", script],
            cwd=servers.ROOT,
            env={**place.variables, "ENCLAVE_LOGIN": "owner"},
            capture_output=True,
            text=True,
        )
        assert "NotTheSame: The sequence audit_event_eid_seq of the copy is behind" in done.stderr


class TestEnds:
    def test_is_cancelled_and_moves_another_time(self, one_server: Yard) -> None:
        place = one_server
        cancel = "UPDATE operations_move SET cancel_asked_at = now()"
        said = move_while(place, "copying", ("control", cancel.replace("operations", "public.operations")))
        assert said.split("\n")[0] == "reverted It was cancelled."
        assert is_back(place)
        codes = place.ask("shard_1", "SELECT code FROM audit_event WHERE code LIKE 'organisation.%'")
        assert ("organisation.move_reverted",) in codes

    def test_there_and_back_over_the_old_copy(self, one_server: Yard) -> None:
        place = one_server
        place.moved(to="shard_2")
        place.moved(to="shard_1")
        assert place.place() == ("shard_1", 3)
        assert place.states("shard_1") == [(3, "open")]
        assert place.states("shard_2") == [(2, "closed")]

    def test_the_old_copy_is_dropped_in_time(self, one_server: Yard) -> None:
        place = one_server
        place.moved(to="shard_2")
        place.ask("control", "UPDATE operations_move SET keep_until = now() - interval '1 minute'")
        script = (
            "import django; django.setup()\n"
            "from operations.models import Move\n"
            "from operations.tasks import go_on\n"
            "go_on.run(move_id=str(Move.objects.get().pk))\n"
        )
        subprocess.run(
            [sys.executable, "-c", script],
            cwd=servers.ROOT,
            env={**place.variables, "ENCLAVE_LOGIN": "owner"},
            check=True,
        )
        assert place.states("shard_1") == []
        assert place.step() == "done"
        # The role is one for the whole server, and the organisation still lives on it.
        assert place.ask("shard_2", "SELECT count(*) FROM pg_roles WHERE rolname = %s", place.schema) == [
            (1,)
        ]
        assert place.ask("shard_2", f"SELECT count(*) FROM {TABLE}") == [(500,)]
