"""The pages about people, groups, roles and sharing, walked through as people do."""

import re
from collections.abc import Callable
from datetime import datetime
from html import unescape
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.identity.models import User
from permissions import perms
from permissions.actions.grants import grant
from permissions.actions.groups import add_to_group, create_group, leave_group
from permissions.actions.memberships import assign_role, deactivate
from permissions.actions.roles import create_role, set_guest_ceiling
from permissions.holder import load
from permissions.models import GroupMembership, GroupProfile, Membership, Role
from permissions.models.roles import MEMBER_RANK
from permissions.panels import address
from permissions.policies import policy_for
from records.models import Collection, Record
from tenants.context import Actor, enter
from tenants.models import Organisation
from tests.conftest import ClientAs
from tests.permissions.conftest import DAY, role

URLS = "config.urls.tenant"


def url(name: str, *args: object) -> str:
    """Return the address of one of the room's pages."""
    return reverse(f"permissions:{name}", urlconf=URLS, args=args)


def main_of(response: Any) -> str:
    """Return what a page says beside its frame, without entities."""
    page: str = response.content.decode()
    return unescape(page[page.index("<main") : page.index("</main>")])


@pytest.fixture
def owner(pulse: Organisation, client_as: ClientAs) -> Client:
    """Ada's browser."""
    return client_as("ada@pulse.example", pulse)


@pytest.fixture
def member(pulse: Organisation, client_as: ClientAs) -> Client:
    """Ben's browser."""
    return client_as("ben@pulse.example", pulse)


class TestPeople:
    def test_are_listed_with_their_roles(self, owner: Client) -> None:
        page = owner.get(url("people")).content.decode()
        for words in ("Ada Okafor", "Ben Castillo", "Cy Novak", "Owner", "Member", "Guest"):
            assert words in page

    def test_are_found_by_address(self, owner: Client) -> None:
        page = owner.get(url("people"), {"q": "cy@"}).content.decode()
        assert "Cy Novak" in page
        assert "Ben Castillo" not in page

    def test_cost_the_same_however_many(self, pulse: Organisation, owner: Client) -> None:
        from django.db import connections
        from django.test.utils import CaptureQueriesContext

        def cost() -> int:
            with CaptureQueriesContext(connections["shard_1"]) as caught:
                owner.get(url("people"))
            return len(caught)

        few = cost()
        with enter(pulse, actor=Actor.system("test")):
            for number in range(40):
                one = User.objects.create_user(f"p{number}@pulse.example", f"P {number}")
                Membership.writer.create(user=one, role=role("member"), starts_at=timezone.now())
        assert cost() == few

    def test_get_another_role(self, owner: Client, ben: User) -> None:
        response = owner.post(url("person_role", ben.pk), {"role": role("admin").pk})
        assert response.status_code == 302
        assert load(ben, at=timezone.now()).holds(perms.PEOPLE_MANAGE)

    def test_a_refusal_stands_in_the_form(self, owner: Client, ada: User) -> None:
        response = owner.post(url("person_role", ada.pk), {"role": role("guest").pk})
        assert response.status_code == 422
        assert "An organisation needs an owner" in response.content.decode()

    def test_are_told_what_deactivation_means(self, owner: Client, ben: User) -> None:
        page = owner.get(url("person_deactivate", ben.pk)).content.decode()
        assert "signed out everywhere" in page

    def test_deactivated_are_out_on_their_next_request(
        self, owner: Client, member: Client, ben: User
    ) -> None:
        assert member.get(url("people")).status_code == 200
        owner.post(url("person_deactivate", ben.pk))
        assert member.get(url("people")).status_code == 302

    def test_lowered_feel_it_on_their_next_request(self, owner: Client, member: Client, ben: User) -> None:
        assert member.get(url("people")).status_code == 200
        owner.post(url("person_role", ben.pk), {"role": role("guest").pk})
        assert member.get(url("people")).status_code == 403

    def test_who_left_is_let_in_again(self, owner: Client, ben: User) -> None:
        owner.post(url("person_deactivate", ben.pk))
        assert "Deactivated" in owner.get(url("person", ben.pk)).content.decode()
        owner.post(url("person_reactivate", ben.pk), {"role": role("member").pk})
        assert load(ben, at=timezone.now()).is_member

    def test_no_role_is_chosen_for_anybody(self, owner: Client, ada: User, ben: User) -> None:
        """The list begins with Owner: pressing the button alone must not make anybody one."""
        own = create_role(name="Helper", names=["records.view"], rank=MEMBER_RANK, by=ada, at=timezone.now())
        assign_role(user=ben, role=own, by=ada, at=timezone.now())
        deleting = owner.get(url("role_delete", own.pk)).content.decode()
        assert "1 person has it now" in deleting
        owner.post(url("person_deactivate", ben.pk))
        letting_in = owner.get(url("person_reactivate", ben.pk)).content.decode()
        for page in (deleting, letting_in):
            assert re.findall(r'<option value="([^"]*)" selected', page) == [""]
        assert owner.post(url("person_reactivate", ben.pk), {"role": ""}).status_code == 422
        assert not load(ben, at=timezone.now()).is_member


