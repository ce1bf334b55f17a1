"""What the trail keeps of records, in words, and without what a person may not read."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import tzinfo
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.db.models import Model
from django.urls import reverse
from django.utils import timezone

from accounts.identity.models import User
from audit.actions.events import reference
from audit.history import whole_page
from audit.labels import describe
from audit.queries import Cursor, Entry, Filters
from audit.sentences import Said, say
from permissions.holder import Holder, holder_for
from records.models import Collection, Field, Record
from records.perms import RECORDS_SENSITIVE
from records.tables import CollectionTable, Row, of_collection
from records.tables.columns import json_column
from records.tables.labels import name_references
from records.values import SPOKEN, FieldSpec, display
from records.views.places import Place

ENTRIES = 20
_VALUE = "values."
# Columns that say nothing on the page of the record itself.
_KNOWN_ANYWAY = frozenset({"collection_id", "import_id", "version"})
# Columns of a collection that hold keys of fields.
_COLUMNS_OF_COLLECTION = {"title_key": "Records are named by", "default_sort": "Sorted by"}
_NAMING_FIELDS = _COLUMNS_OF_COLLECTION.keys()
# Columns that say nothing anywhere.
_OURS = frozenset({"import_id", "version"})


@dataclass(frozen=True, slots=True)
class Words:
    """Turns what the trail keeps of some records into words. `specs` are the fields that may be read."""

    specs: Mapping[str, FieldSpec]
    hidden: frozenset[str]
    labels: Mapping[str, str]
    zone: tzinfo
    title_key: str = ""
    name: str = ""
    without: frozenset[str] = _OURS

    def entry(self, entry: Entry) -> Entry:
        """Return an entry whose values are words."""
        before, after = self._said(entry.before), self._said(entry.after)
        title = _VALUE + self.title_key
        return replace(
            entry,
            before=before,
            after=after,
            title=str(after.get(title) or before.get(title) or ""),
            personal=tuple(name for name in entry.personal if self._may_be_read(name)),
        )

    def _said(self, values: Mapping[str, Any]) -> dict[str, Any]:
        return {name: self._value(name, value) for name, value in values.items() if self._may_be_read(name)}

    def _may_be_read(self, name: str) -> bool:
        return name not in self.without and name.removeprefix(_VALUE) not in self.hidden

    def _value(self, name: str, value: Any) -> Any:
        spec = self.specs.get(name.removeprefix(_VALUE))
        if spec is None:
            return value
        found = Decimal(str(value)) if isinstance(value, float) else value
        return display(spec, found, zone=self.zone, locale=SPOKEN, labels=self.labels) or str(value)


def history(place: Place, row: Row, *, after: Cursor | None = None) -> tuple[list[Said], Cursor | None]:
    """Return what happened to a record, newest first, as the person may read it, and where it goes on."""
    type_id, key = reference(row.obj)
    found = whole_page(Filters(object_id=key, type_id=type_id), after=after, size=ENTRIES)
    if isinstance(place.table, CollectionTable):
        words = _words(place.table, found.entries, without=_KNOWN_ANYWAY)
    else:
        words = _words_of_room(place, found.entries)
    return say([words.entry(entry) for entry in found.entries]), found.next


def trail_url(obj: Model) -> str:
    """Return the page of the trail with everything about an object."""
    type_id, key = reference(obj)
    return f"{reverse('trail:list')}?{urlencode({'object': str(key), 'kind': type_id})}"


def read(entries: Sequence[Entry], user: User) -> list[Entry]:
    """Return entries about records of any collection as a reader of the whole trail may read them."""
    holder = holder_for(user, at=timezone.now())
    homes = _homes(entries)
    collections = Collection.objects.filter(pk__in=set(homes.values())).prefetch_related("fields")
    words = {
        one.pk: _words(of_collection(one, holder), [e for e in entries if homes.get(e.object_id) == one.pk])
        for one in collections
    }
    unknown = _words_of_nothing(entries, holder)
    return [_read(entry, homes.get(entry.object_id), words, unknown) for entry in entries]


def _read(entry: Entry, home: UUID | None, words: Mapping[UUID, Words], unknown: Words) -> Entry:
    found = words.get(home, unknown) if home else unknown
    # Many rows have no values on the page; an import, or a change of many, is of one collection.
    if entry.count == 1:
        return found.entry(entry)
    # What operators do is done to all collections at once.
    title = "" if entry.by.get("kind") == "operator" else found.name
    return replace(entry, title=title, before={}, after={})


def read_collections(entries: Sequence[Entry], user: User) -> list[Entry]:
    """Return entries about collections, with fields by name."""
    return [
        replace(entry, before=_named(entry.before, names), after=_named(entry.after, names))
        for names in (dict(Field.objects.filter(key__in=_field_keys(entries)).values_list("key", "name")),)
        for entry in entries
    ]


def _field_keys(entries: Iterable[Entry]) -> set[str]:
    return {str(values.get(name) or "").lstrip("-") for values in _sides(entries) for name in _NAMING_FIELDS}


def _named(values: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    said = dict(values)
    for column in _NAMING_FIELDS & said.keys():
        key = str(said[column] or "")
        name = names.get(key.lstrip("-"), key.lstrip("-"))
        said[column] = f"{name}, from the end" if key.startswith("-") else name
    return said


def _words_of_collection(names: Iterable[str]) -> dict[str, str]:
    return {name: words for name, words in _COLUMNS_OF_COLLECTION.items() if name in set(names)}


def install() -> None:
    """Tell the trail; called when the app is ready."""
    describe(Record, reader=read)
    describe(Collection, reader=read_collections, fields=_words_of_collection)


def _words(table: CollectionTable, entries: Iterable[Entry], *, without: frozenset[str] = _OURS) -> Words:
    """Return the words of one collection, also for fields that were removed since."""
    fields = {field.key: field.spec() for field in table.collection.fields.all()}
    hidden = frozenset[str]()
    if RECORDS_SENSITIVE not in table.permissions:
        hidden = frozenset(key for key, spec in fields.items() if spec.sensitive)
    specs = {key: spec for key, spec in fields.items() if key not in hidden}
    columns = [json_column(spec) for spec in specs.values()]
    labels = name_references(_values(entries, specs), columns, table.holder)
    named = table.collection
    return Words(specs, hidden, labels, table.zone, named.title_key, named.name, without)


def _words_of_room(place: Place, entries: Sequence[Entry]) -> Words:
    specs = {key: column.spec for key, column in place.table.columns.items() if not column.system}
    columns = list(place.table.columns.values())
    labels = place.labels(columns, list(_values(entries, specs)))
    return Words(specs, frozenset(), labels, place.table.zone, without=_KNOWN_ANYWAY)


def _words_of_nothing(entries: Iterable[Entry], holder: Holder) -> Words:
    """Return the words where nobody knows the design any more: what may have been sensitive stays hidden."""
    hidden = frozenset[str]()
    if not holder.holds(RECORDS_SENSITIVE):
        hidden = frozenset(key for values in _sides(entries) for key in _keys(values))
    return Words({}, hidden, {}, timezone.get_current_timezone())


def _homes(entries: Sequence[Entry]) -> dict[UUID | None, UUID]:
    """Return the collections of the records that entries are about; some of those that are gone have none."""
    ids = {entry.object_id for entry in entries if entry.object_id}
    homes: dict[UUID | None, UUID] = dict(
        Record.objects.filter(pk__in=ids).values_list("pk", "collection_id")
    )
    for entry in entries:
        named = entry.before.get("collection_id") or entry.after.get("collection_id")
        if entry.object_id not in homes and named:
            homes[entry.object_id] = UUID(str(named))
    lost = [entry for entry in entries if entry.object_id not in homes]
    if not lost:
        return homes
    # Keys of fields are drawn by lot: they nearly always tell the collection.
    keys = {key for values in _sides(lost) for key in _keys(values)}
    owners = dict(Field.objects.filter(key__in=keys).values_list("key", "collection_id"))
    for entry in lost:
        found = {owners[key] for values in _sides([entry]) for key in _keys(values) if key in owners}
        if len(found) == 1:
            homes[entry.object_id] = found.pop()
    return homes


def _sides(entries: Iterable[Entry]) -> Iterable[Mapping[str, Any]]:
    return (values for entry in entries for values in (entry.before, entry.after))


def _keys(values: Mapping[str, Any]) -> list[str]:
    return [name.removeprefix(_VALUE) for name in values if name.startswith(_VALUE)]


def _values(entries: Iterable[Entry], specs: Mapping[str, FieldSpec]) -> Iterable[dict[str, Any]]:
    """Return the values of fields; those of a room stand in columns of their own names."""
    for values in _sides(entries):
        named = {name.removeprefix(_VALUE): value for name, value in values.items()}
        yield {key: named[key] for key in specs if key in named}
