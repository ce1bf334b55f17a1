"""Events of intent: what somebody did, where no row of a table says it."""

import json
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.core.serializers.json import DjangoJSONEncoder
from django.db import connections
from django.db.models import Model

from audit import codes
from tenants.context import required
from tenants.explicit_ids import content_type_id
from tenants.functions import own

type_of_nothing = 0


def record(
    code: str,
    *,
    target: Model | None = None,
    details: Mapping[str, Any] | None = None,
    personal: Mapping[str, Any] | None = None,
    subject: UUID | None = None,
) -> None:
    """Append an event in the current transaction, so that it stands if and only if its effect does.

    `details` are shown with it; `personal` are kept apart and can be erased, `subject` is the person
    they are about. The actor is the context's. Raises UnknownCode for a code that nobody declared.
    """
    name = codes.code(code).name
    type_id, object_id = reference(target)
    append(name, type_id, object_id, details or {}, personal or {}, subject)


def reference(target: Model | None) -> tuple[int, UUID | None]:
    """Return content type and key of an object as events hold them."""
    if target is None:
        return type_of_nothing, None
    type_id = content_type_id(target._meta.app_label, target._meta.model_name or "")
    return type_id, target.pk if isinstance(target.pk, UUID) else UUID(int=int(target.pk))


def append(
    code: str,
    type_id: int,
    object_id: UUID | None,
    details: Mapping[str, Any],
    personal: Mapping[str, Any],
    subject: UUID | None,
) -> None:
    """Call the one function of the database that appends events of intent."""
    with connections[required().alias].cursor() as cursor:
        cursor.execute(
            f"SELECT {own('audit_record', required().schema)}(%s, %s, %s, %s::jsonb, %s::jsonb, %s)",
            (code, type_id, object_id, _json(details), _json(personal), subject),
        )


def _json(values: Mapping[str, Any]) -> str:
    # NUL is the one character that PostgreSQL's text cannot hold; it is shown as its picture.
    return json.dumps(dict(values), cls=DjangoJSONEncoder, ensure_ascii=False).replace("\\u0000", "␀")
