"""Organisations that grow at random, and what one has, said without ids that are only its own.

For the process of tests.joining.acting. The same seed lets the same organisation do the same.
"""

from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta
from random import Random
from typing import Any
from uuid import UUID

# Addresses, names of groups, roles and collections come from these, so that some are in both.
_PEOPLE, _LETTERS = 24, "ABCDEF"
_MOST_COLLECTIONS, _MOST_RECORDS = 9, 60
PASSWORD = "a long enough password"


def found(slug: str, alias: str) -> str:
    """Let there be one more organisation, on a shard; return its schema."""
    from operations.actions.provisioning import Wish, provision

    return str(provision(Wish(slug, slug, f"o@{slug}.example", "Owner", None, alias)).schema_name)


def grow(slug: str, seed: int, steps: int) -> int:
    """Let people of an organisation do some things at random; return how many came about."""
    from tenants.context import Actor, enter
    from tenants.models import Organisation

    chance, done = Random(f"{slug} {seed}"), 0
    with enter(Organisation.objects.get(slug=slug), actor=Actor.system("test")):
        growing = _Growing(slug, chance)
        for _ in range(steps):
            done += growing.step()
    return done


class _Growing:
    """One organisation that grows, entered."""

    def __init__(self, slug: str, chance: Random) -> None:
        from accounts.identity.models import User

        self.slug, self.chance = slug, chance
        self.owner = User.objects.get(email=f"o@{slug}.example")
        # What happens more often stands more often.
        self.ways: list[Callable[[datetime], object]] = [
            *[self._person] * 4,
            *[self._role, self._deactivated, self._left_group, self._binned, self._collection_binned],
            *[self._membership] * 3,
            *[self._group] * 2,
            *[self._collection] * 3,
            *[self._record] * 10,
            *[self._changed] * 4,
            *[self._grant] * 5,
            *[self._view] * 2,
            *[self._file] * 2,
            *[self._speaker],
        ]

    def step(self) -> int:
        """Do one thing; return whether the rules of the organisation let it."""
        from django.db import transaction
        from django.utils import timezone

        from tenants.refusals import Refusal

        way = self.chance.choice(self.ways)
        with suppress(Refusal, _Nothing), transaction.atomic():
            way(timezone.now())
            return 1
        return 0

    def _some(self, rows: Any, *order: str) -> Any:
        found = list(rows.order_by(*order or ("pk",)))
        if not found:
            raise _Nothing
        return self.chance.choice(found)

    def _word(self) -> str:
        return f"{self.chance.choice(['north', 'south', 'Bühne', 'x'])} {self.chance.randrange(10**6)}"

    def _member(self) -> Any:
        from accounts.identity.models import User

        return self._some(User.objects.filter(is_active=True), "email")

    def _person(self, at: datetime) -> None:
        from accounts.actions.people import add_person
        from accounts.identity.models import User
        from permissions.actions import memberships

        number = self.chance.randrange(_PEOPLE)
        email = f"p{number}@people.example" if number % 3 else f"p{number}@{self.slug}.example"
        if User.objects.filter(email__iexact=email).exists():
            raise _Nothing
        # Somebody may write their address with capitals.
        email = email.upper() if self.chance.random() < 0.1 else email
        person = add_person(email=email, name=f"Person {number} ({self.slug})", at=at, password=PASSWORD)
        memberships.assign_role(user=person, role=self._any_role(), by=self.owner, at=at)

    def _any_role(self) -> Any:
        from permissions.models import Role

        return self._some(Role.objects.filter(retired_at=None).exclude(code="owner"), "name")

    def _role(self, at: datetime) -> None:
        from permissions.actions import roles

        names = self.chance.sample(["records.view", "records.change", "records.delete", "records.share"], 2)
        roles.create_role(
            name=f"Role {self.chance.choice('ABCD')}", names=names, rank=200, by=self.owner, at=at
        )

    def _membership(self, at: datetime) -> None:
        from permissions.actions import memberships

        memberships.assign_role(user=self._member(), role=self._any_role(), by=self.owner, at=at)

    def _deactivated(self, at: datetime) -> None:
        from permissions.actions import memberships

        memberships.deactivate(user=self._member(), by=self.owner, at=at)

    def _group(self, at: datetime) -> None:
        from permissions.actions import groups
        from permissions.models import GroupProfile

        name = f"Group {self.chance.choice(_LETTERS)}"
        profile = GroupProfile.objects.filter(group__name=name).first()
        profile = profile or groups.create_group(name=name, by=self.owner, at=at)
        until = at + timedelta(days=self.chance.randrange(1, 40)) if self.chance.random() < 0.3 else None
        groups.add_to_group(group=profile, user=self._member(), by=self.owner, at=at, ends_at=until)

    def _left_group(self, at: datetime) -> None:
        from permissions.actions import groups
        from permissions.models import GroupProfile

        profile = self._some(GroupProfile.objects.all(), "group__name")
        groups.end_in_group(group=profile, user=self._member(), by=self.owner, at=at)

    def _collection(self, at: datetime) -> None:
        from records.actions import collections
        from records.models import Collection
        from records.values import FieldSpec, FieldType

        if Collection.objects.count() >= _MOST_COLLECTIONS:
            raise _Nothing
        fields = [
            FieldSpec("name", "Name", FieldType.TEXT, unique=self.chance.random() < 0.5),
            FieldSpec("lead", "Lead", FieldType.PERSON),
            FieldSpec("deputy", "Deputy", FieldType.PERSON),
            FieldSpec("price", "Price", FieldType.DECIMAL),
            FieldSpec("paper", "Paper", FieldType.FILE),
        ]
        with suppress(_Nothing):
            other = self._some(Collection.objects.live())
            options = {"collection": str(other.pk), "collection_name": other.name}
            fields.append(FieldSpec("part_of", "Part of", FieldType.RECORD, options=options))
        name = f"Collection {self.chance.choice(_LETTERS)}"
        collections.create(name=name, by=self.owner, at=at, fields=fields)

    def _collection_binned(self, at: datetime) -> None:
        from records.actions import collections
        from records.models import Collection

        if self.chance.random() < 0.5:
            collections.move_to_bin(collection=self._some(Collection.objects.live()), by=self.owner, at=at)
        else:
            binned = self._some(Collection.objects.exclude(deleted_at=None))
            collections.restore(collection=binned, by=self.owner, at=at)

    def _values(self, collection: Any) -> dict[str, object]:
        from accounts.identity.models import User
        from records.models import Record

        values: dict[str, object] = {"name": self._word()}
        for key in ("lead", "deputy"):
            if self.chance.random() < 0.6:
                values[key] = str(self._some(User.objects.all(), "email").pk)
        if self.chance.random() < 0.5:
            values["price"] = f"{self.chance.randrange(10**4) / 100}"
        for spec in collection.specs():
            if spec.key == "part_of" and self.chance.random() < 0.7:
                others = Record.objects.live().filter(collection_id=spec.options["collection"])
                values["part_of"] = str(self._some(others).pk)
        return values

    def _record(self, at: datetime) -> None:
        from records.actions import records
        from records.models import Collection, Record

        if Record.objects.count() >= _MOST_RECORDS:
            raise _Nothing
        collection = self._some(Collection.objects.live())
        records.create(collection=collection, values=self._values(collection), by=self._member(), at=at)

    def _changed(self, at: datetime) -> None:
        from records.actions import records
        from records.models import Record

        record = self._some(Record.objects.live().filter(collection__deleted_at=None))
        records.change(
            record=record,
            values={**record.values, **self._values(record.collection)},
            expected=record.version,
            by=self._member(),
            at=at,
        )

    def _binned(self, at: datetime) -> None:
        from records.actions import records
        from records.models import Record

        do, rows = self.chance.choice(
            [(records.move_to_bin, Record.objects.live()), (records.restore, Record.objects.binned())]
        )
        record = self._some(rows.filter(collection__deleted_at=None))
        do(collection=record.collection, ids=[record.pk], by=self._member(), at=at)

    def _grant(self, at: datetime) -> None:
        from permissions.actions import grants
        from permissions.models import GroupProfile
        from records.models import Collection, Record

        rows = self.chance.choice(
            [Collection.objects.live(), Record.objects.live().filter(collection__deleted_at=None)]
        )
        to = self._member() if self.chance.random() < 0.6 else self._some(GroupProfile.objects.all())
        names = self.chance.sample(["records.view", "records.change", "records.delete"], 1)
        until = at + timedelta(days=self.chance.randrange(1, 40)) if self.chance.random() < 0.3 else None
        grants.grant(obj=self._some(rows), to=to, names=names, by=self.owner, at=at, ends_at=until)

    def _view(self, at: datetime) -> None:
        from records.models import Collection, SavedView

        owner, named = self._member(), self._member()
        SavedView.objects.get_or_create(
            collection=self._some(Collection.objects.live()),
            name=f"View {self.chance.choice('ABC')}",
            owner=owner,
            defaults={
                "filters": [["lead", "is", [str(named.pk)]]],
                "is_shared": self.chance.random() < 0.5,
            },
        )

    def _file(self, at: datetime) -> None:
        from records.actions import files
        from records.models import Record

        record = self._some(Record.objects.live().filter(collection__deleted_at=None))
        files.attach(
            record=record,
            name="paper.pdf",
            chunks=[f"%PDF-1.7 {self._word()}".encode()],
            by=self._member(),
            at=at,
            field_key=self.chance.choice(["", "paper"]),
        )

    def _speaker(self, at: datetime) -> None:
        from tests.rooms.gear.models import Speaker

        Speaker.objects.create(name=self._word(), serial=f"{self.slug} {self.chance.randrange(10**9)}")


