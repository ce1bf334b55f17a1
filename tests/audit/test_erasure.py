"""A person is erased; what was sealed still verifies and shows that something was there."""

from typing import Any

import psycopg
import pytest
from django.db import connections

from accounts.identity.models import User
from audit import verifier
from audit.actions import erasure
from audit.exporting import lines
from tenants.context import Actor, required
from tests.audit.conftest import ADA, Left


class TestErase:
    def test_takes_the_values_and_leaves_the_entries(self, inside: Any, left: Left) -> None:
        user = User.objects.create_user("grace@pulse.example", "Grace Hopper")
        user.name = "Erased person"
        user.save(update_fields=["name"])

        assert erasure.erase(user, by=ADA, reason="She asked for it") == 2

        *before, said = left.events()
        assert [event["code"] for event in before] == ["identity.user.added", "identity.user.changed"]
        assert [event["private"] for event in before] == [None, None]
        assert said["code"] == "trail.erased"
        assert said["details"] == {"reason": "She asked for it", "entries": 2}
        assert said["object"] == user.pk

    def test_leaves_everybody_else(self, inside: Any, left: Left) -> None:
        grace = User.objects.create_user("grace@pulse.example", "Grace Hopper")
        User.objects.create_user("may@pulse.example", "May Young")

        erasure.erase(grace.pk, by=ADA, reason="She asked for it")

        values = [event["private"] for event in left.events() if event["private"]]
        assert values == [{"after": {"name": "May Young", "email": "may@pulse.example"}}]

    def test_leaves_no_word_of_it_in_the_tables(self, inside: Any) -> None:
        grace = User.objects.create_user("grace@pulse.example", "Grace Hopper")
        erasure.erase(grace, by=ADA, reason="She asked for it")

        with connections[required().alias].cursor() as cursor:
            assert not [line for line in lines(cursor) if "Grace" in line or "grace@" in line]

    def test_needs_a_reason(self, inside: Any) -> None:
        with pytest.raises(erasure.NoReason):
            erasure.erase(User.objects.get(email="ada@pulse.example"), by=Actor.system("test"), reason="  ")

    def test_counts_as_erased_and_verifies(self, inside: Any) -> None:
        grace = User.objects.create_user("grace@pulse.example", "Grace Hopper")
        erasure.erase(grace, by=ADA, reason="She asked for it")

        with connections[required().alias].cursor() as cursor:
            report = verifier.verify(lines(cursor))
        assert report.erased >= 1
        assert not [fault for fault in report.faults if "private" in fault]


def test_a_salt_of_bulk_work_says_nothing_of_its_neighbours(owner: psycopg.Connection, probes: None) -> None:
    with owner.transaction(force_rollback=True):
        owner.execute("INSERT INTO probe_bulk (kind) SELECT 'k' FROM generate_series(1, 500)")
        rows = owner.execute("SELECT salt FROM audit_private").fetchall()

    salts = [bytes(salt) for (salt,) in rows]
    assert len(set(salts)) == len(salts) >= 500
    assert {len(salt) for salt in salts} == {16}
