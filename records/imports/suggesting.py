"""Links that a new collection makes possible: fields elsewhere that hold what its records are called.

Files come in any order: who brings flights before planes is told afterwards that one can lead to the other.
"""

from collections.abc import Iterator
from contextlib import nullcontext
from typing import Any

from django.db.models.fields.json import KeyTextTransform

from permissions import perms
from permissions.holder import Holder
from permissions.policies import policy_for
from records.importing import link_of
from records.imports.targets import Candidate, targets_for
from records.models import Collection, Field, Record
from records.values import FieldType

SAMPLE = 500  # records that are looked at
MOST_FIELDS = 60
ABLE = (FieldType.TEXT, FieldType.CHOICE, FieldType.INTEGER)


def possible_links(collection: Collection, holder: Holder) -> list[dict[str, Any]]:
    """Return the fields of other collections that the person may turn into links to this one."""
    there = [one for one in targets_for(holder) if one.collection.pk == collection.pk]
    known = [Candidate(one, holder, nullcontext) for one in there]
    found = []
    for field in _fields(collection, holder) if known else ():
        values = _values(field)
        link = link_of(field.name, values, known, numbers=field.type == FieldType.INTEGER) if values else None
        if link is not None:
            found.append(
                {
                    "collection": str(field.collection_id),
                    "field": field.key,
                    "matched": link.matched,
                    "of": link.matched + link.unmatched,
                }
            )
    return found


def _fields(collection: Collection, holder: Holder) -> Iterator[Field]:
    policy = policy_for(Collection)
    able = policy.visible_to(holder, holder.at, to=perms.COLLECTIONS_DESIGN).exclude(pk=collection.pk)
    rows = Field.objects.filter(
        collection__in=able.values("pk"), deleted_at=None, unique=False, sensitive=False, type__in=ABLE
    )
    yield from rows.select_related("collection").order_by("collection_id", "position")[:MOST_FIELDS]


def _values(field: Field) -> set[str]:
    """Return the different values among the newest records."""
    rows = Record.objects.live().filter(collection=field.collection_id).order_by("-pk")
    texts = rows.values_list(KeyTextTransform(field.key, "values"), flat=True)[:SAMPLE]
    kept = {text for text in texts if text}
    if field.type != FieldType.CHOICE:
        return kept
    labels = {choice.code: choice.label for choice in field.spec().choices}
    return {labels.get(text, text) for text in kept}
