"""Leaving in the console, and an organisation's exports on its own pages."""

import html
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone
from django.utils.html import strip_tags

from audit.models import Event
from operations.leaving import erasing
from operations.leaving.problems import CannotLeave
from operations.leaving.shelf import path_of
from operations.models import Erasure, ErasureStep, Export, ExportStep, Move, MoveStep, OperatorAct
from tenants import hosts
from tenants.context import Actor, enter
from tenants.models import Organisation
from tests.conftest import ClientAs
from tests.operations.test_console import LIST

PAGE = "/exports/"


def words(answer: object) -> str:
    """Return the words of a page."""
    return " ".join(html.unescape(strip_tags(answer.content.decode())).split())  # type: ignore[attr-defined]  # an answer


def state(organisation: Organisation, to: str) -> None:
    """Put an organisation into a state."""
    Organisation.objects.filter(pk=organisation.pk).update(state=to)
    hosts.forget()


def exported(organisation: Organisation, **columns: object) -> Export:
    """Write down an export, with its file."""
    at = timezone.now()
    known: dict[str, object] = {
        "organisation": organisation,
        "asked_by": "ada@pulse.example",
        "asked_at": at,
        "step": ExportStep.DONE,
        "size_bytes": 4,
        "sha256": "ab" * 32,
        "kept_until": at + timedelta(days=30),
    }
    export = Export.objects.create(**{**known, **columns})
    path_of(export).parent.mkdir(parents=True, exist_ok=True)
    path_of(export).write_bytes(b"sent")
    return export