class TestSignedOut:
    def test_a_fragment_sends_the_whole_page_to_sign_in(self, pulse: Organisation) -> None:
        client = Client(HTTP_HOST=pulse.primary_host, headers={"sec-fetch-site": "same-origin"})
        here = f"http://{pulse.primary_host}/people/?q=a"
        response = client.get(url("people"), headers={"HX-Request": "true", "HX-Current-URL": here})
        assert response.headers["HX-Redirect"].endswith("next=%2Fpeople%2F%3Fq%3Da")


class TestGroups:
    def test_are_made_filled_and_emptied(self, owner: Client, ben: User) -> None:
        owner.post(url("group_new"), {"name": "Door staff", "description": "At the doors"})
        made = GroupProfile.objects.get(group__name="Door staff")
        owner.post(url("group_add", made.pk), {"person": ben.pk, "starts": "", "ends": ""})
        assert "Ben Castillo" in owner.get(url("group", made.pk)).content.decode()
        assert owner.post(url("group_end", made.pk, ben.pk), {"when": "day", "ends": ""}).status_code == 422
        assert GroupMembership.objects.current(at=timezone.now()).exists()
        owner.post(url("group_end", made.pk, ben.pk), {"when": "now"})
        assert not GroupMembership.objects.current(at=timezone.now()).exists()

    def test_last_days_belong_to_the_period(self, owner: Client, ben: User, staff: GroupProfile) -> None:
        last = timezone.localdate() + 3 * DAY
        owner.post(url("group_add", staff.pk), {"person": ben.pk, "ends": last.isoformat()})
        (period,) = GroupMembership.objects.filter(user=ben)
        assert period.ends_at is not None
        assert timezone.localtime(period.ends_at).date() == last + DAY


class TestLastDay:
    def test_is_set_kept_through_another_role_and_taken_back(self, owner: Client, ben: User) -> None:
        last = timezone.localdate() + 3 * DAY
        page, role_page = url("person_end", ben.pk), url("person_role", ben.pk)
        assert "No last day" not in owner.get(page).content.decode()
        assert owner.post(page, {"when": "day", "ends": last.isoformat()}).status_code == 302
        assert "Their last day stays" in owner.get(role_page).content.decode()
        owner.post(role_page, {"role": role("admin").pk})
        period = Membership.objects.current(at=timezone.now()).get(user=ben)
        assert period.ends_at is not None
        assert f'value="{last.isoformat()}"' in owner.get(page).content.decode()
        assert owner.post(page, {"when": "never"}).status_code == 302
        assert Membership.objects.current(at=timezone.now()).get(user=ben).ends_at is None

    def test_nothing_ends_when_none_was_chosen(self, owner: Client, ben: User) -> None:
        answer = owner.post(url("person_end", ben.pk), {"when": "day", "ends": ""})
        assert "Choose the last day" in answer.content.decode()
        assert load(ben, at=timezone.now()).is_member


class TestRoles:
    def test_own_ones_are_made_and_deleted(self, owner: Client, inside: None) -> None:
        asked = {"name": "Door", "rank": "200", "perms": ["records.view", "people.view"]}
        owner.post(url("role_new"), asked)
        made = Role.objects.get(name="Door")
        assert "Door" in owner.get(url("roles")).content.decode()
        assert "is deleted" in owner.post(url("role_delete", made.pk), follow=True).content.decode()
        assert "Door" not in owner.get(url("roles")).content.decode()

    def test_people_of_a_deleted_one_get_another(self, owner: Client, ben: User) -> None:
        owner.post(url("role_new"), {"name": "Door", "rank": "200", "perms": ["records.view"]})
        made = Role.objects.get(name="Door")
        owner.post(url("person_role", ben.pk), {"role": made.pk})
        assert owner.post(url("role_delete", made.pk)).status_code == 422
        owner.post(url("role_delete", made.pk), {"instead": role("member").pk})
        found = load(ben, at=timezone.now()).role
        assert found is not None
        assert found.code == "member"


