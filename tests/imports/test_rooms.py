"""Files that go into a room of a team: its model makes the rules."""

from typing import Any

import pytest
from django.test import Client

from accounts.identity.models import User
from audit.models import Event
from jobs.testing import run_due
from permissions.models import Membership, Role
from records import rooms
from records.imports import actions
from records.imports.destination import Removed
from records.imports.destinations import into, where
from records.imports.refusals import MappingRefused, NotAllowedAnyMore
from records.imports.store import Spool
from records.models import Import, ImportedRow
from records.rooms import actions as room_actions
from tenants.context import Actor, enter
from tenants.models import Organisation
from tests.conftest import ClientAs
from tests.imports.conftest import NOW, choose_fields, sent
from tests.imports.test_pages import fields_of, send, state, url
from tests.rooms.gear.models import Speaker

ROOM = rooms.get("speaker")
SPEAKERS = (
    b"Name,Serial,Power (watts),State,Bought on\n"
    b"Sub,S1,900,In order,2024-05-01\nTop,S2,400,broken,\nFill,S3,,ok,\n"
)
MIXED = b"name,serial,watts\nSub,S1,900\n" + b"x" * 101 + b",S2,1\nTop,S3,9999999999\nFill,S1,5\nTop,S5,9\n"


@pytest.fixture
def bring(inside: Organisation, ada: User) -> Any:
    """Send a file for the speakers, with its columns where they are guessed."""

    def run(data: bytes, *, by: User = ada, apply: bool = True) -> Import:
        row = actions.begin(upload=sent(data), name="s.csv", collection=None, room=ROOM, by=by, at=NOW)
        run_due(inside)
        row.refresh_from_db()
        choose_fields(row, by, into(ROOM).specs())
        Import.objects.filter(pk=row.pk).update(straight=False)
        run_due(inside)
        row.refresh_from_db()
        if apply and row.state == "checked":
            actions.apply(row=row, by=by, at=NOW)
            run_due(inside)
            row.refresh_from_db()
        return row

    return run


class TestRows:
    def test_come_in_with_the_types_of_the_model(self, bring: Any) -> None:
        row = bring(SPEAKERS.replace(b"Power (watts)", b"watts"))
        assert (row.state, row.imported, row.refused) == ("done", 3, 0)
        kept = Speaker.objects.order_by("serial").values_list("name", "watts", "state", "bought_on__year")
        assert list(kept) == [
            ("Sub", 900, "ok", 2024),
            ("Top", 400, "broken", None),
            ("Fill", None, "ok", None),
        ]

    def test_are_in_the_trail_like_any(self, bring: Any) -> None:
        row = bring(SPEAKERS)
        assert Event.objects.filter(code="gear.speaker.added").count() == 3
        told = Event.objects.get(code="import.done")
        assert told.object_id == row.pk

    def test_that_the_model_does_not_take_are_refused_in_the_dry_run(self, bring: Any) -> None:
        row = bring(MIXED, apply=False)
        assert (row.good, row.refused) == (2, 3)
        assert not Speaker.objects.exists()
        reasons = {(column, reason[:24]) for column, reason, _ in row.report["reasons"]}
        assert {("name", "Ensure this value has at"), ("watts", "Ensure this value is les")} < reasons

    def test_whose_value_is_there_already_are_refused(self, bring: Any) -> None:
        Speaker.objects.create(name="Old", serial="S2")
        row = bring(SPEAKERS, apply=False)
        assert (row.good, row.refused) == (2, 1)

    def test_whose_value_was_taken_meanwhile_are_refused_while_loading(
        self, bring: Any, inside: Organisation, ada: User
    ) -> None:
        row = bring(SPEAKERS, apply=False)
        Speaker.objects.create(name="Faster", serial="S2")
        actions.apply(row=row, by=ada, at=NOW)
        run_due(inside)
        row.refresh_from_db()
        assert (row.state, row.imported, row.refused) == ("done", 2, 1)
        assert b"exists already" in b"".join(Spool.of(row.pk, row.stamp).result())

    def test_need_a_column_for_each_required_field(self, inside: Organisation, ada: User) -> None:
        row = actions.begin(
            upload=sent(b"name,watts\nSub,1\n"), name="s.csv", collection=None, room=ROOM, by=ada, at=NOW
        )
        run_due(inside)
        row.refresh_from_db()
        with pytest.raises(MappingRefused, match="Serial is required"):
            choose_fields(row, ada, into(ROOM).specs())

    def test_of_the_same_file_do_not_come_twice_unasked(self, bring: Any) -> None:
        first = bring(SPEAKERS)
        second = bring(SPEAKERS, apply=False)
        found = actions.same_file(second)
        assert found is not None
        assert found.pk == first.pk


