"""An invitation accepted by fifty at once, and one address invited by ten, with real commits."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import connections
from django.utils import timezone

from accounts.actions.invitations import accept, find, invite
from accounts.identity.models import User
from accounts.models import Invitation
from accounts.refusals import InvitationSpent, InvitedMeanwhile
from operations.actions.provisioning import Wish, provision
from permissions.models import Membership, Role
from tenants.context import enter
from tenants.models import Organisation
from tests.conftest import PASSWORD
from tests.people import SETTING_UP

AT_ONCE = 50


@pytest.fixture(scope="module")
def racing(running_servers: None) -> Organisation:
    """An organisation of this file's own, whose rows are really committed."""
    return provision(Wish("racing", "Racing", "rae@racing.example", "Rae", PASSWORD, shard="shard_1"))


def token_for(organisation: Organisation, email: str) -> str:
    with enter(organisation, actor=SETTING_UP):
        rae = User.objects.get(email="rae@racing.example")
        (invitation,) = invite(
            emails=[email], role=Role.objects.get(code="member"), by=rae, at=timezone.now()
        )
        token = invitation.new_token(at=timezone.now())
        invitation.save()
    return token


def test_lets_exactly_one_in(racing: Organisation) -> None:
    token = token_for(racing, "fay@racing.example")
    barrier = Barrier(AT_ONCE)

    def come_in(number: int) -> str:
        try:
            with enter(racing, actor=SETTING_UP):
                invitation = find(token=token, at=timezone.now())
                barrier.wait(timeout=30)
                accept(invitation=invitation, name=f"Fay {number}", password=PASSWORD, at=timezone.now())
            return "in"
        except InvitationSpent:
            return "spent"
        finally:
            connections.close_all()

    with ThreadPoolExecutor(AT_ONCE) as threads:
        results = list(threads.map(come_in, range(AT_ONCE)))
    assert sorted(set(results)) == ["in", "spent"]
    assert results.count("in") == 1
    with enter(racing, actor=SETTING_UP):
        assert User.objects.filter(email="fay@racing.example").count() == 1
        assert Membership.objects.filter(user__email="fay@racing.example").count() == 1
        assert Invitation.objects.get(email="fay@racing.example").accepted_by is not None


def test_of_ten_invitations_of_one_address_one_waits(racing: Organisation) -> None:
    barrier = Barrier(10)

    def ask(number: int) -> str:
        try:
            with enter(racing, actor=SETTING_UP):
                rae, member = User.objects.get(email="rae@racing.example"), Role.objects.get(code="member")
                barrier.wait(timeout=30)
                invite(emails=["gil@racing.example"], role=member, by=rae, at=timezone.now())
            return "sent"
        except InvitedMeanwhile:
            return "refused"
        finally:
            connections.close_all()

    with ThreadPoolExecutor(10) as threads:
        results = set(threads.map(ask, range(10)))
    assert "sent" in results
    assert results <= {"sent", "refused"}
    with enter(racing, actor=SETTING_UP):
        assert Invitation.objects.waiting().filter(email="gil@racing.example").count() == 1
