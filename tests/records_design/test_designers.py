"""Two designers at once, and designers who may not see everything."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from accounts.identity.models import User
from permissions.actions.memberships import assign_role
from permissions.actions.roles import create_role
from permissions.models.roles import MEMBER_RANK
from records.models import Collection, Field
from tenants.models import Organisation
from tests.conftest import ClientAs
from tests.records_design.conftest import form_of

Read = Callable[[str], Field]
Inside = Callable[[], Any]
Order = Callable[[], list[str]]
DESIGN = "/c/gigs/design/"
GUESTS = f"{DESIGN}f/f_guests/"


@pytest.fixture
def ben(pulse: Organisation, client_as: ClientAs, inside: Inside) -> Client:
    """The browser of Ben, who designs and may not see what is sensitive."""
    with inside():
        ada = User.objects.get(email="ada@pulse.example")
        names = ["collections.design", "records.view"]
        role = create_role(name="Designer", names=names, rank=MEMBER_RANK, by=ada, at=timezone.now())
        assign_role(user=User.objects.get(email="ben@pulse.example"), role=role, by=ada, at=timezone.now())
    return client_as("ben@pulse.example", pulse)


class TestTheSecondOfTwoDesigners:
    def test_is_told_that_the_field_was_changed(self, ada: Client, ann: Client, field: Read) -> None:
        first, second = form_of(field("f_guests"), name="Visitors"), form_of(field("f_guests"), name="Heads")
        ada.post(GUESTS, first)
        response = ann.post(GUESTS, second)

        text = response.content.decode()
        assert (response.status_code, field("f_guests").name) == (409, "Visitors")
        assert ("Somebody else changed Visitors meanwhile" in text, 'value="Heads"' in text) == (True, True)

    def test_may_save_theirs_after_seeing_the_other(self, ada: Client, ann: Client, field: Read) -> None:
        second = form_of(field("f_guests"), name="Heads")
        ada.post(GUESTS, form_of(field("f_guests"), name="Visitors"))
        ann.post(GUESTS, {**second, "mark": ann.post(GUESTS, second).context["mark"]})

        assert field("f_guests").name == "Heads"

    def test_still_hears_of_it_after_moving_a_choice(self, ada: Client, ann: Client, field: Read) -> None:
        address, second = f"{DESIGN}f/f_state/", form_of(field("f_state"))
        ada.post(address, form_of(field("f_state"), name="Phase"))
        draft = ann.post(address, {**second, "do": "down:0"})

        assert ann.post(address, {**second, "mark": draft.context["mark"]}).status_code == 409

    def test_is_not_stopped_by_a_change_of_another_field(self, ada: Client, ann: Client, field: Read) -> None:
        second = form_of(field("f_guests"), name="Heads")
        ada.post(f"{DESIGN}f/f_state/", form_of(field("f_state"), name="Phase"))

        assert (ann.post(GUESTS, second).status_code, field("f_guests").name) == (302, "Heads")

    def test_does_not_remove_a_field_that_became_another(self, ada: Client, ann: Client, field: Read) -> None:
        mark = ann.get(f"{GUESTS}remove/").context["kept"][0][1]
        ada.post(GUESTS, form_of(field("f_guests"), name="Visitors"))
        response = ann.post(f"{GUESTS}remove/", {"mark": mark})

        assert (response.status_code, field("f_guests").deleted_at) == (409, None)

    def test_does_not_move_fields_that_stand_otherwise_now(
        self, ada: Client, ann: Client, gigs: Collection, order: Order
    ) -> None:
        seen = order()
        ada.post(f"{DESIGN}order/", {"seen": seen, "up": "f_state"})
        response = ann.post(f"{DESIGN}order/", {"seen": seen, "up": "f_guests"})

        assert (response.status_code, order()) == (409, ["f_name", "f_state", "f_guests"])
        assert "Somebody else changed the fields meanwhile" in response.content.decode()

    def test_does_not_write_over_other_settings(
        self, ada: Client, ann: Client, gigs: Collection, inside: Inside
    ) -> None:
        mark = ann.get("/c/gigs/settings/").context["mark"]
        sent = {"mark": mark, "icon": "ticket", "description": ""}
        ada.post("/c/gigs/settings/", {**sent, "name": "Nights"})
        response = ann.post("/c/gigs/settings/", {**sent, "name": "Shows"})

        with inside():
            name = Collection.objects.get(pk=gigs.pk).name
        assert (response.status_code, name, b'value="Shows"' in response.content) == (409, "Nights", True)


class TestASensitiveField:
    @pytest.fixture(autouse=True)
    def sensitive(self, gigs: Collection, inside: Inside) -> None:
        with inside():
            gigs.fields.filter(key="f_guests").update(sensitive=True)

    @pytest.mark.parametrize("rest", ["", "remove/"])
    def test_is_not_designed_by_who_may_not_see_it(self, ben: Client, rest: str) -> None:
        assert (ben.get(f"{GUESTS}{rest}").status_code, ben.post(f"{GUESTS}{rest}").status_code) == (403, 403)

    def test_stands_without_links_for_who_may_not_see_it(self, ben: Client) -> None:
        text = ben.get(DESIGN).content.decode()

        assert (f'href="{GUESTS}"' in text, f'href="{DESIGN}f/f_state/"' in text) == (False, True)

    def test_is_not_brought_back_by_who_may_not_see_it(
        self, ben: Client, gigs: Collection, inside: Inside
    ) -> None:
        with inside():
            gigs.fields.filter(key="f_guests").update(deleted_at=timezone.now())

        assert ben.post(f"{GUESTS}restore/").status_code == 403

    def test_stays_so_for_who_may(self, ada: Client, field: Read) -> None:
        ada.post(GUESTS, form_of(field("f_guests"), name="Visitors"))

        assert field("f_guests").sensitive is True
