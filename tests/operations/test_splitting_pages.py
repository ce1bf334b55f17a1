"""Splits in the console: every step, what can be done at it, and who may."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from operations.models import JoiningStep, OperatorAct, Split
from tenants.models import Organisation
from tenants.names import new_schema_name
from tests.operations.test_console import LIST
from tests.operations.test_merging_pages import row_of, words

ACTS = "/console/operations/split/"
WHY = {"reason": "They go their own way"}
APPROVAL = {"typed": "pulse"}
# Who is signed in at the console of these tests.
OPERATOR = "oz@enclave.example"
FOUND = {
    "clashes": [
        {"kind": "in_both", "noun": "people", "count": "1,025"},
        {"kind": "crosses", "noun": "links", "count": "3"},
    ],
    "rows": {"records": 12_000},
}


def split_of(source: Organisation, step: str = "found", **columns: object) -> Split:
    """Write down a split that Kim asked for and Lee approved, where somebody has."""
    at = timezone.now() - timedelta(hours=1)
    waits = step in (JoiningStep.ASKED, JoiningStep.FOUND, JoiningStep.CANCELLED)
    known: dict[str, object] = {
        "step": step,
        "name": "Pulse North",
        "slug": "pulse-north",
        "reason": WHY["reason"],
        "picks": {"owner": "1", "collections": ["1", "2"], "goes": ["1"], "both": []},
        "effective_at": at,
        "asked_by": "kim@enclave.example",
        "asked_at": at,
        "approved_by": "" if waits else "lee@enclave.example",
        "approved_at": None if waits else at,
        "undo_until": at + timedelta(days=30) if step == JoiningStep.DONE else None,
        "staged": new_schema_name(),
        "shard": source.shard_id,
    }
    return Split.objects.create(source=source, **{**known, **columns})


def page_of(split: Split, act: str = "change") -> str:
    """Return the address of a split, or of an act on it."""
    return f"{ACTS}{split.pk}/{act}/"


class TestPage:
    def test_says_how_much_was_chosen_and_has_two_claims(self, console: Client, pulse: Organisation) -> None:
        split = split_of(pulse, result=FOUND)
        page = console.get(page_of(split)).content.decode()
        assert "collections that go (2), people who go (1), people who are in both (0)" in row_of(
            page, "Chosen"
        )
        shown = row_of(page, "What has two claims")
        assert "<li>Is in both afterwards: people (1,025)</li>" in shown
        assert "manage.py split pulse --show" in shown

    def test_stands_on_the_page_of_the_organisation(self, console: Client, pulse: Organisation) -> None:
        split = split_of(pulse)
        page = words(console.get(f"{LIST}{pulse.pk}/change/"))
        assert f"Pulse North out of {pulse.name}: Waits for approval" in page
        assert "Make it a part of another" not in page
        assert "1 split waits for a second operator" in words(console.get("/console/"))
        assert page_of(split) in console.get(ACTS).content.decode()

    @pytest.mark.parametrize("step", JoiningStep)
    def test_says_what_can_be_done(self, console: Client, pulse: Organisation, step: JoiningStep) -> None:
        split = split_of(pulse, step)
        page = console.get(page_of(split))
        shown = words(page)
        assert ("Approve it" in shown) is (step == JoiningStep.FOUND)
        assert ("Take it back" in shown) is (step in (JoiningStep.ASKED, JoiningStep.FOUND))
        assert ("Undo it" in shown) is (step == JoiningStep.DONE)
        assert ("data-poll" in page.content.decode()) is (step in ("asked", "approved", "staged", "undoing"))

    def test_nothing_yet_says_how_it_is_asked_for(self, console: Client, pulse: Organisation) -> None:
        assert "so does manage.py split SLUG" in words(console.get(ACTS))


class TestActs:
    def test_approving_says_what_happens_and_needs_the_address(
        self, console: Client, pulse: Organisation
    ) -> None:
        split = split_of(pulse, result=FOUND)
        page = words(console.get(page_of(split, "approve")))
        assert "Is in both afterwards: people (1,025)" in page
        assert "deleted there when this is closed" in page
        assert console.post(page_of(split, "approve"), {"typed": "tide"}).status_code == 422
        assert Split.objects.get().step == JoiningStep.FOUND

    def test_who_asked_may_not_approve(self, console: Client, pulse: Organisation) -> None:
        split = split_of(pulse, asked_by=OPERATOR)
        answer = console.post(page_of(split, "approve"), APPROVAL)
        assert (answer.status_code, "Somebody else has to approve" in words(answer)) == (422, True)
        assert Split.objects.get().step == JoiningStep.FOUND

    def test_another_operator_may(self, console: Client, pulse: Organisation) -> None:
        split = split_of(pulse)
        assert console.post(page_of(split, "approve"), APPROVAL).status_code == 302
        assert Split.objects.get().step == JoiningStep.APPROVED
        assert OperatorAct.objects.filter(act="approve split").exists()

    @pytest.mark.parametrize("step", JoiningStep)
    def test_is_taken_back_until_it_is_approved(
        self, console: Client, pulse: Organisation, step: JoiningStep
    ) -> None:
        split = split_of(pulse, step)
        waits = step in (JoiningStep.ASKED, JoiningStep.FOUND)
        assert console.post(page_of(split, "cancel"), WHY).status_code == (302 if waits else 422)
        assert Split.objects.get().step == (JoiningStep.CANCELLED if waits else step)

    def test_undoing_needs_a_reason_and_the_address(self, console: Client, pulse: Organisation) -> None:
        split = split_of(pulse, "done")
        assert "with everything that was done in it" in words(console.get(page_of(split, "undo")))
        for told in ({"typed": "pulse", "reason": ""}, {"typed": "tide", **WHY}):
            assert console.post(page_of(split, "undo"), told).status_code == 422
        assert Split.objects.get().step == JoiningStep.DONE
        assert console.post(page_of(split, "undo"), {**WHY, **APPROVAL}).status_code == 302
        assert Split.objects.get().step == JoiningStep.UNDOING
        assert Split.objects.get().result["undone_by"] == OPERATOR

    def test_closing_needs_a_reason(self, console: Client, pulse: Organisation) -> None:
        split = split_of(pulse, "done")
        assert console.post(page_of(split, "close"), {"reason": ""}).status_code == 422
        assert console.post(page_of(split, "close"), WHY).status_code == 302
        closed = Split.objects.get()
        assert closed.undo_until is not None
        assert closed.undo_until <= timezone.now()


class TestGuards:
    def test_nobody_merges_or_opens_what_is_being_split(
        self, console: Client, pulse: Organisation, tide: Organisation
    ) -> None:
        split_of(pulse, "staged")
        answer = console.post(f"{LIST}{pulse.pk}/merge/", {"into": "tide", **WHY})
        assert (answer.status_code, "is open" in words(answer)) == (422, True)
