"""Making, renaming and binning collections."""

import re
import unicodedata
from collections.abc import Sequence
from datetime import datetime

from django.db import transaction

from accounts.identity.models import User
from audit.actions import events
from records.actions import fields as designing
from records.actions.done import Done
from records.actions.refusals import CannotDesign
from records.finding import forget_design
from records.models import Collection
from records.models.collection import NAME_LENGTH
from records.values import FieldSpec, FieldType

_KEY_LENGTH = 50


def create(
    *,
    name: str,
    by: User | None,
    at: datetime,
    description: str = "",
    icon: str = "table-cells",
    fields: Sequence[FieldSpec] = (),
    title_key: str = "",
) -> Collection:
    """Make a collection, with its fields where a file or a design proposes them. Raises CannotDesign.

    `title_key` names its records; by default the first field of text does.
    """
    with transaction.atomic():
        collection = Collection.objects.create(
            name=_checked_name(name),
            key=_free_key(name),
            icon=icon,
            description=description.strip(),
            created_at=at,
            created_by=by.pk if by else None,
        )
        for spec in fields:
            designing.add(
                collection=collection,
                key=spec.key,
                name=spec.name,
                type=spec.type,
                required=spec.required,
                unique=spec.unique,
                choices=spec.choices,
                help=spec.help,
                sensitive=spec.sensitive,
                options=spec.options,
                by=by,
                at=at,
            )
        collection.title_key = title_key or next(
            (spec.key for spec in fields if spec.type is FieldType.TEXT and not spec.sensitive), ""
        )
        collection.save(update_fields=["title_key"])
        events.record("collection.made", target=collection, details={"collection": collection.name})
    forget_design(collection)
    return collection


def change(
    *,
    collection: Collection,
    by: User | None,
    at: datetime,
    name: str | None = None,
    description: str | None = None,
    icon: str | None = None,
    title_key: str | None = None,
    default_sort: str | None = None,
) -> Done:
    """Change what a collection is called and how it is shown; None leaves a thing as it is."""
    if name is not None:
        collection.name = _checked_name(name)
    if description is not None:
        collection.description = description.strip()
    if icon is not None:
        collection.icon = icon
    known = {field.key for field in collection.live_fields()}
    if title_key is not None:
        if title_key and title_key not in known:
            raise CannotDesign("The field that names the records is not there any more.")
        collection.title_key = title_key
    if default_sort is not None:
        collection.default_sort = default_sort
    collection.save(update_fields=["name", "description", "icon", "title_key", "default_sort"])
    return Done("Saved")


def move_to_bin(*, collection: Collection, by: User | None, at: datetime) -> Done:
    """Move a collection to the bin with all it holds; it can be taken out again."""
    if collection.deleted_at is not None:
        raise CannotDesign("The collection is in the bin already.")
    collection.deleted_at, collection.deleted_by = at, by.pk if by else None
    collection.save(update_fields=["deleted_at", "deleted_by"])
    events.record("collection.binned", target=collection, details={"collection": collection.name})
    return Done(f"{collection.name} moved to the bin")


def restore(*, collection: Collection, by: User | None, at: datetime) -> Done:
    """Take a collection out of the bin."""
    collection.deleted_at = collection.deleted_by = None
    collection.save(update_fields=["deleted_at", "deleted_by"])
    events.record("collection.restored", target=collection, details={"collection": collection.name})
    return Done(f"{collection.name} is back")


def _checked_name(name: str) -> str:
    cleaned = " ".join(name.split())
    if not cleaned:
        raise CannotDesign("Give the collection a name.")
    if len(cleaned) > NAME_LENGTH:
        raise CannotDesign(f"Use a name of at most {NAME_LENGTH} letters.")
    return cleaned


def _free_key(name: str) -> str:
    """Return the name for addresses that nobody has: `crowd-readings`, `crowd-readings-2`."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    base = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:_KEY_LENGTH] or "collection"
    taken = set(Collection.objects.filter(key__startswith=base).values_list("key", flat=True))
    number = 1
    while (key := base if number == 1 else f"{base}-{number}") in taken:
        number += 1
    return key