class TestErasing:
    @pytest.fixture
    def gone(self, pulse: Organisation) -> Organisation:
        """Pulse, which became gone ten days ago."""
        state(pulse, "gone")
        act = OperatorAct.objects.create(
            organisation=pulse,
            operator_label="kim",
            organisation_label="Pulse",
            act="gone",
            reason="It ended",
        )
        OperatorAct.objects.filter(pk=act.pk).update(at=timezone.now() - timedelta(days=10))
        # Not the one that all tests share: what is read anew must not stay in that.
        return Organisation.objects.get(pk=pulse.pk)

    def asked(self, console: Client, gone: Organisation, when: str = "in-time") -> Erasure:
        """Ask for the erasure of Pulse."""
        told = {"when": when, "reason": "The contract ended"}
        assert console.post(f"{LIST}{gone.pk}/erase/", told).status_code == 302
        return Erasure.objects.get()

    def test_is_offered_for_who_is_gone_alone(self, console: Client, pulse: Organisation) -> None:
        assert "Have it erased" not in words(console.get(f"{LIST}{pulse.pk}/change/"))
        answer = console.get(f"{LIST}{pulse.pk}/erase/", follow=True)
        assert "Only who is gone is erased" in words(answer)
        state(pulse, "gone")
        assert "Have it erased" in words(console.get(f"{LIST}{pulse.pk}/change/"))

    def test_says_what_happens_and_whether_it_can_come_back(
        self, console: Client, gone: Organisation
    ) -> None:
        page = words(console.get(f"{LIST}{gone.pk}/erase/"))
        assert "nothing can bring it back" in page
        assert f"On {timezone.now() + timedelta(days=20):%d %b %Y}, 30 days after" in page
        exported(gone)
        assert "Its last export is of" in words(console.get(f"{LIST}{gone.pk}/erase/"))

    def test_needs_two_operators_the_address_and_its_day(self, console: Client, gone: Organisation) -> None:
        erasure = self.asked(console, gone)
        assert erasure.not_before.date() == (timezone.now() + timedelta(days=20)).date()
        page = f"/console/operations/erasure/{erasure.pk}/"
        assert "1 erasure waits for a second operator" in words(console.get("/console/"))
        same = console.post(f"{page}approve/", {"typed": "pulse"})
        assert (same.status_code, "Somebody else" in words(same)) == (422, True)
        Erasure.objects.update(asked_by="kim@enclave.example")
        assert console.post(f"{page}approve/", {"typed": "puls"}).status_code == 422
        assert Erasure.objects.get().step == ErasureStep.ASKED
        assert console.post(f"{page}approve/", {"typed": "pulse"}).status_code == 302
        assert list(Erasure.objects.due(at=timezone.now())) == []
        assert list(Erasure.objects.due(at=timezone.now() + timedelta(days=21))) == [erasure]

    def test_can_be_taken_back_until_it_begins(self, console: Client, gone: Organisation) -> None:
        erasure = self.asked(console, gone, "at-once")
        page = f"/console/operations/erasure/{erasure.pk}/"
        assert console.post(f"{page}cancel/", {"reason": "They stay after all"}).status_code == 302
        assert Erasure.objects.get().step == ErasureStep.CANCELLED
        again = self.asked_again(console, gone)
        Erasure.objects.filter(pk=again.pk).update(step=ErasureStep.ERASING)
        console.post(f"/console/operations/erasure/{again.pk}/cancel/", {"reason": "They stay after all"})
        assert Erasure.objects.get(pk=again.pk).step == ErasureStep.ERASING

    def asked_again(self, console: Client, gone: Organisation) -> Erasure:
        """Ask once more, after the first one was taken back."""
        told = {"when": "at-once", "reason": "The contract ended"}
        assert console.post(f"{LIST}{gone.pk}/erase/", told).status_code == 302
        return Erasure.objects.open().get()

    def test_waits_for_what_a_move_left_behind_and_hastens_it(
        self, console: Client, gone: Organisation
    ) -> None:
        erasure = self.asked(console, gone, "at-once")
        erasure.note(step=ErasureStep.APPROVED, approved_by="kim@enclave.example")
        at = timezone.now()
        move = Move.objects.create(
            organisation=gone,
            source_id="shard_2",
            target_id="shard_1",
            schema_name=gone.schema_name,
            epoch=1,
            step=MoveStep.KEPT,
            reason="The other server was full",
            asked_by="kim",
            asked_at=at - timedelta(days=1),
            keep_until=at + timedelta(days=6),
        )
        with pytest.raises(CannotLeave, match="goes first"):
            erasing.begin(erasure)
        assert list(Move.objects.to_be_dropped(at=timezone.now())) == [move]
        assert Erasure.objects.get().step == ErasureStep.APPROVED
        Move.objects.update(step=MoveStep.DONE)
        assert erasing.begin(erasure)
        assert Erasure.objects.get().step == ErasureStep.ERASING

    def test_waits_for_an_export_that_is_being_written(self, console: Client, gone: Organisation) -> None:
        export = exported(gone, step=ExportStep.ASKED)
        assert "is being written; nothing is erased before" in words(console.get(f"{LIST}{gone.pk}/erase/"))
        erasure = self.asked(console, gone, "at-once")
        erasure.note(step=ErasureStep.APPROVED, approved_by="kim@enclave.example")
        with pytest.raises(CannotLeave, match="export of it is being written"):
            erasing.begin(erasure)
        assert Erasure.objects.get().step == ErasureStep.APPROVED
        export.note(step=ExportStep.DONE)
        assert erasing.begin(erasure)

    def test_the_proof_is_shown_and_nobody_makes_it_active_then(
        self, console: Client, gone: Organisation
    ) -> None:
        erasure = self.asked(console, gone)
        was = {
            "rows": {"gear_speaker": 1200, "audit_event": 34},
            "files": 5,
            "trail": {"entries": 34, "digest_of_last_10000": "ab" * 32, "seal": [3, "cd" * 32]},
            "last_export": {"sha256": "ef" * 32, "of": "2026-01-01"},
        }
        result = {"was": was, "left": {"schemas": 0}, "in_back_ups_until": "2026-02-01T12:00:00+00:00"}
        Erasure.objects.update(step=ErasureStep.DONE, result=result)
        page = words(console.get(f"/console/operations/erasure/{erasure.pk}/change/"))
        assert "1,234 rows in 2 tables" in page
        assert "0 schemas" in page
        assert "2026-02-01 12:00" in page
        assert "not brought back from back-ups" in words(console.get(f"{LIST}{gone.pk}/change/"))
        told = {"to": f"{timezone.now():%Y-%m-%d %H:%M:%S}", "reason": "They want it back"}
        refused = console.post(f"{LIST}{gone.pk}/restore/", told)
        assert (refused.status_code, "is erased" in words(refused)) == (422, True)
        assert "its data is erased" in words(console.get(f"{LIST}{gone.pk}/change/"))
        answer = console.post(
            f"{LIST}{gone.pk}/state/active/", {"reason": "They want to come back"}, follow=True
        )
        assert "comes back from its export only" in words(answer)
        gone.refresh_from_db()
        assert gone.state == "gone"

    def test_who_is_gone_can_be_made_active_before(self, console: Client, gone: Organisation) -> None:
        told = {"reason": "It was a mistake"}
        assert console.post(f"{LIST}{gone.pk}/state/active/", told).status_code == 302
        gone.refresh_from_db()
        assert gone.state == "active"


