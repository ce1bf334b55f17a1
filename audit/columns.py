"""What the columns of captured tables refer to, and keys as the trail writes them."""

from collections.abc import Mapping
from functools import cache
from typing import Any
from uuid import UUID

from django.contrib.auth import get_user_model
from django.db.models import Field

from audit.registry import trail
from tenants.explicit_ids import content_type_id

GONE = "no longer there"
Column = Field[Any, Any]
# The number is a digest of the name (tenants.explicit_ids), and is the same in every organisation.
_SAME_EVERYWHERE = frozenset({"contenttypes.contenttype", "auth.permission"})


@cache
def columns_of(label: str) -> Mapping[str, Column]:
    """Return the fields of a model by column; none for a model that is installed no more."""
    model = trail.model_of(label) if label else None
    return {str(field.column): field for field in model._meta.concrete_fields} if model else {}


def is_person(field: Column) -> bool:
    """Return whether a column refers to a person."""
    return field.related_model is get_user_model()


def type_of(field: Column) -> int:
    """Return the content type of what a column refers to."""
    meta: Any = field.related_model._meta  # type: ignore[union-attr]  # a relation leads to a model
    return content_type_id(meta.app_label, meta.model_name)


def key_of(value: Any) -> UUID | None:
    """Return a key as the trail writes it; whole numbers are written as a UUID."""
    if value is None:
        return None
    try:
        return UUID(int=value) if isinstance(value, int) else UUID(str(value))
    except ValueError:
        return None


def is_number(key: UUID) -> bool:
    """Return whether a key is a whole number, which means something else in each table."""
    return key.int < 2**63


def is_given_out(field: Column) -> bool:
    """Return whether a column refers to rows whose numbers each organisation gives out itself."""
    if not field.is_relation or field.related_model is None:
        return False
    meta: Any = field.related_model._meta
    return meta.pk.get_internal_type() != "UUIDField" and meta.label_lower not in _SAME_EVERYWHERE
