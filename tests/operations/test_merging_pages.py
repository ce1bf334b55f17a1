"""Merging in the console: asked for, clashes shown, approved by a second operator, undone, closed."""

import html
from datetime import timedelta

import pytest
from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import F
from django.test import Client
from django.utils import timezone
from django.utils.html import strip_tags

from operations.joining.clashes import Kind
from operations.joining.telling import ORDER
from operations.models import JoiningStep, Merge, OperatorAct
from operations.models.joining import ENDED, TAKEN
from tenants.models import Organisation
from tests.conftest import ClientAs
from tests.operations.merges import merged, now
from tests.operations.test_console import LIST
from tests.people import visitor

ACTS = "/console/operations/merge/"
WHY = {"reason": "They are one company now"}
APPROVAL = {"typed": "pulse"}
CLASHES = [
    {"kind": "other_name", "noun": "collections", "count": "1"},
    {"kind": "stops", "noun": "groups", "count": "1"},
    {"kind": "same_person", "noun": "people", "count": "1,025"},
]
FOUND = {"clashes": CLASHES, "rows": {"records": 12_000, "collections": 3}}


def words(answer: object) -> str:
    """Return the words of a page."""
    return " ".join(html.unescape(strip_tags(answer.content.decode())).split())  # type: ignore[attr-defined]  # an answer


def page_of(merge: Merge, act: str = "change") -> str:
    """Return the address of a merge, or of an act on it."""
    return f"{ACTS}{merge.pk}/{act}/"


def row_of(page: str, label: str) -> str:
    """Return what stands beside a label on a page of one."""
    after = page.split(f">{label}:</label>", 1)[1]
    return after.split('<div class="form-row', 1)[0]


@pytest.fixture
def pair(pulse: Organisation, tide: Organisation) -> tuple[Organisation, Organisation]:
    """Two organisations that could become one."""
    Organisation.objects.update(release=settings.RELEASE)
    return pulse, tide


class TestAsking:
    def test_is_offered_and_says_what_happens(self, console: Client, pulse: Organisation) -> None:
        assert "Make it a part of another organisation" in words(console.get(f"{LIST}{pulse.pk}/change/"))
        page = words(console.get(f"{LIST}{pulse.pk}/merge/"))
        assert "another operator, who has seen them, approves it" in page
        assert "people will read what was closed to them before" in page

    def test_leads_to_a_page_that_looks_again(
        self, console: Client, pair: tuple[Organisation, Organisation]
    ) -> None:
        pulse, tide = pair
        answer = console.post(f"{LIST}{pulse.pk}/merge/", {"into": " Tide ", **WHY})
        merge = Merge.objects.get()
        assert answer["Location"] == page_of(merge)
        assert (merge.absorbed_id, merge.into_id, merge.step) == (pulse.pk, tide.pk, JoiningStep.ASKED)
        page = console.get(page_of(merge))
        assert "data-poll" in page.content.decode()
        assert "Take it back" in words(page)
        assert "Approve it" not in words(page)
        assert "1 under way" in words(console.get(ACTS))
        assert OperatorAct.objects.filter(act="ask for merge").count() == 2
        assert now(pulse).state == pulse.state

    @pytest.mark.parametrize(
        ("told", "said"),
        [
            ({"into": "nobody", **WHY}, "There is no organisation at the address nobody"),
            ({"into": "pulse", **WHY}, "cannot become part of itself"),
            ({"into": "tide", "reason": ""}, "Fill this in."),
            ({"into": "", **WHY}, "Fill this in."),
        ],
    )
    def test_refuses_what_is_no_wish(
        self, console: Client, pair: tuple[Organisation, Organisation], told: dict[str, str], said: str
    ) -> None:
        answer = console.post(f"{LIST}{pair[0].pk}/merge/", told)
        assert (answer.status_code, said in words(answer)) == (422, True)
        assert not Merge.objects.exists()

    def test_is_not_offered_again_while_one_is_open(
        self, console: Client, pair: tuple[Organisation, Organisation]
    ) -> None:
        pulse, tide = pair
        merged(pulse, tide)
        for organisation in pair:
            page = words(console.get(f"{LIST}{organisation.pk}/change/"))
            assert "Make it a part of another" not in page
            assert "Pulse Nights into Tide Sessions: Waits for approval" in page
        again = console.post(f"{LIST}{tide.pk}/merge/", {"into": "pulse", **WHY})
        assert (again.status_code, "is open" in words(again)) == (422, True)