class TestUndo:
    @pytest.mark.parametrize(("keep", "left"), [(True, {"S1", "S9"}), (False, {"S9"})])
    def test_takes_out_what_came_and_keeps_what_was_changed_by_choice(
        self, bring: Any, inside: Organisation, ada: User, keep: bool, left: set[str]
    ) -> None:
        Speaker.objects.create(name="Mine", serial="S9")
        row = bring(SPEAKERS)
        changed = Speaker.objects.get(serial="S1")
        room_actions.change(
            room=ROOM, pk=changed.pk, values={"watts": "5"}, seen={"watts": changed.watts}, by=ada, at=NOW
        )
        assert (actions.records_of(row), actions.changed_since(row)) == (3, 1)
        actions.undo(row=row, keep_changed=keep, by=ada, at=NOW)
        run_due(inside)
        row.refresh_from_db()
        assert row.state == "undone"
        assert (row.removed, row.kept) == (3 - (len(left) - 1), len(left) - 1)
        assert set(Speaker.objects.values_list("serial", flat=True)) == left

    def test_goes_on_in_small_steps(self, bring: Any) -> None:
        row = bring(SPEAKERS)
        steps = [Removed(0, "")]
        while (after := steps[-1].after) is not None:
            steps.append(where(row).take_out(row.pk, after=after, limit=2, unchanged_only=False))
        assert [step.count for step in steps] == [0, 2, 1, 0]
        assert ImportedRow.objects.filter(import_of=row).count() == 3


class TestRights:
    def test_a_guest_may_not_begin(self, inside: Organisation, cy: User) -> None:
        with pytest.raises(NotAllowedAnyMore):
            actions.begin(upload=sent(SPEAKERS), name="s.csv", collection=None, room=ROOM, by=cy, at=NOW)

    def test_a_role_that_was_lowered_meanwhile_stops_it(
        self, bring: Any, inside: Organisation, ben: User
    ) -> None:
        row = bring(SPEAKERS, by=ben, apply=False)
        actions.apply(row=row, by=ben, at=NOW)
        Membership.writer.filter(user=ben).update(role=Role.objects.get(code="guest"))
        run_due(inside)
        row.refresh_from_db()
        assert row.job is not None
        assert (row.job.state, Speaker.objects.count()) == ("failed", 0)


class TestPages:
    def test_lead_from_the_list_to_the_rows(self, client_as: ClientAs, pulse: Organisation) -> None:
        ben: Client = client_as("ben@pulse.example", pulse)
        assert b'action="/rooms/speaker/import/"' in ben.get("/rooms/speaker/").content
        row = send(ben, SPEAKERS, to="/rooms/speaker/import/")
        run_due(pulse)
        page = ben.get(url("import", row.pk)).content.decode()
        assert "Field of Speakers" in page
        assert "New field" not in page
        assert ben.post(url("import-mapping", row.pk), fields_of(page)).status_code == 302
        run_due(pulse)
        assert state(pulse, row) == "done"
        page = ben.get(url("import", row.pk)).content.decode()
        assert "records are in Speakers" in page
        assert 'href="/rooms/speaker/"' in page
        assert "3 records are deleted for good" in ben.get(url("import-undo", row.pk)).content.decode()
        with enter(pulse, actor=Actor.system("test")):
            assert Speaker.objects.filter(name="Fill").count() == 1

    def test_of_colleagues_are_seen_by_those_who_may_import(
        self, client_as: ClientAs, pulse: Organisation, tide: Organisation
    ) -> None:
        row = send(client_as("ada@pulse.example", pulse), SPEAKERS, to="/rooms/speaker/import/")
        run_due(pulse)
        there = url("import", row.pk)
        assert client_as("ben@pulse.example", pulse).get(there).status_code == 200
        assert client_as("cy@pulse.example", pulse).get(there).status_code == 404
        assert client_as("dee@tide.example", tide).get(there).status_code == 404
