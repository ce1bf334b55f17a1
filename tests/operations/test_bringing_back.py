"""Bringing an organisation back from the console: asking, approving, declining, undoing."""

import html
import re
from datetime import timedelta

import pytest
from django.conf import settings
from django.test import Client
from django.utils import timezone
from django.utils.html import strip_tags

from operations.console.meaning import moment
from operations.models import BaseBackup, Move, OperatorAct, Restore, RestoreStep
from tenants.models import Organisation
from tests.conftest import ClientAs
from tests.operations.test_console import LIST
from tests.people import visitor


def done(organisation: Organisation, **columns: object) -> Restore:
    """Write down that an organisation was brought back an hour ago."""
    at = timezone.now() - timedelta(hours=1)
    known: dict[str, object] = {
        "organisation": organisation,
        "to_time": at,
        "asked_at": at,
        "reason": "They lost a table",
        "asked_by": "kim@enclave.example",
        "approved_by": "lee@enclave.example",
        "step": "done",
        "other_schema": "t_" + "k" * 20,
        "kept_until": at + timedelta(days=30),
        "ended_at": at,
    }
    return Restore.objects.create(**{**known, **columns})


class TestBringingBack:
    @pytest.fixture
    def copied(self, pulse: Organisation) -> BaseBackup:
        """A good back-up of an hour ago; Pulse is older."""
        at = timezone.now() - timedelta(hours=1)
        Organisation.objects.filter(pk=pulse.pk).update(created_at=at - timedelta(hours=1))
        return BaseBackup.objects.create(
            system="1", shards=["shard_1"], folder="/nowhere", began_at=at, ended_at=at, state="good"
        )

    def asked(self, console: Client, pulse: Organisation) -> Restore:
        """Ask for Pulse to go back to just now."""
        told = {"to": f"{timezone.now():%Y-%m-%d %H:%M:%S}", "reason": "They deleted everything"}
        assert console.post(f"{LIST}{pulse.pk}/restore/", told).status_code == 302
        return Restore.objects.get()

    def test_needs_a_back_up_and_a_moment_that_has_been(self, console: Client, pulse: Organisation) -> None:
        assert "no back-up of its server" in console.get(f"{LIST}{pulse.pk}/change/").content.decode()
        told = {"to": "2020-01-01 12:00", "reason": "They deleted everything"}
        refused = console.post(f"{LIST}{pulse.pk}/restore/", told)
        assert refused.status_code == 422
        assert "was made later" in refused.content.decode()
        told["to"] = "2099-01-01 12:00"
        assert "not come yet" in console.post(f"{LIST}{pulse.pk}/restore/", told).content.decode()
        assert not Restore.objects.exists()

    def test_needs_two_operators_and_the_address(
        self, console: Client, pulse: Organisation, copied: BaseBackup
    ) -> None:
        assert "Bring it back" in console.get(f"{LIST}{pulse.pk}/change/").content.decode()
        assert "another operator approves" in console.get(f"{LIST}{pulse.pk}/restore/").content.decode()
        restore = self.asked(console, pulse)
        page = f"/console/operations/restore/{restore.pk}/"
        assert "Waits for a second operator" in console.get(f"{page}change/").content.decode()
        assert "1 organisation waits for a second operator" in console.get("/console/").content.decode()
        same = console.post(f"{page}approve/", {"typed": "pulse"})
        assert (same.status_code, "Somebody else" in same.content.decode()) == (422, True)
        Restore.objects.update(asked_by="kim@enclave.example")
        assert console.post(f"{page}approve/", {"typed": "puls"}).status_code == 422
        assert Restore.objects.get().step == RestoreStep.ASKED
        assert console.post(f"{page}approve/", {"typed": "pulse"}).status_code == 302
        assert [one.pk for one in Restore.objects.unfinished()] == [restore.pk]
        assert "data-poll" in console.get(f"{page}change/").content.decode()
        assert {act.act for act in OperatorAct.objects.all()} == {"ask for restore", "approve restore"}

    def test_says_which_moments_no_server_it_lived_on_has(
        self, console: Client, pulse: Organisation, copied: BaseBackup
    ) -> None:
        moved = copied.began_at + timedelta(minutes=20)
        later = moved + timedelta(minutes=20)
        move = Move.objects.create(
            organisation=pulse,
            source_id="shard_1",
            target_id="shard_2",
            schema_name=pulse.schema_name,
            epoch=1,
            step="kept",
            history=[["switched", moved.isoformat()]],
            asked_at=moved,
            reason="A bigger server",
            asked_by="oz@enclave.example",
        )
        Organisation.objects.filter(pk=pulse.pk).update(shard_id="shard_2")

        def said() -> str:
            found = re.search(r"earlier time</a> · (.*)", console.get(page).content.decode())
            return strip_tags(found[1]).strip() if found else ""

        page = f"{LIST}{pulse.pk}/change/"
        # What is said can be typed: a whole second, and none that is too early.
        whole = timedelta(seconds=1)
        shown = (copied.began_at + whole, moved, later + whole)
        first, gone, second = (strip_tags(moment(at)) for at in shown)
        assert said() == f"any from {first} to {gone}"
        copied.pk = None
        copied.shards, copied.began_at, copied.ended_at = ["shard_2"], later, later
        copied.save(force_insert=True)
        assert said() == f"any from {first} to {gone} and since {second}"
        between = moved + timedelta(minutes=5)
        told = {"to": f"{between:%Y-%m-%d %H:%M:%S}", "reason": "They deleted everything"}
        refused = html.unescape(console.post(f"{LIST}{pulse.pk}/restore/", told).content.decode())
        assert "No back-up of shard_2 is from before" in refused
        times = [f"{at:%Y-%m-%d %H:%M:%S}" for at in shown]
        assert f"The next moment to go back to is {times[2]}." in refused
        told["to"] = times[2]
        assert console.post(f"{LIST}{pulse.pk}/restore/", told).status_code == 302
        assert "Any moment from {} to {} and since {}.".format(*times) in refused
        # A server that was copied before it came has it from when it came.
        copied.note(began_at=moved, ended_at=moved)
        assert said() == f"any since {first}"
        move.note_columns(step="reverted")
        assert said() == f"any since {strip_tags(moment(moved + whole))}"

    def test_can_be_declined(self, console: Client, pulse: Organisation, copied: BaseBackup) -> None:
        restore = self.asked(console, pulse)
        page = f"/console/operations/restore/{restore.pk}/"
        assert console.post(f"{page}decline/", {"reason": ""}).status_code == 422
        assert console.post(f"{page}decline/", {"reason": "They found it again"}).status_code == 302
        assert Restore.objects.get().step == RestoreStep.DECLINED
        again = console.post(f"{page}decline/", {"reason": "They found it again"}, follow=True)
        assert "does not wait for anybody" in again.content.decode()

    def test_can_be_undone_with_a_reason_and_the_address(self, console: Client, pulse: Organisation) -> None:
        restore = done(pulse)
        page = f"/console/operations/restore/{restore.pk}/"
        assert "Undo it" in console.get(f"{page}change/").content.decode()
        asking = html.unescape(console.get(f"{page}undo/").content.decode())
        assert "what it was just before it was brought back" in asking
        for told in ({"reason": "It was right", "typed": "puls"}, {"reason": "short", "typed": "pulse"}):
            assert console.post(f"{page}undo/", told).status_code == 422
        assert not Restore.objects.unfinished().exists()
        told = {"reason": "It was right before", "typed": "pulse"}
        assert console.post(f"{page}undo/", told).status_code == 302
        assert Restore.objects.unfinished().get().result["undo"]["by"] == "oz@enclave.example"
        followed = console.get(f"{page}change/")
        assert "It is being put back: oz@enclave.example" in followed.content.decode()
        assert "data-poll" in followed.content.decode()
        assert "put back already" in console.post(f"{page}undo/", told).content.decode()
        act = OperatorAct.objects.get()
        assert (act.act, act.reason) == ("ask to undo restore", "It was right before")

    @pytest.mark.parametrize(
        ("columns", "why"),
        [
            ({"other_schema": ""}, "nothing kept"),
            ({"step": "undone"}, "nothing kept"),
            ({"result": {"shard": "shard_2"}}, "has moved to shard_1 since"),
        ],
    )
    def test_cannot_be_undone_where_nothing_is_kept_for_it(
        self, console: Client, pulse: Organisation, columns: dict[str, object], why: str
    ) -> None:
        restore = done(pulse, **columns)
        page = f"/console/operations/restore/{restore.pk}/"
        assert why in console.get(f"{page}change/").content.decode()
        told = {"reason": "It was right before", "typed": "pulse"}
        refused = console.post(f"{page}undo/", told)
        assert (refused.status_code, why in refused.content.decode()) == (422, True)

    def test_only_the_last_one_is_undone(self, console: Client, pulse: Organisation) -> None:
        first = done(pulse)
        done(pulse, asked_at=timezone.now() + timedelta(minutes=1))
        shown = console.get(f"/console/operations/restore/{first.pk}/change/").content.decode()
        assert "restored again since" in shown

    def test_waits_while_it_is_being_moved(
        self, console: Client, pulse: Organisation, copied: BaseBackup
    ) -> None:
        """What a move copies must not be exchanged under the copy, nor the other way round."""
        restore = done(pulse)
        move = Move.objects.create(
            organisation=pulse,
            source_id="shard_1",
            target_id="shard_2",
            epoch=1,
            reason="A reason",
            asked_by="oz@enclave.example",
            asked_at=timezone.now(),
            schema_name=pulse.schema_name,
        )
        page = f"/console/operations/restore/{restore.pk}/change/"
        assert "is being moved" in console.get(page).content.decode()
        told = {"to": f"{timezone.now():%Y-%m-%d %H:%M:%S}", "reason": "They deleted everything"}
        refused = console.post(f"{LIST}{pulse.pk}/restore/", told)
        assert "is being moved" in refused.content.decode()
        move.delete()
        Restore.objects.update(step=RestoreStep.APPROVED)
        moved = console.post(f"{LIST}{pulse.pk}/move/", {"target": "shard_2", "reason": "Closer to them"})
        assert "is being brought back" in moved.content.decode()

    @pytest.mark.parametrize(("old", "failed"), [(True, False), (False, True)])
    def test_says_which_shards_have_no_copy(
        self, console: Client, pulse: Organisation, old: bool, failed: bool
    ) -> None:
        now = timezone.now()
        Organisation.objects.update(created_at=now - timedelta(hours=23))
        assert "no back-up of the last day" not in console.get("/console/").content.decode()
        if old:
            Organisation.objects.update(created_at=now - timedelta(hours=25))
        if failed:
            BaseBackup.objects.create(
                system="1", shards=["shard_1"], folder="/nowhere", began_at=now, ended_at=now, state="failed"
            )
        assert "no back-up of the last day" in console.get("/console/").content.decode()
        for alias in ("shard_1", "shard_2"):
            BaseBackup.objects.create(
                system="1", shards=[alias], folder="/nowhere", began_at=now, ended_at=now, state="good"
            )
        assert "no back-up of the last day" not in console.get("/console/").content.decode()
        assert "shard_2" in console.get("/console/operations/basebackup/").content.decode()
        assert console.get("/console/operations/restoredrill/").status_code == 200

    def test_nobody_else_undoes(self, pulse: Organisation, client_as: ClientAs) -> None:
        page = f"/console/operations/restore/{done(pulse).pk}/undo/"
        told = {"reason": "It was right before", "typed": "pulse"}
        assert visitor(settings.OPERATORS_HOST).post(page, told).status_code in (302, 403)
        assert client_as("ada@pulse.example", pulse).post(page, told).status_code == 404
        assert not Restore.objects.unfinished().exists()