class TestClashes:
    def test_are_counted_under_their_headings(
        self, console: Client, pulse: Organisation, tide: Organisation
    ) -> None:
        merge = merged(pulse, tide, result=FOUND)
        page = console.get(page_of(merge)).content.decode()
        shown = row_of(page, "What clashes")
        places = [shown.index(kind.heading) for kind in (Kind.STOPS, Kind.SAME_PERSON, Kind.OTHER_NAME)]
        assert places == sorted(places)
        assert "<li>People with the same address become one person: people (1,025)</li>" in shown
        assert "manage.py merge pulse --show" in shown
        assert "12,003 in all" in row_of(page, "Rows that come")

    def test_of_every_kind_have_their_place(self) -> None:
        assert sorted(ORDER) == sorted(Kind)

    def test_are_counted_for_who_approves(
        self, console: Client, pulse: Organisation, tide: Organisation
    ) -> None:
        merge = merged(pulse, tide, result=FOUND)
        page = words(console.get(page_of(merge, "approve")))
        assert "kim@enclave.example asked for it: They are one company now" in page
        assert "People with the same address become one person: people (1,025)" in page
        assert "everything comes as it is" in words(
            console.get(page_of(merged(tide, pulse, "failed", result={"clashes": []})))
        )


class TestApproving:
    def test_needs_two_operators_and_the_address(
        self, console: Client, pulse: Organisation, tide: Organisation
    ) -> None:
        merge = merged(pulse, tide, asked_by="oz@enclave.example")
        assert "1 merge waits for a second operator" in words(console.get("/console/"))
        same = console.post(page_of(merge, "approve"), APPROVAL)
        assert (same.status_code, "Somebody else has to approve" in words(same)) == (422, True)
        Merge.objects.update(asked_by="kim@enclave.example")
        for typed in ("tide", "puls", ""):
            assert console.post(page_of(merge, "approve"), {"typed": typed}).status_code == 422
        assert (Merge.objects.get().step, now(pulse).state) == (JoiningStep.FOUND, pulse.state)
        assert console.post(page_of(merge, "approve"), APPROVAL).status_code == 302
        assert (Merge.objects.get().step, now(pulse).state) == (JoiningStep.APPROVED, "gone")
        assert "1 merge waits" not in words(console.get("/console/"))
        assert console.post(page_of(merge, "approve"), APPROVAL).status_code == 422

    def test_closes_the_address_at_once(
        self, console: Client, pulse: Organisation, tide: Organisation, client_as: ClientAs
    ) -> None:
        ada = client_as("ada@pulse.example", pulse)
        assert ada.get("/").status_code == 200
        merge = merged(pulse, tide)
        assert console.post(page_of(merge, "approve"), APPROVAL).status_code == 302
        answer = ada.get("/")
        assert answer.status_code == 410
        assert "Pulse Nights is a part of Tide Sessions" in words(answer)

    def test_by_who_asked_is_refused_by_the_database_too(
        self, pulse: Organisation, tide: Organisation
    ) -> None:
        merged(pulse, tide)
        with pytest.raises(IntegrityError, match="second_person"), transaction.atomic(using="control"):
            Merge.objects.update(approved_by=F("asked_by"))


class TestTakingBack:
    @pytest.mark.parametrize("step", JoiningStep)
    def test_is_possible_until_it_is_approved(
        self, console: Client, pulse: Organisation, tide: Organisation, step: JoiningStep
    ) -> None:
        merge = merged(pulse, tide, step)
        assert console.post(page_of(merge, "cancel"), {"reason": ""}).status_code == 422
        waits = step in (JoiningStep.ASKED, JoiningStep.FOUND)
        assert console.post(page_of(merge, "cancel"), WHY).status_code == (302 if waits else 422)
        assert Merge.objects.get().step == (JoiningStep.CANCELLED if waits else step)


