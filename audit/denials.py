"""What was refused. Its transaction is rolled back, so it is collected and written in one of its own."""

from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.db.models import Model

from audit import codes
from audit.actions.events import append, reference
from tenants.context import Actor, enter, required
from tenants.placement import Placed


@dataclass(frozen=True, slots=True)
class _Denial:
    code: str
    type_id: int
    object_id: UUID | None
    actor: Actor
    request_id: str
    source: str
    details: Mapping[str, Any] = field(default_factory=dict)
    personal: Mapping[str, Any] = field(default_factory=dict)
    subject: UUID | None = None


_MOST = 50
_collected: ContextVar[tuple[_Denial, ...]] = ContextVar("enclave_denials", default=())


def collect(
    code: str,
    *,
    target: Model | None = None,
    details: Mapping[str, Any] | None = None,
    personal: Mapping[str, Any] | None = None,
    subject: UUID | None = None,
) -> None:
    """Remember a refusal or a failed sign-in until `write_collected`. Nothing is written yet.

    Needs an entered organisation: actor, request and address are taken from it now, because they may
    be gone later. Raises UnknownCode. After 50 in one request the rest is dropped.
    """
    context = required()
    type_id, object_id = reference(target)
    denial = _Denial(
        code=codes.code(code).name,
        type_id=type_id,
        object_id=object_id,
        actor=context.actor,
        request_id=context.request_id,
        source=context.source,
        details=dict(details or {}),
        personal=dict(personal or {}),
        subject=subject,
    )
    _collected.set((*_collected.get(), denial)[:_MOST])


def any_collected() -> bool:
    """Return whether anything has been remembered that is not written yet."""
    return bool(_collected.get())


def forget() -> None:
    """Drop what was collected. Called at the start of a request: threads are used again."""
    _collected.set(())


def write_collected(organisation: Placed) -> int:
    """Write what was collected, in a transaction of its own; return how many.

    For the request middleware, after the request's transaction has ended, however it ended.
    """
    denials = _collected.get()
    forget()
    for denial in denials:
        with enter(organisation, actor=denial.actor, request_id=denial.request_id, source=denial.source):
            append(
                denial.code, denial.type_id, denial.object_id, denial.details, denial.personal, denial.subject
            )
    return len(denials)
