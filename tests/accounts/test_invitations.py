"""Invitations, from the form to the first sign-in."""

import re
from datetime import timedelta

import pytest
from django.core import mail
from django.test import Client
from django.utils import timezone

from accounts.actions.invitations import accept, resend
from accounts.actions.invitations import invite as invite_them
from accounts.actions.people import add_person
from accounts.identity.models import User
from accounts.models import Invitation
from accounts.refusals import InvitationSpent
from jobs.testing import run_due
from permissions.actions.grants import grant
from permissions.actions.groups import create_group
from permissions.actions.memberships import assign_role, deactivate
from permissions.actions.roles import create_role
from permissions.models import GroupMembership, Membership, Role
from permissions.models.roles import ADMIN_RANK, GUEST_RANK
from permissions.refusals import NotAllowed
from records.models import Collection
from tenants.context import enter
from tenants.models import Organisation
from tests.accounts.test_sign_in import sign_in
from tests.people import SETTING_UP, make_person, signed_in, visitor

INVITE = "/people/invite/"
# Enough to let members in, and less than an admin.
PEOPLE_AND_WORK = [
    "people.manage", "groups.manage", "jobs.view", "records.delete", "records.share", "records.import",
]  # fmt: skip
JOIN = {"name": "Fay Moss", "password": "a password of my own"}


def role_id(organisation: Organisation, code: str) -> str:
    with enter(organisation, actor=SETTING_UP):
        return str(Role.objects.get(code=code).pk)


def past(organisation: Organisation, email: str) -> None:
    """Let the last day of a person's membership have passed, as it was planned."""
    with enter(organisation, actor=SETTING_UP):
        ended = timezone.now()
        theirs = Membership.writer.filter(user__email=email)
        theirs.update(starts_at=ended - timedelta(days=2), ends_at=ended)


def invite(
    organisation: Organisation, emails: str, *, role: str = "member", by: str = "ada@pulse.example"
) -> Client:
    """Send the form as somebody; return their browser."""
    client = signed_in(organisation, by)
    response = client.post(INVITE, {"emails": emails, "role": role_id(organisation, role)})
    assert response.status_code == 302, response.content.decode()
    return client


def links(organisation: Organisation) -> list[str]:
    """Do the jobs and return the paths of the links mailed, oldest first."""
    run_due(organisation)
    found = (re.search(r"http://[^/]+(/join/\S+)", str(message.body)) for message in mail.outbox)
    return [match[1] for match in found if match]


class TestInviting:
    def test_several_at_once_sends_each_one_mail(self, pulse: Organisation) -> None:
        invite(pulse, "fay@x.example, gil@x.example\nFAY@x.example")
        links(pulse)
        assert sorted(message.to[0] for message in mail.outbox) == ["fay@x.example", "gil@x.example"]
        body = str(mail.outbox[0].body)
        assert "Ada Okafor invited you to Pulse Nights, as Member" in body
        assert "http://pulse.enclave.localhost:8000/join/" in body

    @pytest.mark.parametrize("emails", ["", "fay", "fay@x.example, <b>", "ada@pulse.example"])
    def test_says_what_is_wrong_and_keeps_what_was_typed(self, pulse: Organisation, emails: str) -> None:
        client = signed_in(pulse, "ada@pulse.example")
        response = client.post(INVITE, {"emails": emails, "role": role_id(pulse, "member")})
        assert response.status_code == 422
        assert not links(pulse)

    def test_is_not_for_members(self, pulse: Organisation) -> None:
        assert signed_in(pulse, "ben@pulse.example").get(INVITE).status_code == 403

    def test_nobody_gives_more_than_they_are(self, pulse: Organisation) -> None:
        ann = make_person(pulse, "ann@pulse.example", "Ann")
        with enter(pulse, actor=SETTING_UP):
            ada = User.objects.get(email="ada@pulse.example")
            assign_role(user=ann, role=Role.objects.get(code="admin"), by=ada, at=timezone.now())
        client = signed_in(pulse, "ann@pulse.example")
        response = client.post(INVITE, {"emails": "fay@x.example", "role": role_id(pulse, "owner")})
        assert response.status_code == 422

    def test_offers_groups_only_to_who_may_fill_them(self, pulse: Organisation) -> None:
        with enter(pulse, actor=SETTING_UP):
            ada, now = User.objects.get(email="ada@pulse.example"), timezone.now()
            group = create_group(name="Doors", by=ada, at=now)
            inviter = create_role(name="Inviter", names=["people.manage"], rank=GUEST_RANK, by=ada, at=now)
            ben = User.objects.get(email="ben@pulse.example")
            assign_role(user=ben, role=inviter, by=ada, at=now)
            with pytest.raises(NotAllowed):
                invite_them(
                    emails=["fay@x.example"], role=inviter, groups=[group.pk], by=ben, at=timezone.now()
                )
        assert "Doors" in signed_in(pulse, "ada@pulse.example").get(INVITE).content.decode()
        assert "Doors" not in signed_in(pulse, "ben@pulse.example").get(INVITE).content.decode()

    def test_the_token_is_stored_hashed(self, pulse: Organisation) -> None:
        invite(pulse, "fay@x.example")
        token = links(pulse)[0].strip("/").split("/")[1]
        with enter(pulse, actor=SETTING_UP):
            row = Invitation.objects.values().get()
        assert token not in str(row)