class TestUndoing:
    def test_says_what_goes_and_what_stays(
        self, console: Client, pulse: Organisation, tide: Organisation
    ) -> None:
        merge = merged(pulse, tide, "done")
        shown = words(console.get(page_of(merge)))
        assert f"It can be undone until {merge.undo_until:%d %b %Y %H:%M}" in shown
        page = words(console.get(page_of(merge, "undo")))
        assert "People whose work stays there are deactivated there" in page

    def test_needs_a_reason_and_the_address(
        self, console: Client, pulse: Organisation, tide: Organisation
    ) -> None:
        merge = merged(pulse, tide, "done")
        wrong = ({**APPROVAL, "reason": ""}, {**WHY, "typed": "tide"}, WHY)
        assert [console.post(page_of(merge, "undo"), told).status_code for told in wrong] == [422] * 3
        assert Merge.objects.get().step == JoiningStep.DONE
        assert console.post(page_of(merge, "undo"), {**WHY, **APPROVAL}).status_code == 302
        assert Merge.objects.get().step == JoiningStep.UNDOING
        assert "data-poll" in console.get(page_of(merge)).content.decode()

    @pytest.mark.parametrize("step", [step for step in JoiningStep if step != JoiningStep.DONE])
    def test_and_a_merge_that_is_done(
        self, console: Client, pulse: Organisation, tide: Organisation, step: JoiningStep
    ) -> None:
        merge = merged(pulse, tide, step)
        for act, told in (("undo", {**WHY, **APPROVAL}), ("close", WHY)):
            assert console.post(page_of(merge, act), told).status_code == 422
        assert Merge.objects.get().step == step

    def test_shows_what_stayed(self, console: Client, pulse: Organisation, tide: Organisation) -> None:
        merge = merged(pulse, tide, "undone", result={**FOUND, "stay": {"records": 7}})
        assert "7 records" in row_of(console.get(page_of(merge)).content.decode(), "Stayed after undoing")
        Merge.objects.update(result={**FOUND, "stay": {}})
        assert "all that came has gone back" in words(console.get(page_of(merge)))


class TestClosing:
    def test_needs_a_reason_and_is_the_end(
        self, console: Client, pulse: Organisation, tide: Organisation
    ) -> None:
        merge = merged(pulse, tide, "done")
        assert "From then on it cannot be undone" in words(console.get(page_of(merge, "close")))
        assert console.post(page_of(merge, "close"), {"reason": ""}).status_code == 422
        assert not Merge.objects.due(at=timezone.now()).exists()
        assert console.post(page_of(merge, "close"), WHY).status_code == 302
        assert Merge.objects.due(at=timezone.now() + timedelta(seconds=1)).exists()


class TestEveryStep:
    @pytest.mark.parametrize("step", JoiningStep)
    def test_says_what_can_be_done(
        self, console: Client, pulse: Organisation, tide: Organisation, step: JoiningStep
    ) -> None:
        merge = merged(pulse, tide, step, result={"came": {"records_record": 5}}, progress="5 of 9 rows")
        page = console.get(page_of(merge)).content.decode()
        offered = [act for act in ("approve", "cancel", "undo", "close") if page_of(merge, act) in page]
        acts = {"asked": ["cancel"], "found": ["approve", "cancel"], "done": ["undo", "close"]}
        assert offered == acts.get(step, [])
        assert offered or "Nothing" in row_of(page, "What you can do")
        assert "5 records" in row_of(page, "Rows that came")
        assert ("data-poll" in page) == (step in ("asked", "approved", "staged", "undoing"))
        assert step.label in words(console.get(ACTS))
        for act in ("approve", "cancel", "undo", "close"):
            assert console.get(page_of(merge, act)).status_code == 200

    @pytest.mark.parametrize("step", [*TAKEN, JoiningStep.CLOSED])
    def test_of_who_is_a_part_offers_no_other_state(
        self, console: Client, pulse: Organisation, tide: Organisation, step: JoiningStep
    ) -> None:
        merge = merged(pulse, tide, step)
        page = console.get(f"{LIST}{pulse.pk}/change/").content.decode()
        assert "/state/active/" not in page
        assert "can be made active again" not in page
        assert f'It is a part of <a href="{LIST}{tide.pk}/change/">Tide Sessions</a>' in page
        assert ("Undo the merge</a> instead" in page) == (step in TAKEN)
        assert page_of(merge) in page
        answer = console.post(f"{LIST}{pulse.pk}/state/active/", WHY, follow=True)
        assert "a part of Tide Sessions" in words(answer)
        assert now(pulse).state == "gone"

    @pytest.mark.parametrize("step", [step for step in ENDED if step != JoiningStep.CLOSED])
    def test_that_came_to_nothing_leaves_them_as_they_were(
        self, console: Client, pulse: Organisation, tide: Organisation, step: JoiningStep
    ) -> None:
        merged(pulse, tide, step, error="DatabaseError: no")
        page = words(console.get(f"{LIST}{pulse.pk}/change/"))
        assert "Make it a part of another organisation" in page
        assert "Make it suspended" in page


class TestWhoMay:
    def test_nobody_who_is_no_operator(
        self, pulse: Organisation, tide: Organisation, client_as: ClientAs
    ) -> None:
        merge = merged(pulse, tide)
        somebody, inside = visitor(settings.OPERATORS_HOST), client_as("ada@pulse.example", pulse)
        for address, told in ((page_of(merge, "approve"), APPROVAL), (page_of(merge, "cancel"), WHY)):
            assert somebody.post(address, told)["Location"].startswith("/console/login/")
            assert inside.post(address, told).status_code == 404
        assert Merge.objects.get().step == JoiningStep.FOUND