class _Nothing(Exception):
    """There is nothing yet with which it could be done."""


def described(slug: str) -> dict[str, Any]:
    """Return all that an organisation has; people are their addresses, groups are who is in them."""
    from tenants.context import Actor, enter
    from tenants.models import Organisation

    with enter(Organisation.objects.get(slug=slug), actor=Actor.system("test")):
        return _Described().told()


class _Described:
    """An organisation, entered and read."""

    def __init__(self) -> None:
        from accounts.identity.models import User
        from records.models import Field

        self.people = {user.pk: user.email.lower() for user in User.objects.all()}
        self.person_fields = set(Field.objects.filter(type="person").values_list("collection_id", "key"))
        self.file_fields = set(Field.objects.filter(type="file").values_list("collection_id", "key"))

    def told(self) -> dict[str, Any]:
        from records.models import Collection, Record, RecordFile, SavedView
        from tests.rooms.gear.models import Speaker

        return {
            "people": self._people(),
            "groups": self._groups(),
            "collections": {
                str(one.pk): {
                    "name": one.name,
                    "key": one.key,
                    "binned": one.deleted_at is not None,
                    "fields": sorted((spec.key, spec.type, str(spec.options)) for spec in one.specs()),
                    "live": one.record_count(),
                    "by": self._named(one.created_by),
                }
                for one in Collection.objects.all()
            },
            "records": {
                str(one.pk): {
                    "collection": str(one.collection_id),
                    "values": self._values(one),
                    "by": [self._named(one.created_by), self._named(one.updated_by)],
                    "binned": one.deleted_at is not None,
                    "version": one.version,
                }
                for one in Record.objects.all()
            },
            "files": {
                str(one.pk): [str(one.record_id), one.name, one.sha256, self._named(one.created_by)]
                for one in RecordFile.objects.all()
            },
            "grants": self._grants(),
            "views": {
                str(one.pk): [str(one.collection_id), one.owner.email.lower(), self._filters(one.filters)]
                for one in SavedView.objects.select_related("owner")
            },
            "speakers": {str(one.pk): one.serial for one in Speaker.objects.all()},
        }

    def _named(self, key: UUID | None) -> str | None:
        return None if key is None else self.people.get(key, f"nobody ({key})")

    def _values(self, record: Any) -> dict[str, object]:
        return {
            key: self._named(UUID(value)) if (record.collection_id, key) in self.person_fields else value
            for key, value in sorted(record.values.items())
        }

    def _filters(self, filters: list[Any]) -> list[Any]:
        return [[key, how, [self._named(UUID(one)) for one in ones]] for key, how, ones in filters]

    def _people(self) -> dict[str, Any]:
        from django.utils import timezone

        from accounts.identity.models import User
        from permissions.models import Membership

        roles = {
            one.user_id: one.role.name
            for one in Membership.objects.current(at=timezone.now()).select_related("role")
        }
        return {
            user.email.lower(): {"active": user.is_active, "role": roles.get(user.pk), "name": user.name}
            for user in User.objects.all()
        }

    def _groups(self) -> dict[str, Any]:
        from permissions.models import GroupMembership, GroupProfile

        found: dict[str, Any] = {one.group.name: [] for one in GroupProfile.objects.select_related("group")}
        for one in GroupMembership.objects.select_related("group"):
            period = [str(one.starts_at), str(one.ends_at) if one.ends_at else ""]
            found[one.group.name].append([self._named(one.user_id), *period])
        return {name: sorted(members) for name, members in found.items()}

    def _grants(self) -> list[list[str]]:
        from records.models import (
            CollectionGroupGrant,
            CollectionUserGrant,
            RecordGroupGrant,
            RecordUserGrant,
        )

        found = []
        for table in (CollectionUserGrant, RecordUserGrant, CollectionGroupGrant, RecordGroupGrant):
            for one in table.objects.select_related("permission"):
                whose = (
                    f"group {one.group.name}" if hasattr(one, "group_id") else str(self._named(one.user_id))
                )
                what = [one.permission.codename, str(one.content_object_id), str(one.ends_at or "")]
                found.append([whose, *what])
        return sorted(found)
