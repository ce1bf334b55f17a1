"""The collection of an address is found by a prepared question exactly as the policy would find it."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import Permission

from accounts.identity.models import User
from permissions import perms
from permissions.actions.groups import add_to_group, create_group
from permissions.holder import load
from permissions.policies import policy_for
from records import finding
from records.models import Collection, CollectionGroupGrant, CollectionUserGrant, Record, RecordUserGrant
from tests.records.conftest import NOW, Design, add
from tests.records.test_record_policies import grant

VIEW, CHANGE, SHARE = perms.RECORDS_VIEW, perms.RECORDS_CHANGE, perms.RECORDS_SHARE


@pytest.fixture
def gigs(design: Design) -> Collection:
    collection = design(name="text")
    add(collection, {"name": "Bass"})
    return collection


@pytest.fixture
def secret(design: Design) -> Collection:
    return design("Secret", name="text")


def found(user: User, collection: Collection) -> frozenset[str] | None:
    """Return what is found for a person, after comparing with what the policy says; None for nothing."""
    holder = load(user, at=NOW)
    policy = policy_for(Collection)
    answer = finding.collection_of_key(collection.key, holder)
    seen = policy.visible_to(holder, NOW).filter(pk=collection.pk).exists()
    assert (answer is not None) is seen
    if answer is None:
        return None
    assert answer == (collection, policy.perms_of(holder, collection, NOW))
    return answer[1]


def give_group(group: object, perm: str, collection: Collection) -> None:
    codename = perms.known(perm).codename
    permission = Permission.objects.get(content_type__model="collection", codename=codename)
    CollectionGroupGrant.objects.create(group=group, permission=permission, content_object=collection)


def test_by_role_by_grants_by_groups_and_by_single_records(
    gigs: Collection, secret: Collection, ada: User, ben: User, cy: User
) -> None:
    owners, members = found(ada, gigs), found(ben, gigs)
    assert owners is not None
    assert members is not None
    assert members < owners
    assert found(cy, gigs) is None

    grant(CollectionUserGrant, cy, VIEW, gigs)
    grant(CollectionUserGrant, cy, CHANGE, secret, ends_at=NOW - timedelta(days=1))
    guests = found(cy, gigs)
    assert guests is not None
    assert VIEW in guests
    assert CHANGE not in guests
    assert found(cy, secret) is None

    # The same role and as many groups, and yet another person.
    crew, door = (create_group(name=name, by=ada, at=NOW) for name in ("Crew", "Door"))
    give_group(crew.group, SHARE, gigs)
    for group, user in ((crew, ben), (door, cy)):
        add_to_group(group=group, user=user, by=ada, at=NOW)
    assert SHARE in (found(ben, gigs) or ())
    assert SHARE not in (found(cy, gigs) or ())
    give_group(door.group, VIEW, secret)
    assert found(cy, secret) is not None


def test_a_single_record_shows_its_collection_and_nothing_else(gigs: Collection, cy: User) -> None:
    grant(RecordUserGrant, cy, VIEW, Record.objects.get())
    assert found(cy, gigs) == frozenset({perms.COLLECTIONS_VIEW})


def test_nothing_is_found_in_the_bin(gigs: Collection, ada: User, cy: User) -> None:
    grant(CollectionUserGrant, cy, VIEW, gigs)
    Collection.objects.filter(pk=gigs.pk).update(deleted_at=NOW)
    assert found(ada, gigs) is None
    assert found(cy, gigs) is None


def test_who_is_in_very_many_groups_is_asked_about_as_ever(
    gigs: Collection, ada: User, ben: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(finding, "MOST_GROUPS", 1)
    for name in ("Crew", "Door"):
        group = create_group(name=name, by=ada, at=NOW)
        add_to_group(group=group, user=ben, by=ada, at=NOW)
    give_group(group.group, SHARE, gigs)
    asked = finding._visible.cache_info()
    assert SHARE in (found(ben, gigs) or ())
    assert finding._visible.cache_info() == asked


def test_who_has_left_finds_nothing(gigs: Collection, ben: User) -> None:
    User.objects.filter(pk=ben.pk).update(is_active=False)
    assert found(ben, gigs) is None
