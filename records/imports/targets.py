"""What columns may link to: records and people that the importing person sees, found by their values."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Protocol

from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Lower

from accounts.identity.models import User
from permissions import perms
from permissions.holder import Holder, members
from permissions.policies import policy_for
from records.importing.names import plain_key
from records.imports.designs import ColumnChoice
from records.models import Collection, Field, Record
from records.perms import RECORDS_SENSITIVE
from records.statements import unique_holders
from records.values import FieldType

# Types whose values a table can name.
NAMING = frozenset({FieldType.TEXT, FieldType.INTEGER, FieldType.EMAIL, FieldType.LINK})
BATCH = 5_000
Door = Callable[[], AbstractContextManager[object]]


@dataclass(frozen=True, slots=True)
class Target:
    """A collection with one of its fields, by whose values its records are found."""

    collection: Collection
    by: Field

    @property
    def code(self) -> str:
        """Return what forms and proposals call it."""
        return f"{self.collection.pk}.{self.by.key}"

    def find(self, texts: Iterable[str], holder: Holder) -> dict[str, str]:
        """Return the ids of the records with these values that the holder sees.

        A value that several records share names none of them.
        """
        wanted = sorted(set(texts))
        found: dict[str, str] = {}
        for at in range(0, len(wanted), BATCH):
            found.update(self._find(wanted[at : at + BATCH], holder))
        return found

    def _find(self, texts: list[str], holder: Holder) -> dict[str, str]:
        visible = policy_for(Record).visible_within(holder, self.collection, holder.at)
        if self.by.unique:
            there = unique_holders(self.by, texts)
            seen = set(visible.filter(pk__in=set(there.values())).values_list("pk", flat=True))
            return {text: str(pk) for text, pk in there.items() if pk in seen}
        named = visible.annotate(named=KeyTextTransform(self.by.key, "values")).filter(named__in=texts)
        found: dict[str, str] = {}
        shared: set[str] = set()
        for text, pk in named.values_list("named", "pk"):
            if text in found:
                shared.add(text)
            found[text] = str(pk)
        return {text: pk for text, pk in found.items() if text not in shared}


def targets_for(holder: Holder) -> list[Target]:
    """Return everything that columns may link to: fields of collections the holder sees, likeliest first."""
    seen = policy_for(Collection).visible_to(holder, holder.at).prefetch_related("fields")
    found: list[Target] = []
    for collection in seen:
        own = policy_for(Collection).perms_of(holder, collection, holder.at)
        able = [
            one
            for one in collection.live_fields()
            if FieldType(one.type) in NAMING and (not one.sensitive or RECORDS_SENSITIVE in own)
        ]
        naming = [one for one in able if one.unique or one.key == collection.title_key]
        naming.sort(key=lambda one: (not one.unique, one.key != collection.title_key))
        found += [Target(collection, one) for one in naming]
    return found


def target_of(targets: Sequence[Target], collection_id: str, match: str = "") -> Target | None:
    """Return the target of a link to a collection: by the field asked for, or the likeliest one."""
    there = [one for one in targets if str(one.collection.pk) == collection_id]
    return next((one for one in there if one.by.key == match), there[0] if there and not match else None)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A target as the proposal asks about it; each question is a short transaction of its own."""

    target: Target
    holder: Holder
    door: Door

    @property
    def id(self) -> str:
        """Return the code of the target."""
        return self.target.code

    @property
    def name(self) -> str:
        """Return the name of the collection."""
        return self.target.collection.name

    @property
    def key(self) -> str:
        """Return the name of the field as headers would spell it."""
        return plain_key(self.target.by.name)

    def contains(self, values: Iterable[str]) -> int:
        """Return how many of the values name a record."""
        wanted = sorted(set(values))
        count = 0
        for at in range(0, len(wanted), BATCH):
            with self.door():
                count += len(self.target.find(wanted[at : at + BATCH], self.holder))
        return count


class Finder(Protocol):
    """Finds what the links of a file lead to; `used` gathers the ids of records found."""

    used: set[str]

    def __call__(self, key: str, texts: set[str]) -> Mapping[str, str]:
        """Return the ids for the texts of the column that goes to the field `key`."""


@dataclass
class LinkFinder:
    """Resolves the links of a file for one person; `used` gathers the ids of records found."""

    holder: Holder
    choices: Sequence[ColumnChoice]
    used: set[str] = field(default_factory=set)
    _targets: dict[str, Target | None] | None = None

    def __call__(self, key: str, texts: set[str]) -> Mapping[str, str]:
        """Return the ids for the texts of the column that goes to the field `key`."""
        spec = next(one.spec for one in self.choices if one.spec.key == key)
        if spec.type is FieldType.PERSON:
            return people(texts, self.holder)
        if self._targets is None:
            all_targets = targets_for(self.holder)
            self._targets = {
                one.spec.key: target_of(all_targets, one.spec.option("collection", ""), one.match)
                for one in self.choices
                if one.spec.type is FieldType.RECORD
            }
        target = self._targets[key]
        if target is None:
            return {}
        found = target.find(texts, self.holder)
        self.used.update(found.values())
        return found


def people(texts: Iterable[str], holder: Holder) -> dict[str, str]:
    """Return the ids of members by address or by name; a name that two of them have names none."""
    if not holder.holds(perms.PEOPLE_VIEW):
        return {}
    asked = list(texts)
    wanted = sorted({text.casefold() for text in asked})
    found: dict[str, list[str]] = {}
    belonging: set[object] = set(members(at=holder.at).values_list("pk", flat=True))
    by_address = User.objects.annotate(low=Lower("email")).filter(low__in=wanted)
    by_name = User.objects.annotate(low=Lower("name")).filter(low__in=wanted)
    for rows in (by_address, by_name):
        for pk, low in rows.values_list("pk", "low"):
            if pk in belonging:
                found.setdefault(low, []).append(str(pk))
    clear = {low: pks[0] for low, pks in found.items() if len(set(pks)) == 1}
    return {text: clear[text.casefold()] for text in asked if text.casefold() in clear}


def still_there(ids: Sequence[str], holder: Holder) -> bool:
    """Return whether the holder sees all of these records now."""
    for at in range(0, len(ids), BATCH):
        some = ids[at : at + BATCH]
        if policy_for(Record).visible_to(holder, holder.at).filter(pk__in=some).count() != len(some):
            return False
    return True