class TestSharing:
    def test_one_record_with_a_guest_and_back(self, owner: Client, cy: User, event: Record) -> None:
        asked = {"to": f"person:{cy.pk}", "perms": [perms.RECORDS_VIEW], "ends": ""}
        assert owner.post(address("share", event), asked).status_code == 302
        assert policy_for(Record).allows(cy, perms.RECORDS_VIEW, event, timezone.now())
        assert "Cy Novak" in owner.get(url("sharing")).content.decode()
        owner.post(f"{address('unshare', event)}?to=person:{cy.pk}")
        assert not policy_for(Record).allows(cy, perms.RECORDS_VIEW, event, timezone.now())

    def test_a_guest_sees_only_why_they_can(
        self,
        pulse: Organisation,
        client_as: ClientAs,
        ada: User,
        ben: User,
        cy: User,
        event: Record,
        at: datetime,
    ) -> None:
        for person in (ben, cy):
            grant(obj=event, to=person, names=[perms.RECORDS_VIEW], by=ada, at=at)
        page = client_as("cy@pulse.example", pulse).get(address("access", event)).content.decode()
        assert "Shared with Cy Novak by Ada Okafor" in page
        assert "Ben Castillo" not in page

    def test_a_member_does_not_unshare_what_a_guest_may_not_touch(
        self,
        pulse: Organisation,
        client_as: ClientAs,
        ada: User,
        ben: User,
        cy: User,
        event: Record,
        at: datetime,
    ) -> None:
        for person in (ben, cy):
            grant(obj=event, to=person, names=[perms.RECORDS_VIEW], by=ada, at=at)
        guest = client_as("cy@pulse.example", pulse)
        assert guest.post(f"{address('unshare', event)}?to=person:{ben.pk}").status_code == 403
        assert guest.post(f"{address('unshare', event)}?to=person:{cy.pk}").status_code == 302

    def test_a_guest_who_shares_does_not_learn_who_is_here(
        self,
        pulse: Organisation,
        client_as: ClientAs,
        ada: User,
        cy: User,
        staff: GroupProfile,
        event: Record,
        at: datetime,
    ) -> None:
        set_guest_ceiling(names=[perms.RECORDS_SHARE], by=ada, at=at)
        grant(obj=event, to=cy, names=[perms.RECORDS_SHARE], by=ada, at=at)
        add_to_group(group=staff, user=cy, by=ada, at=at)
        create_group(name="Secret society", by=ada, at=at)
        page = client_as("cy@pulse.example", pulse).get(address("share", event)).content.decode()
        assert "Door staff" in page
        assert "Secret society" not in page
        assert "ben@pulse.example" not in page

    def test_says_why_somebody_can_see_it(
        self,
        owner: Client,
        ada: User,
        cy: User,
        staff: GroupProfile,
        events: Collection,
        event: Record,
        at: datetime,
    ) -> None:
        add_to_group(group=staff, user=cy, by=ada, at=at)
        grant(obj=events, to=staff, names=[perms.RECORDS_VIEW], by=ada, at=at)
        page = owner.get(address("access", event), {"person": str(cy.pk)}).content.decode()
        assert "Inherited from the collection Events: shared with the group Door staff by Ada Okafor" in page

    def test_lists_what_is_shared_with_oneself_to_be_given_up(
        self, pulse: Organisation, client_as: ClientAs, ada: User, cy: User, events: Collection, at: datetime
    ) -> None:
        grant(obj=events, to=cy, names=[perms.RECORDS_VIEW], by=ada, at=at)
        guest = client_as("cy@pulse.example", pulse)
        assert "Shared with me" in guest.get("/").content.decode()
        page = guest.get(url("shared_with_me")).content.decode()
        assert "Events" in page
        give_up = f"{address('unshare', events)}?to=person:{cy.pk}"
        assert give_up in page
        assert "Give up your access to Events" in guest.get(give_up).content.decode()
        answer = guest.post(give_up, follow=True)
        assert answer.redirect_chain == [(url("shared_with_me"), 302)]
        assert "Nothing is shared with you yet" in answer.content.decode()

    def test_is_searched_beyond_what_is_shown(
        self,
        owner: Client,
        ada: User,
        cy: User,
        events: Collection,
        at: datetime,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setattr("permissions.views.sharing.MOST", 1)
        later = Collection.objects.create(name="Later", key="later")
        for number, obj in enumerate((events, later)):
            grant(obj=obj, to=cy, names=[perms.RECORDS_VIEW], by=ada, at=at + number * DAY)
        assert "Events" not in main_of(owner.get(url("sharing")))
        assert "Events" in main_of(owner.get(url("sharing"), {"q": "events"}))


class TestWhyNot:
    """The same page says what keeps somebody out, and what would let them in."""

    @pytest.fixture
    def asked(self, owner: Client, event: Record, cy: User) -> Callable[..., str]:
        def ask(perm: str = perms.RECORDS_VIEW) -> str:
            return main_of(owner.get(address("access", event), {"person": str(cy.pk), "perm": perm}))

        return ask

    def test_nothing_is_shared(self, asked: Callable[..., str]) -> None:
        page = asked()
        assert "Cy Novak has no access for viewing" in page
        assert "Guest role does not allow viewing of" in page
        assert "they are in no group" in page

    def test_their_groups_have_nothing(
        self, asked: Callable[..., str], ada: User, cy: User, staff: GroupProfile, at: datetime
    ) -> None:
        add_to_group(group=staff, user=cy, by=ada, at=at)
        assert "shared with them or their groups: Door staff" in asked()

    def test_it_was_shared_until_a_day(
        self, asked: Callable[..., str], ada: User, cy: User, event: Record, at: datetime
    ) -> None:
        grant(obj=event, to=cy, names=[perms.RECORDS_VIEW], by=ada, at=at, ends_at=at + DAY / 10**9)
        assert "was shared with them for viewing until" in asked()

    def test_their_group_had_it_on_the_collection(
        self,
        asked: Callable[..., str],
        ada: User,
        cy: User,
        staff: GroupProfile,
        events: Collection,
        at: datetime,
    ) -> None:
        grant(obj=events, to=staff, names=[perms.RECORDS_VIEW], by=ada, at=at, ends_at=at + DAY / 10**9)
        add_to_group(group=staff, user=cy, by=ada, at=at)
        assert "The collection was shared with the group Door staff for viewing until" in asked()

    def test_they_will_be_in_the_group(
        self, asked: Callable[..., str], ada: User, cy: User, staff: GroupProfile, event: Record, at: datetime
    ) -> None:
        grant(obj=event, to=staff, names=[perms.RECORDS_VIEW], by=ada, at=at)
        add_to_group(group=staff, user=cy, by=ada, at=at, starts_at=at + 9 * DAY)
        assert "shared with the group Door staff, in which they are from" in asked()

    def test_they_were_in_the_group(
        self, asked: Callable[..., str], ada: User, cy: User, staff: GroupProfile, event: Record, at: datetime
    ) -> None:
        grant(obj=event, to=staff, names=[perms.RECORDS_VIEW], by=ada, at=at)
        add_to_group(group=staff, user=cy, by=ada, at=at)
        leave_group(group=staff, by=cy, at=timezone.now())
        assert "shared with the group Door staff, in which they were until" in asked()

    def test_the_ceiling_of_guests(
        self, asked: Callable[..., str], ada: User, cy: User, event: Record, at: datetime
    ) -> None:
        grant(obj=event, to=cy, names=[perms.RECORDS_DELETE], by=ada, at=at)
        assert "Cy Novak has access for viewing" in asked()
        page = asked(perms.RECORDS_DELETE)
        assert "Cy Novak has no access for deleting" in page
        assert "Guests may do no more than" in page

    def test_they_are_gone(self, asked: Callable[..., str], ada: User, cy: User, at: datetime) -> None:
        deactivate(user=cy, by=ada, at=timezone.now())
        assert "Cy Novak is deactivated" in asked()


class TestLeaving:
    def test_the_organisation_signs_out_for_good(self, member: Client, ben: User) -> None:
        assert "You leave your groups" in member.get(url("leave")).content.decode()
        answer = member.post(url("leave"))
        assert "You have left Pulse Nights" in answer.content.decode()
        assert member.get("/account/").status_code == 302
        ben.refresh_from_db()
        assert not ben.is_active

    def test_is_not_for_the_last_owner(self, owner: Client, ada: User) -> None:
        answer = owner.post(url("leave"))
        assert answer.status_code == 422
        assert "An organisation needs an owner" in answer.content.decode()
        assert owner.get("/account/").status_code == 200

    def test_a_group(self, member: Client, ada: User, ben: User, staff: GroupProfile, at: datetime) -> None:
        add_to_group(group=staff, user=ben, by=ada, at=at)
        assert url("group_leave", staff.pk) in member.get("/account/").content.decode()
        assert member.post(url("group_leave", staff.pk)).status_code == 302
        assert not load(ben, at=timezone.now()).groups
        assert member.get(url("group_leave", staff.pk)).status_code == 404
