"""A new collection with the design of another."""

from datetime import datetime

from accounts.identity.models import User
from records.actions import collections, fields
from records.models import Collection
from records.models.field import new_key


def copy_design(*, source: Collection, name: str, by: User | None, at: datetime) -> Collection:
    """Make a collection with the fields of `source`, and none of its records. Raises CannotDesign.

    Fields get keys of their own: what a key names in one collection is nothing in the other.
    """
    made = collections.create(name=name, icon=source.icon, description=source.description, by=by, at=at)
    keys: dict[str, str] = {}
    for field in source.live_fields():
        spec = field.spec()
        keys[field.key] = new_key()
        fields.add(
            collection=made,
            key=keys[field.key],
            name=spec.name,
            type=spec.type,
            required=spec.required,
            unique=spec.unique,
            choices=spec.choices,
            help=spec.help,
            sensitive=spec.sensitive,
            options=_moved(dict(spec.options), source, made),
            indexed=field.indexed,
            by=by,
            at=at,
        )
    sort = source.default_sort
    way, key = ("-", sort[1:]) if sort.startswith("-") else ("", sort)
    collections.change(
        collection=made,
        title_key=keys.get(source.title_key, ""),
        # What every record has, such as the day it was made, has the same key everywhere.
        default_sort=f"{way}{keys.get(key, key if not key.startswith('f_') else '')}".rstrip("-"),
        by=by,
        at=at,
    )
    return made


def _moved(options: dict[str, object], source: Collection, made: Collection) -> dict[str, object]:
    """Let a field that linked to its own collection do so again."""
    if options.get("collection") == str(source.pk):
        options.update(collection=str(made.pk), collection_name=made.name)
    return options
