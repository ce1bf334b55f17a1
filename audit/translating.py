"""Who and what another organisation's trail speaks of, by the ids that they have here.

A UUID is one thing wherever it stands. A number is something else in each table and in each organisation:
one without a key (audit.models.annexed.AnnexedKey) has no id here, whatever has its number here.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from audit.columns import GONE, columns_of, is_given_out, is_number, key_of, type_of
from audit.entries import Entry
from audit.models.annexed import AnnexedKey
from audit.origins import current


def known_as(key: UUID, type_id: int | None) -> list[UUID]:
    """Return the ids that somebody or something of here had there; none for a number that nothing had."""
    origin = current()
    assert origin is not None
    keys = AnnexedKey.objects.filter(source=origin.source, new=key)
    if type_id is not None:
        keys = keys.filter(type_id=type_id)
    old = list(keys.values_list("old", flat=True))
    return old if is_number(key) else [key, *old]


def as_here(entries: list[Entry]) -> list[Entry]:
    """Return entries of another trail that speak of people and things by their ids of here."""
    origin = current()
    if origin is None or not entries:
        return entries
    said = {key for entry in entries for key in _keys_in(entry)}
    rows = AnnexedKey.objects.filter(source=origin.source, old__in=said)
    keys = _Keys.of_rows(list(rows.values_list("type_id", "old", "new")))
    return [_told(replace(entry, origin=origin.name, origin_id=origin.source), keys) for entry in entries]


@dataclass(frozen=True, slots=True)
class _Keys:
    """Which ids of there are which here: numbers by content type, UUIDs by themselves."""

    numbers: Mapping[tuple[int, UUID], UUID]
    uuids: Mapping[UUID, UUID]

    @classmethod
    def of_rows(cls, rows: Iterable[tuple[int, UUID, UUID]]) -> "_Keys":
        """Return the keys of rows: content type, id there and id here."""
        numbers, uuids = {}, {}
        for kind, old, new in rows:
            if is_number(old):
                numbers[kind, old] = new
            else:
                uuids[old] = new
        return cls(numbers, uuids)

    def of(self, type_id: int, key: UUID) -> UUID | None:
        """Return the id of something here, or None for a number that nothing here is known by."""
        return self.numbers.get((type_id, key)) if is_number(key) else self.anybody(key)

    def anybody(self, key: UUID) -> UUID:
        """Return the id here of whatever a UUID is the id of."""
        return self.uuids.get(key, key)


def _told(entry: Entry, keys: _Keys) -> Entry:
    return replace(
        entry,
        actor_id=keys.anybody(entry.actor_id) if entry.actor_id else None,
        object_id=keys.of(entry.type_id, entry.object_id) if entry.object_id else None,
        before=_side(entry.label, entry.before, keys),
        after=_side(entry.label, entry.after, keys),
        details=_side("", entry.details, keys),
    )


def _side(label: str, values: Mapping[str, Any], keys: _Keys) -> dict[str, Any]:
    numbered = {name for name, field in columns_of(label).items() if is_given_out(field)}
    return {
        name: _number(label, name, value, keys) if name in numbered else _within(value, keys)
        for name, value in values.items()
    }


def _number(label: str, name: str, value: Any, keys: _Keys) -> Any:
    key = key_of(value)
    if key is None:
        return value
    here = keys.of(type_of(columns_of(label)[name]), key)
    return GONE if here is None else here.int


def _within(value: Any, keys: _Keys) -> Any:
    """Return a value in which each UUID is the one of here, wherever it is a whole text."""
    if isinstance(value, list):
        return [_within(one, keys) for one in value]
    if isinstance(value, dict):
        return {name: _within(one, keys) for name, one in value.items()}
    key = _uuid(value)
    here = keys.anybody(key) if key is not None else None
    return value if here == key else str(here)


def _keys_in(entry: Entry) -> Iterator[UUID]:
    yield from (key for key in (entry.actor_id, entry.object_id) if key is not None)
    for label, side in ((entry.label, entry.before), (entry.label, entry.after), ("", entry.details)):
        fields = columns_of(label)
        for name, value in side.items():
            if name in fields and is_given_out(fields[name]):
                yield from (key for key in (key_of(value),) if key is not None)
            else:
                yield from _uuids_in(value)


def _uuids_in(value: Any) -> Iterable[UUID]:
    if isinstance(value, list | dict):
        for one in value.values() if isinstance(value, dict) else value:
            yield from _uuids_in(one)
    elif (key := _uuid(value)) is not None:
        yield key


def _uuid(value: Any) -> UUID | None:
    if not isinstance(value, str) or len(value) != 36:
        return None
    try:
        return UUID(value)
    except ValueError:
        return None
