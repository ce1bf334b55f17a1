"""An organisation moves between two shards of one server while it is written to; quick, on every change."""

from tests.moves.conftest import Yard, verify_ledger, writing


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