class TestExports:
    def test_one_is_written_when_an_organisation_begins_to_leave(
        self, console: Client, pulse: Organisation
    ) -> None:
        told = {"reason": "They said so"}
        assert console.post(f"{LIST}{pulse.pk}/state/leaving/", told).status_code == 302
        assert Export.objects.get().step == ExportStep.ASKED
        assert "1 being written" in words(console.get("/console/operations/export/"))

    def test_an_operator_has_one_written_and_reads_none(self, console: Client, pulse: Organisation) -> None:
        page = f"{LIST}{pulse.pk}/export/"
        assert "You cannot" in words(console.get(page))
        assert console.post(page, {"reason": "They asked by phone"}).status_code == 302
        again = console.post(page, {"reason": "They asked by phone"})
        assert (again.status_code, "being written already" in words(again)) == (422, True)
        export = Export.objects.get()
        assert console.get(f"{PAGE}{export.pk}/").status_code == 404

    def test_the_owner_has_one_written_and_fetches_it(self, pulse: Organisation, client_as: ClientAs) -> None:
        ada = client_as("ada@pulse.example", pulse)
        assert "Everything in one file" in words(ada.get(PAGE))
        assert ada.post(PAGE).status_code == 302
        page = ada.get(PAGE).content.decode()
        assert "Being written" in page
        assert "every 2s" in page
        assert ada.post(PAGE).status_code == 422
        export = Export.objects.get()
        assert ada.get(f"{PAGE}{export.pk}/").status_code == 404
        export.note(step=ExportStep.DONE, size_bytes=4)
        path_of(export).parent.mkdir(parents=True, exist_ok=True)
        path_of(export).write_bytes(b"sent")
        # The page looks again by itself, and is another one by now.
        assert ada.get(PAGE, headers={"HX-Request": "true"})["HX-Refresh"] == "true"
        answer = ada.get(f"{PAGE}{export.pk}/")
        assert answer.getvalue() == b"sent"
        assert answer["Content-Disposition"].startswith('attachment; filename="pulse-')
        assert answer["Content-Type"] == "application/zip"
        with enter(pulse, actor=Actor.system("test")):
            codes = Event.objects.filter(code__startswith="organisation.export")
            assert sorted(codes.values_list("code", flat=True)) == [
                "organisation.export_asked",
                "organisation.export_fetched",
            ]

    def test_nobody_fetches_another_organisations(
        self, pulse: Organisation, tide: Organisation, client_as: ClientAs
    ) -> None:
        export = exported(tide)
        assert client_as("ada@pulse.example", pulse).get(f"{PAGE}{export.pk}/").status_code == 404
        assert client_as("dee@tide.example", tide).get(f"{PAGE}{export.pk}/").getvalue() == b"sent"

    def test_is_fetched_and_not_asked_for_while_it_leaves(
        self, pulse: Organisation, client_as: ClientAs
    ) -> None:
        ada = client_as("ada@pulse.example", pulse)
        export = exported(pulse)
        state(pulse, "leaving")
        page = ada.get(PAGE).content.decode()
        assert "Write an export" not in page
        assert ada.get(f"{PAGE}{export.pk}/").getvalue() == b"sent"
        assert ada.post(PAGE).status_code == 403
        assert Export.objects.count() == 1

    def test_five_are_written_within_a_day(self, pulse: Organisation, client_as: ClientAs) -> None:
        for _ in range(5):
            exported(pulse)
        answer = client_as("ada@pulse.example", pulse).post(PAGE)
        assert (answer.status_code, "Come back tomorrow" in words(answer)) == (422, True)
