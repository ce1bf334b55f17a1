"""The trail is read newest first, in sentences, and many rows of one statement are one entry."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Group

from accounts.identity.models import User
from audit import labels, queries, sentences
from audit.actions import erasure, events
from audit.history import object_history
from audit.queries import Cursor, Filters
from audit.together import Point, Work
from permissions.actions.roles import create_role
from permissions.models import Membership
from permissions.models.roles import MEMBER_RANK
from tenants.context import Actor, act_as, current_tenant, enter
from tenants.explicit_ids import content_type_id
from tests.audit.conftest import ADA
from tests.audit.probes import BULK, Bulk, Row

ROWS = Filters(codes=("probe.row.added", "probe.row.changed"))
CHUNKS = Filters(codes=("probe.bulk.added",))
USER = content_type_id("identity", "user")
BOTH = Filters(codes=("probe.row.added", "probe.bulk.added"))


def said(filters: Filters | None = None) -> list[str]:
    return [one.sentence for one in sentences.say(queries.page(filters or Filters()).entries)]


class TestPages:
    def test_go_through_everything_once(self, inside: Any) -> None:
        for number in range(23):
            Row.objects.create(name=f"n{number}")
        names: list[str] = []
        place: Cursor | None = None
        for _ in range(10):
            found = queries.page(ROWS, after=place, size=5)
            names += [entry.after["name"] for entry in found.entries]
            place = found.next
            if place is None:
                break

        assert names == [f"n{number}" for number in reversed(range(23))]

    def test_read_a_statement_of_many_rows_as_one_entry(self, inside: Any) -> None:
        Bulk.objects.bulk_create([Bulk(kind="k") for _ in range(300)])

        (entry,) = queries.page(CHUNKS).entries
        assert entry.count == 300

    def test_add_up_the_chunks_of_one_work(self, inside: Any) -> None:
        for _ in range(5):
            Bulk.objects.bulk_create([Bulk(kind="k") for _ in range(100)])

        (entry,) = queries.page(CHUNKS).entries
        assert entry.count == 500

    def test_keep_apart_what_two_requests_did(self, inside: Any) -> None:
        Bulk.objects.bulk_create([Bulk(kind="k") for _ in range(100)])
        with act_as(Actor.system("Import")):
            Bulk.objects.bulk_create([Bulk(kind="k") for _ in range(100)])

        assert [entry.count for entry in queries.page(CHUNKS).entries] == [100, 100]

    def test_read_the_last_work_to_its_end(self, inside: Any) -> None:
        for _ in range(9):
            Bulk.objects.bulk_create([Bulk(kind="k") for _ in range(70)])
        Row.objects.create(name="newest")

        newest, whole = queries.page(Filters(), size=2).entries
        assert (newest.label, whole.count) == ("probe.row", 630)

    def test_go_on_behind_a_work_of_many_chunks(self, inside: Any) -> None:
        Row.objects.create(name="oldest")
        for _ in range(3):
            Bulk.objects.bulk_create([Bulk(kind="k") for _ in range(70)])

        first = queries.page(BOTH, size=1)
        assert [entry.count for entry in first.entries] == [210]
        assert [one.after["name"] for one in queries.page(BOTH, after=first.next, size=1).entries] == [
            "oldest"
        ]

    @pytest.mark.parametrize("text", ["", "x", "1", "1.", ".1", "1.2.3", "-1.2", f"{2**64}.1", "1.é"])
    def test_ignore_a_place_that_is_none(self, text: str) -> None:
        assert Cursor.parse(text) is None

    def test_are_filtered_by_everything_at_once(self, inside: Any) -> None:
        user = User.objects.get(email="ada@pulse.example")
        with act_as(Actor(kind="person", id=user.pk)):
            row = Row.objects.create(name="mine")
        Row.objects.create(name="not mine")
        now = datetime.now(tz=UTC)
        hour = timedelta(hours=1)

        asked = Filters(
            actor=user.pk,
            object_id=row.pk,
            type_id=12,
            codes=("probe.row.added",),
            since=now - hour,
            until=now + hour,
        )
        assert [entry.after["name"] for entry in queries.page(asked).entries] == ["mine"]
        assert queries.page(Filters(actor=user.pk, since=now + hour)).entries == []


class TestWhatWasDoneTogether:
    def entries(self, **options: Any) -> tuple[list[str], int]:
        """Walk through everything behind the newest entry; return the kinds and the total."""
        newest = queries.page(CHUNKS).entries[0]
        work = Work.at(newest.place, newest.since)
        assert work is not None
        names: list[str] = []
        after: Point | None = None
        for _ in range(20):
            found, after = work.entries(after=after, **options)
            names += [entry.after["kind"] for entry in found]
            if after is None:
                return names, work.total()
        raise AssertionError("it never ends")

    def test_is_every_row_of_a_statement_once(self, inside: Any) -> None:
        Bulk.objects.bulk_create([Bulk(kind=f"k{number}") for number in range(70)])

        assert self.entries() == ([f"k{number}" for number in range(70)], 70)

    def test_is_every_row_of_all_chunks_once(self, inside: Any) -> None:
        for chunk in range(3):
            Bulk.objects.bulk_create([Bulk(kind=f"{chunk}.{number}") for number in range(25)])

        assert self.entries(size=10) == (
            [f"{chunk}.{number}" for chunk in range(3) for number in range(25)],
            75,
        )

    def test_is_nothing_that_others_did_meanwhile(self, inside: Any) -> None:
        for _ in range(2):
            with act_as(Actor.system("Import")):
                Bulk.objects.bulk_create([Bulk(kind="import") for _ in range(5)])
            Row.objects.create()
            with enter(current_tenant(), actor=ADA, request_id="r-2"):
                Bulk.objects.bulk_create([Bulk(kind="other") for _ in range(5)])
        work = Work.at(queries.page(CHUNKS).entries[0].place, queries.page(CHUNKS).entries[-1].place)

        assert work is not None
        found, _ = work.entries()
        assert [entry.after["kind"] for entry in found] == ["other"] * 10
        assert work.total() == 10

    @pytest.mark.parametrize("text", ["", "1.2", "1.2.x", "1.2.3.4", f"1.2.{2**63}", "-1.2.3"])
    def test_has_no_point_where_none_is_named(self, text: str) -> None:
        assert Point.parse(text) is None


class TestSentences:
    def test_say_who_did_what_to_what(self, inside: Any) -> None:
        user = User.objects.get(email="ada@pulse.example")
        with act_as(Actor(kind="person", id=user.pk)):
            group = Group.objects.create(name="Crew")
            Group.objects.filter(pk=group.pk).update(name="Night crew")
            group.delete()

        assert said(Filters(actor=user.pk)) == [
            "Ada Okafor deleted the group Night crew",
            "Ada Okafor changed the group Night crew: Name Crew → Night crew",
            "Ada Okafor added the group Crew",
        ]

    def test_call_what_columns_refer_to_by_name(self, inside: Any) -> None:
        ada, ben = (User.objects.get(email=f"{name}@pulse.example") for name in ("ada", "ben"))
        member = Membership.objects.get(user=ben)
        role = create_role(name="Stage crew", names=[], rank=MEMBER_RANK, by=ada, at=datetime.now(tz=UTC))
        inside.execute(
            "UPDATE permissions_membership SET role_id = %s, starts_at = '2026-01-02 03:04Z' WHERE id = %s",
            (role.pk, member.pk),
        )

        (changed, *_) = sentences.say(queries.page(Filters(object_id=member.pk)).entries)
        lines = {line.label: (line.before, line.after) for line in changed.details}
        assert lines["Role"] == ("Member", "Stage crew")
        assert lines["Starts at"][1].startswith("2 Jan 2026")
        assert ada.name not in str(lines)

    def test_say_of_a_new_row_only_what_it_has(self, inside: Any) -> None:
        user = User.objects.create_user("grace@pulse.example", "Grace Hopper")

        (added,) = sentences.say(queries.page(Filters(object_id=user.pk, type_id=USER)).entries)
        assert str(user.pk) not in str(added.details)
        assert all(
            line.after and not line.before for line in added.details if line.after != sentences.NOT_KEPT
        )

    def test_speak_of_many(self, inside: Any) -> None:
        Bulk.objects.bulk_create([Bulk(kind="k") for _ in range(1200)])

        assert said(CHUNKS) == ["Somebody added 1,200 things"]

    def test_name_systems_and_for_whom(self, inside: Any) -> None:
        user = User.objects.get(email="ada@pulse.example")
        with act_as(Actor.system("Import", on_behalf_of=user.pk)):
            Group.objects.create(name="Crew")

        assert said(Filters(actor=user.pk)) == ["Ada Okafor added the group Crew"]

    def test_show_what_is_not_kept_and_what_is_erased(self, inside: Any) -> None:
        user = User.objects.create_user("grace@pulse.example", "Grace Hopper")
        user.set_password("another long password")
        user.email = "g@pulse.example"
        user.save()
        erasure.erase(user, by=ADA, reason="She asked")

        erased, changed, added = sentences.say(queries.page(Filters(object_id=user.pk)).entries)
        lines = {line.label: (line.before, line.after) for line in changed.details}
        assert lines == {"Password": ("not kept", "not kept"), "E-mail address": ("erased", "erased")}
        assert "Grace" not in "".join(line.after for line in added.details)
        assert erased.sentence == "Somebody erased what the trail kept about Grace Hopper: She asked"

    def test_remember_a_person_whose_row_is_gone(self, inside: Any) -> None:
        user = User.objects.create_user("grace@pulse.example", "Grace Hopper")
        key = user.pk
        with act_as(Actor(kind="person", id=key)):
            Group.objects.create(name="Crew")
        inside.execute("DELETE FROM identity_user WHERE id = %s", (key,))
        assert said(Filters(actor=key)) == ["Grace Hopper added the group Crew"]

        erasure.erase(key, by=ADA, reason="She asked")
        assert said(Filters(actor=key)) == ["Somebody who was erased added the group Crew"]

    def test_are_inert(self, inside: Any) -> None:
        Group.objects.create(name="a\r\nb\x1b[31m\u202ec<script>")

        (sentence, *_) = said()
        assert sentence == "Somebody added the group a b[31mc<script>"

    def test_ask_no_more_for_more_entries(self, inside: Any, django_assert_max_num_queries: Any) -> None:
        for number in range(30):
            Group.objects.create(name=f"g{number}")
        entries = queries.page(Filters(), size=30).entries

        with django_assert_max_num_queries(3, using="shard_1"):
            assert len(sentences.say(entries)) == 30

    def test_fill_in_what_an_intent_says(self, inside: Any) -> None:
        events.record("sign_in.failed", personal={"address": "cy@x.example"})

        assert said()[0] == "Somebody tried to sign in as cy@x.example and failed"


class TestNames:
    def test_come_from_the_rooms(self, inside: Any) -> None:
        assert labels.field_names("identity.user", ["is_active", "gone_column"]) == {
            "is_active": "Is active",
            "gone_column": "Gone column",
        }

    def test_are_words_for_what_nobody_knows(self) -> None:
        assert labels.kind_of(BULK.type_id) == "thing"


class TestHistory:
    def test_is_of_one_object_only(self, inside: Any) -> None:
        crew, _ = Group.objects.create(name="Crew"), Group.objects.create(name="Bar")
        Group.objects.filter(pk=crew.pk).update(name="Night crew")

        found, place = object_history(crew)
        assert [one.sentence for one in found] == [
            "Somebody changed the group Night crew: Name Crew → Night crew",
            "Somebody added the group Night crew",
        ]
        assert place is None


@pytest.mark.parametrize(("count", "words"), [(1, "1 record"), (12_400, "12,400 records"), (0, "0 records")])
def test_what_is_counted_is_said_in_the_right_number(inside: Any, count: int, words: str) -> None:
    events.record("records.changed_many", details={"count": count, "collection": "Bands"})
    assert said()[0].endswith(f" changed {words} of Bands")
