"""Finding one collection, its design, one record: what nearly every request of this room asks."""

from typing import Any
from uuid import UUID

from records.models import Collection, Field, Record
from tenants.prepared import ANOTHER_KEY, KEY, TEXT, Prepared

_COLLECTION = Prepared(lambda key: Collection.objects.live().filter(key=key), key=TEXT)
_FIELDS = Prepared(lambda collection_id: Field.objects.filter(collection_id=collection_id), collection_id=KEY)
_RECORD = Prepared(
    lambda pk, collection_id: Record.objects.live().filter(collection_id=collection_id, pk=pk),
    pk=KEY,
    collection_id=ANOTHER_KEY,
)
_LOCKED = Prepared(
    lambda pk: Record.objects.select_for_update(of=("self",)).live().filter(pk=pk),
    pk=KEY,
)


def collection_of_key(key: str) -> Collection | None:
    """Return the collection of an address, unless it is in the bin. It asks nobody's rights."""
    return next(iter(_COLLECTION(key=key)), None)


def load_design(collection: Collection) -> Collection:
    """Read the fields of a collection once; `specs` and `live_fields` then ask nothing."""
    kept: dict[str, object] = collection.__dict__.setdefault("_prefetched_objects_cache", {})
    if "fields" not in kept:
        found = _FIELDS(collection_id=collection.pk)
        for field in found:
            field.collection = collection
        # As a prefetch would leave it: whoever narrows it further asks anew, of this collection alone.
        fields: Any = collection.fields.get_queryset()
        fields._result_cache, fields._prefetch_done = found, True
        kept["fields"] = fields
    return collection


def forget_design(collection: Collection) -> None:
    """Let the fields be read again, after they changed."""
    getattr(collection, "_prefetched_objects_cache", {}).pop("fields", None)


def record_in(collection: Collection, pk: UUID) -> Record | None:
    """Return a record of a collection, unless it is in the bin. It asks nobody's rights."""
    return next(iter(_RECORD(pk=pk, collection_id=collection.pk)), None)


def locked(pk: UUID) -> Record | None:
    """Return a record, unless it is in the bin; nobody else changes it before the transaction has ended."""
    return next(iter(_LOCKED(pk=pk)), None)
