"""Who may do what to collections, records, their files and saved views."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, ClassVar

from django.db.models import Model, Q, QuerySet
from django.urls import reverse

from permissions import perms
from permissions.holder import Holder, Who, holder_for
from permissions.policies import NOTHING, ObjectPolicy, policy_for, register
from records.models import (
    Collection,
    CollectionGroupGrant,
    CollectionUserGrant,
    Record,
    RecordFile,
    RecordGroupGrant,
    RecordUserGrant,
    SavedView,
)
from records.perms import ON_COLLECTION, ON_RECORD
from records.titles import title_of


class CollectionPolicy(ObjectPolicy[Collection]):
    """Rights on a collection are rights on all its records.

    Who was given single records sees the collection they stand in: its name and design, nothing more.
    """

    view = perms.COLLECTIONS_VIEW
    grantable = ON_COLLECTION
    user_grants = CollectionUserGrant
    group_grants = CollectionGroupGrant
    noun = "collection"
    every_noun = "every collection and record"

    def rows(self) -> QuerySet[Collection]:
        """Collections outside the bin."""
        return Collection.objects.live()

    def url_of(self, obj: Model) -> str:
        """Its list."""
        return reverse("records:list", args=[obj.key]) if isinstance(obj, Collection) else ""

    def condition(self, holder: Holder, perm: str) -> Q:
        """As for every object; and to be seen, one visible record is enough."""
        found = super().condition(holder, perm)
        if perm != self.view or perm in holder.held or not holder.may_reach(perm):
            return found
        granted = policy_for(Record).granted(holder, perms.RECORDS_VIEW, path="pk")
        if granted == NOTHING:
            return found
        within = Record.objects.live().filter(granted).values("collection_id")
        return found | Q(pk__in=within)

    def perms_of_many(self, who: Who, objs: Sequence[Collection], at: datetime) -> dict[Any, frozenset[str]]:
        """As for every object, with the sight of a collection that single records give."""
        holder = holder_for(who, at=at)
        found = super().perms_of_many(holder, objs, at)
        unseen = [pk for pk, names in found.items() if self.view not in names]
        if unseen:
            seen = set(self.visible_to(holder, at).filter(pk__in=unseen).values_list("pk", flat=True))
            found.update({pk: found[pk] | {self.view} for pk in seen})
        return found


class RecordPolicy(ObjectPolicy[Record]):
    """A record is reached through its collection or by itself."""

    view = perms.RECORDS_VIEW
    grantable = ON_RECORD
    parent = "collection"
    user_grants = RecordUserGrant
    group_grants = RecordGroupGrant
    noun = "record"
    every_noun = "every record"

    def rows(self) -> QuerySet[Record]:
        """Records outside the bin, of collections outside the bin."""
        return Record.objects.live().filter(collection__deleted_at=None)

    def url_of(self, obj: Model) -> str:
        """Its page, by an address that needs no collection."""
        return reverse("records:anywhere", args=[obj.pk])

    def name_of(self, obj: Model) -> str:
        """The value of the field that names the collection's records."""
        return title_of(obj) if isinstance(obj, Record) else str(obj)


class _ThroughRecord(ObjectPolicy[RecordFile]):
    """A file is what its record is: nothing is granted on it alone."""

    view = perms.RECORDS_VIEW
    grantable: ClassVar[Sequence[str]] = ()
    parent = "record"
    noun = "file"
    every_noun = "every file"

    def rows(self) -> QuerySet[RecordFile]:
        """Files of live records that were not removed."""
        return RecordFile.objects.filter(
            deleted_at=None, record__deleted_at=None, record__collection__deleted_at=None
        )


class SavedViewPolicy(ObjectPolicy[SavedView]):
    """A view is its maker's; a shared one everybody sees who sees the collection."""

    view = perms.COLLECTIONS_VIEW
    grantable: ClassVar[Sequence[str]] = ()
    parent = "collection"
    noun = "view"
    every_noun = "every view"

    def condition(self, holder: Holder, perm: str) -> Q:
        """One's own always; a shared one to look at, or to change for who designs the collection."""
        if not holder.is_member:
            return NOTHING
        own = Q(owner_id=holder.user_id)
        if perm == self.view:
            seen = policy_for(Collection).visible_to(holder, holder.at).values("pk")
            return own | Q(is_shared=True) & (Q(collection=None) | Q(collection__in=seen))
        return own | Q(is_shared=True) & super().condition(holder, perms.COLLECTIONS_DESIGN)


def install() -> None:
    """Register the policies; called when the app is ready."""
    register(Collection, CollectionPolicy)
    register(Record, RecordPolicy)
    register(RecordFile, _ThroughRecord)
    register(SavedView, SavedViewPolicy)
