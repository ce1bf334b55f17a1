"""An organisation moves between two shards of one server while it is written to; quick, on every change."""

import json

import pytest

from tests.moves.conftest import SLUG, TABLE, Yard, until, verify_ledger, writing


class TestMoving:
    def test_while_it_is_written_to(self, one_server: Yard) -> None:
        place = one_server
        with writing(place) as writer:
            said = place.moved(to="shard_2")
            assert "Lives on the target" in said
            assert place.place() == ("shard_2", 2)
            writer.stop()
        assert writer.failures == []
        verify_ledger(place, writer)
        assert place.states("shard_1") == [(1, "closed")]
        assert place.states("shard_2") == [(2, "open")]
        assert place.leftovers() == []

        # The trail goes on behind what was there, and names the move.
        codes = place.ask("shard_2", "SELECT code FROM audit_event ORDER BY epoch, txid, eid")
        moves = [code for (code,) in codes if code.startswith("organisation.move")]
        assert moves == [
            "organisation.move_started",
            "organisation.move_compared",
            "organisation.move_closed",
            "organisation.moved",
        ]
        assert place.ask("shard_2", "SELECT count(DISTINCT epoch) FROM audit_event") == [(2,)]
        acts = place.ask("control", "SELECT act FROM operations_operatoract ORDER BY at")
        assert acts == [("move to shard_2",), ("lives on shard_2 now",)]

    def test_a_job_that_runs_is_free_at_once_and_its_worker_is_refused(self, one_server: Yard) -> None:
        place = one_server
        jobs = "SELECT queue, state, lease_token, leased_until IS NULL, lapses FROM jobs_job ORDER BY queue"
        frozen = place.python("tests.moves.holding", SLUG)
        assert frozen.stdout is not None
        assert frozen.stdout.readline() == "held\n"
        before = place.ask("shard_1", jobs)
        wakes = "SELECT count(*) FROM enclave.wake WHERE organisation = %s AND kind = 'jobs.app'"
        ((waking,),) = place.ask("shard_1", wakes, place.schema)
        place.moved(to="shard_2")
        # Free for everybody, with a token that the one before does not have; a mail may be out already.
        assert place.ask("shard_2", jobs) == [
            ("app", "queued", 2, True, 0),
            ("mail", "running", 1, False, 0),
        ]
        assert place.ask("shard_2", wakes, place.schema) == [(waking + 1,)]
        assert place.ask("shard_1", wakes, place.schema) == [(0,)]
        said, _ = frozen.communicate("wake up\n", timeout=30)
        assert json.loads(said) == ["refused", "written"]
        effects = "SELECT subject FROM jobs_outgoingmail"
        assert place.ask("shard_2", effects) == [("item 0",)]
        # Of all this the old copy knows nothing.
        assert place.ask("shard_1", jobs) == before

    @pytest.mark.nightly
    def test_nobody_waits_for_what_a_vacuum_holds(self, one_server: Yard) -> None:
        place = one_server
        lock = f"LOCK TABLE {TABLE} IN SHARE UPDATE EXCLUSIVE MODE"  # as a vacuum of the new copy does
        told = {
            "slug": SLUG,
            "to": "shard_2",
            "step": "compared",
            "statements": [(place.hosts["shard_2"].superuser_url("shard_2"), lock)],
            "held": True,
        }
        with writing(place) as writer:
            mover = place.python("tests.moves.spoiling", json.dumps(told), login="owner")
            assert mover.stdout is not None
            assert mover.stdout.readline() == "held\n"
            waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = to_regclass(%s)"
            until(lambda: place.ask("shard_2", waiting, TABLE) == [(1,)])
            # The mover waits for the table, and nobody at the fence for the mover.
            before = len(writer.lines)
            until(lambda: len(writer.lines) > before + 20)
            assert place.ask("shard_2", waiting, TABLE) == [(1,)]
            said, _ = mover.communicate("go on\n", timeout=60)
            assert said.startswith("kept"), said
            writer.stop()
        assert writer.failures == []
        verify_ledger(place, writer)