class TestAccepting:
    def test_makes_a_person_who_is_signed_in_and_in_the_role(self, pulse: Organisation) -> None:
        invite(pulse, "fay@x.example", role="guest")
        client = visitor("pulse.enclave.localhost")
        (path,) = links(pulse)
        page = client.get(path).content.decode()
        assert "Join Pulse Nights" in page
        assert "Ada" not in page
        assert client.post(path, JOIN).status_code == 302
        assert client.get("/account/").status_code == 200
        with enter(pulse, actor=SETTING_UP):
            membership = Membership.objects.get(user__email="fay@x.example")
        assert str(membership.role_id) == role_id(pulse, "guest")
        assert sign_in(visitor("pulse.enclave.localhost"), "fay@x.example", JOIN["password"]) == 302

    def test_works_once(self, pulse: Organisation) -> None:
        invite(pulse, "fay@x.example")
        (path,) = links(pulse)
        assert visitor("pulse.enclave.localhost").post(path, JOIN).status_code == 302
        assert visitor("pulse.enclave.localhost").post(path, JOIN).status_code == 410

    @pytest.mark.parametrize("deed", ["revoke", "resend"])
    def test_not_after_it_was_taken_back_or_sent_anew(self, pulse: Organisation, deed: str) -> None:
        client = invite(pulse, "fay@x.example")
        (path,) = links(pulse)
        with enter(pulse, actor=SETTING_UP):
            pk = Invitation.objects.get().pk
        assert client.post(f"/people/invitations/{pk}/{deed}/").status_code == 302
        assert visitor("pulse.enclave.localhost").post(path, JOIN).status_code == 410
        renewed = links(pulse)[1:]
        assert len(renewed) == (deed == "resend")
        assert all(visitor("pulse.enclave.localhost").post(new, JOIN).status_code == 302 for new in renewed)

    def test_not_with_a_link_replaced_since_the_page_was_opened(self, pulse: Organisation) -> None:
        invite(pulse, "fay@x.example")
        with enter(pulse, actor=SETTING_UP):
            opened = Invitation.objects.get()
            resend(invitation=opened, by=opened.invited_by, at=timezone.now())
            with pytest.raises(InvitationSpent):
                accept(invitation=opened, name="Fay", password=JOIN["password"], at=timezone.now())

    def test_not_when_it_is_too_old(self, pulse: Organisation) -> None:
        invite(pulse, "fay@x.example")
        (path,) = links(pulse)
        with enter(pulse, actor=SETTING_UP):
            Invitation.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
        assert visitor("pulse.enclave.localhost").get(path).status_code == 410

    def test_not_by_somebody_else_who_is_signed_in(self, pulse: Organisation) -> None:
        invite(pulse, "fay@x.example")
        (path,) = links(pulse)
        ben = signed_in(pulse, "ben@pulse.example")
        assert ben.get(path).status_code == 403
        assert ben.post(path, JOIN).status_code == 403
        assert visitor("pulse.enclave.localhost").get(path).status_code == 200

    def test_not_at_another_organisation(self, pulse: Organisation, other: Organisation) -> None:
        invite(pulse, "fay@x.example")
        (path,) = links(pulse)
        assert visitor(other.primary_host).post(path, JOIN).status_code == 410

    def test_not_when_who_invited_may_not_any_more(self, pulse: Organisation) -> None:
        ann = make_person(pulse, "ann@pulse.example", "Ann")
        with enter(pulse, actor=SETTING_UP):
            ada = User.objects.get(email="ada@pulse.example")
            assign_role(user=ann, role=Role.objects.get(code="admin"), by=ada, at=timezone.now())
        invite(pulse, "fay@x.example", by="ann@pulse.example")
        (path,) = links(pulse)
        with enter(pulse, actor=SETTING_UP):
            assign_role(user=ann, role=Role.objects.get(code="member"), by=ada, at=timezone.now())
        client = visitor("pulse.enclave.localhost")
        assert client.get(path).status_code == 410
        answer = client.post(path, JOIN)
        assert answer.status_code == 410
        assert "Ask for a new one" in answer.content.decode()
        with enter(pulse, actor=SETTING_UP):
            assert not User.objects.filter(email="fay@x.example").exists()
            assert Invitation.objects.get().accepted_at is None
        page = signed_in(pulse, "ada@pulse.example").get("/people/invitations/").content.decode()
        assert "Sender may not any more" in page

    def test_brings_back_who_left_on_a_planned_day(self, pulse: Organisation) -> None:
        past(pulse, "ben@pulse.example")
        invite(pulse, "ben@pulse.example")
        (path,) = links(pulse)
        client = visitor("pulse.enclave.localhost")
        assert client.post(path, JOIN).status_code == 302
        assert client.get("/account/").status_code == 200

    def test_puts_people_into_the_groups_that_can_still_be_given(self, pulse: Organisation) -> None:
        with enter(pulse, actor=SETTING_UP):
            ada, now = User.objects.get(email="ada@pulse.example"), timezone.now()
            ann = add_person(email="ann@pulse.example", name="Ann", at=now)
            assign_role(user=ann, role=Role.objects.get(code="admin"), by=ada, at=now)
            groups = [create_group(name=name, by=ada, at=now) for name in ("Doors", "Owners only")]
            asked = [group.pk for group in groups]
            member = Role.objects.get(code="member")
            invite_them(emails=["fay@x.example"], role=member, groups=asked, by=ann, at=now)
            secret = Collection.objects.create(name="Secret", key="secret")
            grant(obj=secret, to=groups[1], names=["records.sensitive"], by=ada, at=now)
            less = create_role(name="Less", rank=ADMIN_RANK, by=ada, at=now, names=PEOPLE_AND_WORK)
            assign_role(user=ann, role=less, by=ada, at=timezone.now())
        (path,) = links(pulse)
        assert visitor("pulse.enclave.localhost").post(path, JOIN).status_code == 302
        with enter(pulse, actor=SETTING_UP):
            (joined,) = GroupMembership.objects.filter(user__email="fay@x.example").select_related("group")
        assert joined.group.name == "Doors"

    def test_brings_a_deactivated_person_back_as_themself(self, pulse: Organisation) -> None:
        with enter(pulse, actor=SETTING_UP):
            ada, ben = (User.objects.get(email=f"{name}@pulse.example") for name in ("ada", "ben"))
            deactivate(user=ben, by=ada, at=timezone.now())
        invite(pulse, "ben@pulse.example")
        (path,) = links(pulse)
        assert visitor("pulse.enclave.localhost").post(path, JOIN).status_code == 302
        with enter(pulse, actor=SETTING_UP):
            again = User.objects.get(email="ben@pulse.example")
        assert again.pk == ben.pk
        assert again.is_active
        assert again.name == "Fay Moss"

    @pytest.mark.parametrize("password", ["short", "password1234", "fay@x.example"])
    def test_wants_a_password_worth_the_name(self, pulse: Organisation, password: str) -> None:
        invite(pulse, "fay@x.example")
        (path,) = links(pulse)
        response = visitor("pulse.enclave.localhost").post(path, {**JOIN, "password": password})
        assert response.status_code == 422


class TestList:
    def test_shows_who_is_awaited_and_sends_them_away_on_demand(self, pulse: Organisation) -> None:
        client = invite(pulse, "fay@x.example")
        page = client.get("/people/invitations/").content.decode()
        assert "fay@x.example" in page
        assert "Waiting" in page

    def test_does_not_show_other_organisations(self, pulse: Organisation, tide: Organisation) -> None:
        invite(pulse, "fay@x.example")
        page = signed_in(tide, "dee@tide.example").get("/people/invitations/").content.decode()
        assert "fay@x.example" not in page
