"""What things are called: the rooms say it for their models, so that sentences speak of people's things."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.apps import apps
from django.db.models import Model

from audit import queries
from audit.queries import Entry
from tenants.explicit_ids import content_type_id


@dataclass(frozen=True, slots=True)
class Named:
    """An object as a sentence speaks of it: "the venue", "Warehouse 14", and where it can be opened."""

    kind: str
    label: str
    url: str = ""


Resolver = Callable[[list[UUID]], Mapping[UUID, Named]]
Fields = Callable[[Iterable[str]], Mapping[str, str]]
Reader = Callable[[Sequence[Entry], Any], Sequence[Entry]]
Sentence = Callable[[Entry, str, str], str]
_resolvers: dict[str, Resolver] = {}
_fields: dict[str, Fields] = {}
_readers: dict[str, Reader] = {}
_kinds: dict[str, tuple[str, str]] = {}
_sentences: dict[str, Sentence] = {}


def describe(
    model: type[Model],
    *,
    objects: Resolver | None = None,
    fields: Fields | None = None,
    reader: Reader | None = None,
    kind: tuple[str, str] | None = None,
    sentence: Sentence | None = None,
) -> None:
    """Say how objects of a model are called, its columns, and what a person may read of their values.

    `objects(ids)` returns the names of those that exist and may be shown, in one query; `fields(names)`
    returns the words for columns and keys of documents ("values.k3x": "Capacity"), as far as it knows them;
    `reader(entries, user)` returns the same entries in the same order with values in words, and without
    those that this person may not read; `kind` is the word for one and for many, where the model's own
    name is not what people say; `sentence(entry, actor, name)` says a change better than "changed", or "".
    """
    if objects:
        _resolvers[model._meta.label_lower] = objects
    if fields:
        _fields[model._meta.label_lower] = fields
    if reader:
        _readers[model._meta.label_lower] = reader
    if sentence:
        _sentences[model._meta.label_lower] = sentence
    if kind:
        _kinds[model._meta.label_lower] = kind


def as_read_by(user: Any, entries: Sequence[Entry]) -> list[Entry]:
    """Return entries with the values that a person may read; rooms without a reader hide nothing."""
    read = list(entries)
    for label in {entry.label for entry in read} & _readers.keys():
        places = [place for place, entry in enumerate(read) if entry.label == label]
        said = _readers[label]([read[place] for place in places], user)
        for place, entry in zip(places, said, strict=True):
            read[place] = entry
    return read


def model_of_type(type_id: int) -> type[Model] | None:
    """Return the model with that content type, or None."""
    return _types().get(type_id)


def _types() -> dict[int, type[Model]]:
    return {
        content_type_id(model._meta.app_label, model._meta.model_name or ""): model
        for model in apps.get_models(include_auto_created=True)
    }


def names_for(wanted: Mapping[int, set[UUID]]) -> dict[tuple[int, UUID], Named]:
    """Return the names of objects, by content type and key: one query for each kind of thing."""
    types = _types()
    found: dict[tuple[int, UUID], Named] = {}
    for type_id, ids in wanted.items():
        if model := types.get(type_id):
            names = _resolve(model, sorted(ids))
            found.update({(type_id, key): named for key, named in names.items()})
    return found


def _resolve(model: type[Model], ids: list[UUID]) -> Mapping[UUID, Named]:
    if resolver := _resolvers.get(model._meta.label_lower):
        return resolver(ids)
    kind = kind_of_label(model._meta.label_lower)
    numbered = model._meta.pk.get_internal_type() != "UUIDField"
    keys: list[Any] = [key.int for key in ids if key.int < 2**63] if numbered else ids
    rows = model._default_manager.filter(pk__in=keys)
    return {UUID(int=row.pk) if numbered else row.pk: Named(kind, str(row)) for row in rows}


def remembered(entry: Entry) -> Named | None:
    """Return what an object was called when its event was written, from the event itself."""
    if entry.title:
        return Named(kind_of(entry.type_id), entry.title)
    values = {**entry.before, **entry.after}
    for column in ("name", "label", "title", "email", "slug"):
        if isinstance(values.get(column), str) and values[column]:
            return Named(kind_of(entry.type_id), values[column])
    return None


def sentence_of(entry: Entry, actor: str, name: str) -> str:
    """Return what a room says of one of its rows; "" where it has nothing better than everybody."""
    own = _sentences.get(entry.label)
    return own(entry, actor, name) if own else ""


def kind_of(type_id: int, *, many: bool = False) -> str:
    """Return the word for a kind of thing."""
    model = model_of_type(type_id)
    return kind_of_label(model._meta.label_lower if model else "", many=many)


def kind_of_label(label: str, *, many: bool = False) -> str:
    """Return the word for a kind of thing by the label of its model."""
    if label in _kinds:
        return _kinds[label][many]
    try:
        meta = apps.get_model(label)._meta
    except (LookupError, ValueError):
        return "things" if many else "thing"
    return str(meta.verbose_name_plural if many else meta.verbose_name)


def field_names(label: str, names: Iterable[str]) -> dict[str, str]:
    """Return the words for columns of a model."""
    wanted = list(names)
    known = dict(_fields[label](wanted)) if label in _fields else {}
    return {name: known.get(name) or _column_words(label, name) for name in wanted}


def _column_words(label: str, name: str) -> str:
    model = next(
        (one for one in apps.get_models(include_auto_created=True) if one._meta.label_lower == label), None
    )
    column, _, key = name.partition(".")
    for one in model._meta.concrete_fields if model else ():
        if one.column == column:
            words = str(one.verbose_name)
            return key.replace("_", " ").capitalize() if key else words[:1].upper() + words[1:]
    return (key or column).replace("_", " ").capitalize()


def people(ids: set[UUID]) -> dict[UUID, str]:
    """Return the names of people, also of those whose rows are gone, unless they were erased."""
    from django.contrib.auth import get_user_model  # the model of this installation

    user_model = get_user_model()
    names = {user.pk: str(user) for user in user_model._default_manager.filter(pk__in=ids)}
    if missing := ids - names.keys():
        names.update(deleted_people(missing))
    return names


def deleted_people(ids: set[UUID]) -> dict[UUID, str]:
    """Return the names of people whose rows are gone, from the trail read, unless they were erased."""
    from django.contrib.auth import get_user_model  # the model of this installation

    gone = queries.last_values(sorted(ids), f"{get_user_model()._meta.label_lower}.removed")
    return {key: str(values["name"]) for key, values in gone.items() if values.get("name")}
