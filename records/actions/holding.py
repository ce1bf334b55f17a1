"""One designer after the other: what was read is what is changed, or the second is told."""

import hashlib
import json
from collections.abc import Sequence

from records.actions.refusals import CannotDesign
from records.models import Collection, Field


class DesignMoved(CannotDesign):
    """Somebody changed the design since it was read."""

    code = "design-moved"
    message = "Somebody else changed this meanwhile."


def hold_design(*, collection: Collection) -> Collection:
    """Lock a collection's design until the end of the transaction and return it as it is now.

    Records go on being added: only who holds the design, too, waits.
    """
    held = Collection.objects.select_for_update(no_key=True, of=("self",)).prefetch_related("fields")
    return held.get(pk=collection.pk)


def field_mark(field: Field) -> str:
    """Return a mark that changes with everything that designers can change about a field."""
    said = (
        field.name, field.type, field.required, field.unique, field.choices, field.help, field.sensitive,
        field.options, field.indexed,
    )  # fmt: skip
    return _mark(said)


def shown_mark(collection: Collection) -> str:
    """Return a mark that changes with what a collection is called and how it is shown."""
    return _mark(
        (
            collection.name,
            collection.description,
            collection.icon,
            collection.title_key,
            collection.default_sort,
        )
    )


def held_field(*, collection: Collection, key: str, seen: str) -> Field:
    """Return a field of a held collection. Raises DesignMoved if it is not as it was seen, or gone."""
    found = next((field for field in collection.live_fields() if field.key == key), None)
    if found is None:
        raise DesignMoved("Somebody else removed this field meanwhile.")
    if field_mark(found) != seen:
        raise DesignMoved(
            f"Somebody else changed {found.name} meanwhile. Look at it as it is now before you save."
        )
    found.collection = collection
    return found


def check_order(*, collection: Collection, seen: Sequence[str]) -> None:
    """Raise DesignMoved if the fields of a held collection do not stand as they were seen."""
    if [field.key for field in collection.live_fields()] != list(seen):
        raise DesignMoved(
            "Somebody else changed the fields meanwhile. This is how they stand now; move again."
        )


def _mark(said: object) -> str:
    return hashlib.sha256(json.dumps(said, sort_keys=True, default=str).encode()).hexdigest()[:16]
