"""Who sees and does what: list and detail agree, single records are reached by themselves."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Permission

from accounts.identity.models import User
from permissions import perms
from permissions.policies import policy_for
from records.actions import bulk, views
from records.actions.bulk import Which
from records.actions.refusals import Gone
from records.models import Collection, CollectionUserGrant, Record, RecordUserGrant, SavedView
from records.tables import BadQuery, TableQuery, of_collection
from tests.records.conftest import NOW, Design, add

VIEW, CHANGE = perms.RECORDS_VIEW, perms.RECORDS_CHANGE


def grant(model: Any, user: User, perm: str, obj: Any, **more: Any) -> None:
    """Give a person a permission on an object."""
    permission = Permission.objects.get(
        content_type__model=type(obj)._meta.model_name, codename=perms.known(perm).codename
    )
    model.objects.create(user=user, permission=permission, content_object=obj, **more)


@pytest.fixture
def gigs(design: Design) -> Collection:
    collection = design(name="text", seats="integer")
    add(collection, *({"name": str(number)} for number in range(5)))
    return collection


@pytest.fixture
def rows(gigs: Collection) -> list[Record]:
    return list(Record.objects.filter(collection=gigs).order_by("pk"))


class TestRecords:
    def test_are_seen_in_the_list_exactly_when_they_are_seen_alone(
        self, gigs: Collection, rows: list[Record], ada: User, ben: User, cy: User
    ) -> None:
        grant(RecordUserGrant, cy, VIEW, rows[1])
        grant(RecordUserGrant, cy, VIEW, rows[2], ends_at=NOW - timedelta(days=1))
        policy = policy_for(Record)
        for user, seen in ((ada, 5), (ben, 5), (cy, 1)):
            table = of_collection(gigs, user, at=NOW)
            listed = {row.id for row in table.page(TableQuery()).rows}
            alone = {str(row.pk) for row in rows if policy.allows(user, VIEW, row, NOW)}
            why = {str(row.pk) for row in rows if policy.why(user, row, NOW)}
            assert listed == alone == why
            assert len(listed) == table.count(TableQuery()).number == seen

    def test_given_singly_show_their_collection_and_nothing_else(
        self, gigs: Collection, rows: list[Record], design: Design, cy: User
    ) -> None:
        design("Secret", name="text")
        policy = policy_for(Collection)
        assert not policy.visible_to(cy, NOW).exists()
        grant(RecordUserGrant, cy, VIEW, rows[1])
        assert list(policy.visible_to(cy, NOW)) == [gigs]
        assert policy.allows(cy, perms.COLLECTIONS_VIEW, gigs, NOW)
        assert policy.perms_of(cy, gigs, NOW) == {perms.COLLECTIONS_VIEW}
        assert of_collection(gigs, cy, at=NOW).known_count() is None

    def test_of_a_shared_collection_can_be_changed_only_where_that_was_given(
        self, gigs: Collection, rows: list[Record], cy: User
    ) -> None:
        grant(CollectionUserGrant, cy, VIEW, gigs)
        grant(RecordUserGrant, cy, CHANGE, rows[0])
        table = of_collection(gigs, cy, at=NOW)
        assert table.rows().count() == 5
        assert list(table.rows(to=CHANGE)) == [rows[0]]

    def test_are_changed_in_bulk_only_where_that_was_given(
        self, gigs: Collection, rows: list[Record], cy: User
    ) -> None:
        grant(CollectionUserGrant, cy, VIEW, gigs)
        grant(RecordUserGrant, cy, CHANGE, rows[0])
        table = of_collection(gigs, cy, at=NOW)
        for which in (Which(query=TableQuery()), Which(ids=[row.pk for row in rows])):
            done = bulk.change(table=table, which=which, values={"seats": 3}, by=cy, at=NOW)
            assert done.count == 1
        with pytest.raises(Gone):
            bulk.move_to_bin(table=table, which=Which(query=TableQuery()), by=cy, at=NOW)

    def test_in_the_bin_are_seen_by_nobody(self, gigs: Collection, rows: list[Record], ada: User) -> None:
        Record.objects.filter(pk=rows[0].pk).update(deleted_at=NOW)
        assert not policy_for(Record).allows(ada, VIEW, rows[0], NOW)
        Collection.objects.filter(pk=gigs.pk).update(deleted_at=NOW)
        assert not policy_for(Record).visible_to(ada, NOW).exists()

    def test_name_only_the_linked_records_that_one_may_see(
        self, gigs: Collection, rows: list[Record], design: Design, ada: User, cy: User
    ) -> None:
        nights = design("Nights", name="text", gig="record", who="person")
        add(nights, {"gig": str(rows[0].pk)}, {"gig": str(rows[1].pk), "who": str(ada.pk)})
        grant(CollectionUserGrant, cy, VIEW, nights)
        grant(RecordUserGrant, cy, VIEW, rows[1])
        labels = of_collection(nights, cy, at=NOW).page(TableQuery()).labels
        assert labels == {str(rows[1].pk): "1", str(ada.pk): "Ada Okafor"}


class TestPages:
    def test_cost_the_same_for_few_and_many_rows(
        self, gigs: Collection, ada: User, cy: User, counted: Any
    ) -> None:
        def cost(user: User) -> int:
            return int(counted(lambda: of_collection(gigs, user, at=NOW).page(TableQuery(size=200))))

        grant(CollectionUserGrant, cy, VIEW, gigs)
        few = cost(ada), cost(cy)
        add(gigs, *({"name": str(number)} for number in range(150)))
        assert (cost(ada), cost(cy)) == few
        assert max(few) <= 12


class TestSavedViews:
    def test_are_their_makers_until_they_are_shared(
        self, gigs: Collection, ada: User, ben: User, cy: User
    ) -> None:
        table = of_collection(gigs, ada, at=NOW)
        view = views.save(table=table, collection=gigs, name="Mine", query=TableQuery(), by=ada, at=NOW)
        policy = policy_for(SavedView)
        assert [policy.visible_to(user, NOW).count() for user in (ada, ben, cy)] == [1, 0, 0]
        views.change(view=view, is_shared=True, by=ada, at=NOW)
        assert [policy.visible_to(user, NOW).count() for user in (ada, ben, cy)] == [1, 1, 0]
        assert policy.allows(ada, perms.COLLECTIONS_DESIGN, view, NOW)
        assert not policy.allows(ben, perms.COLLECTIONS_DESIGN, view, NOW)

    def test_never_keep_what_their_maker_cannot_see(self, design: Design, ben: User) -> None:
        collection = design("Pay", name="text", pay={"type": "integer", "sensitive": True})
        table = of_collection(collection, ben, at=NOW)
        with pytest.raises(BadQuery):
            views.save(
                table=table,
                collection=collection,
                name="x",
                query=TableQuery(columns=("pay",)),
                by=ben,
                at=NOW,
            )
