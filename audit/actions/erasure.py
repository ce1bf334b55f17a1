"""Erasing a person, or a record, from the trail without breaking its seals."""

from uuid import UUID

from django.db import connections
from django.db.models import Model

from audit.actions.events import reference, type_of_nothing
from tenants.context import Actor, act_as, required
from tenants.functions import own
from tenants.refusals import Refusal


class NoReason(Refusal):
    """Somebody tried to erase without saying why."""

    code = "no-reason"
    status = 422
    message = "Say why this is to be erased: the reason stays in the trail."


def erase(subject: UUID | Model, *, by: Actor, reason: str) -> int:
    """Delete salt and value of every personal value about `subject`; return how many entries lost theirs.

    The entries stay, verify, and show "erased". Change or delete the row itself before: that change
    is captured too, with the old values, and must be there to be erased. Raises NoReason.
    """
    if not reason.strip():
        raise NoReason
    type_id, key = reference(subject) if isinstance(subject, Model) else (type_of_nothing, subject)
    with act_as(by), connections[required().alias].cursor() as cursor:
        erases = own("audit_erase", required().schema)
        cursor.execute(f"SELECT {erases}(%s, %s, %s)", (key, type_id, reason.strip()))
        (erased,) = cursor.fetchone()
    return int(erased)
