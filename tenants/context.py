"""The context: which plane, tenant and actor the running code works for.

`enter` is the only door into a tenant. It sets the context and opens one transaction on the
tenant's shard; the database backend (`tenants.backends.shard`) sends role, path and actor to
PostgreSQL for that transaction alone. Without a context every query to a shard raises.

The context is a context variable: a new thread starts without one, and a generator that is
consumed after the block sees none. Both therefore raise instead of answering from somewhere.
"""

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.conf import settings
from django.db import connections, transaction

from tenants.breaker import ShardDown
from tenants.moved import Moved
from tenants.names import checked_schema_name
from tenants.placement import Placed, Stop, Tenant

if TYPE_CHECKING:
    from django.db.models import Model

CONTROL = "control"
# How long an organisation is looked for that its shard refuses and that is not elsewhere yet.
SWITCH_SECONDS = 10.0
_PAUSE_S = 0.05


class NoTenant(RuntimeError):
    """Code asked for tenant data outside `tenants.enter`."""


class WrongTenant(RuntimeError):
    """Code asked for data of one organisation while working for another."""


class Plane(StrEnum):
    """Where the `default` alias and the models of both planes lead."""

    CONTROL = "control"
    TENANT = "tenant"
    SHARD = "shard"
    OWNER = "owner"


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts, as the trail names them.

    `kind` is person, system, operator or anonymous; `label` is shown when the row of the actor is
    gone; `credential` names the session or key; `on_behalf_of` the person a system acts for.
    """

    kind: str
    id: UUID | None = None
    label: str = ""
    credential: str = ""
    on_behalf_of: UUID | None = None

    @classmethod
    def system(cls, label: str, *, on_behalf_of: UUID | None = None) -> "Actor":
        """Return the actor for work that no person does directly."""
        return cls(kind="system", label=label, on_behalf_of=on_behalf_of)

    @classmethod
    def anonymous(cls) -> "Actor":
        """Return the actor for a request that nobody has signed in for."""
        return cls(kind="anonymous", label="Somebody not signed in")

    def as_json(self) -> dict[str, str | None]:
        """Return what the trail's triggers read from `app.actor`."""
        return {
            "kind": self.kind,
            "id": str(self.id) if self.id else None,
            "label": self.label[:200],
            "credential": self.credential[:64],
            "on_behalf_of": str(self.on_behalf_of) if self.on_behalf_of else None,
        }


@dataclass(frozen=True, slots=True)
class Context:
    """What the current code works for. `schema` is empty in the control plane and on a bare shard."""

    plane: Plane
    alias: str
    schema: str = ""
    organisation: Tenant | None = None
    actor: Actor = Actor(kind="system", label="Enclave")
    request_id: str = ""
    source: str = ""

    @property
    def stands_still(self) -> bool:
        """Whether the state of the organisation stops changes."""
        return self.organisation is not None and self.organisation.stops(Stop.CHANGES)


_current: ContextVar[Context | None] = ContextVar("enclave_context", default=None)


def current() -> Context | None:
    """Return the current context, or None outside of any."""
    return _current.get()


def required() -> Context:
    """Return the current context; raise NoTenant outside of any."""
    context = _current.get()
    if context is None:
        raise NoTenant("No context: use tenants.context.enter, control_plane or on_shard.")
    return context


def current_tenant() -> Tenant:
    """Return the tenant that the current code works for; raise NoTenant if there is none."""
    context = _current.get()
    if context is None or context.organisation is None:
        raise NoTenant("No organisation has been entered.")
    return context.organisation


@contextmanager
def _using(context: Context) -> Iterator[Context]:
    token = _current.set(context)
    try:
        yield context
    finally:
        _current.reset(token)


class _Opened(ExitStack):
    """A transaction in the context given, in which nothing has been done yet."""

    context: Context


def _open(context: Context) -> _Opened:
    """Open a transaction and let the shard admit it. Raises Moved."""
    with _Opened() as stack:
        stack.context = context
        stack.enter_context(_using(context))
        stack.enter_context(transaction.atomic(using=context.alias))
        connection: Any = connections[context.alias]
        connection.apply_context()
        opened = stack.pop_all()
        opened.context = context
        return opened


def _admitted(context: Context) -> _Opened:
    """Open a transaction where the organisation lives by now. Raises Moved when no shard has it.

    A move closes the one and opens the other in an instant; only where it broke off just there is waited for.
    """
    until = time.monotonic() + SWITCH_SECONDS
    while True:
        try:
            return _open(context)
        except Moved:
            fresh = _placed_now(context)
            if fresh is None:
                raise
            is_between = (fresh.alias, fresh.epoch) == (context.alias, _epoch(context))
            if is_between and time.monotonic() > until:
                raise
        if is_between:
            time.sleep(_PAUSE_S)
        context = replace(context, alias=fresh.alias, organisation=fresh)


def _epoch(context: Context) -> int:
    return context.organisation.epoch if context.organisation else 0


def _placed_now(context: Context) -> Tenant | None:
    """Read the placement of a context's organisation again; None if it may not be entered any more."""
    from tenants import hosts  # both look up models, which know this module
    from tenants.models import Organisation

    hosts.forget()
    organisation = Organisation.objects.filter(schema_name=context.schema).first()
    if organisation is None:
        return None
    tenant = organisation.placement()
    return None if tenant.stops(Stop.ENTRY) else tenant


@contextmanager
def enter(
    organisation: Placed,
    *,
    actor: Actor,
    request_id: str = "",
    source: str = "",
) -> Iterator[Context]:
    """Work for `organisation` as `actor`, in one transaction on its shard.

    Entering the same organisation again nests (a savepoint). Where the shard says that it lives elsewhere,
    its placement is read again before anything has been done; so `alias` of the context counts, not that of
    `organisation`. Raises WrongTenant inside another organisation, because one transaction belongs to one
    organisation; NoTenant when the organisation's state stops every entry; Moved when no shard has it.
    """
    tenant = organisation.placement()
    outer = _current.get()
    inside = outer.organisation if outer is not None else None
    if inside is not None and inside.schema != tenant.schema:
        raise WrongTenant(f"Working for {inside.slug}; leave it before entering {tenant.slug}.")
    if inside is not None:
        # What is already open decides where it is: it may have moved since `organisation` was read.
        tenant = replace(tenant, alias=inside.alias, epoch=inside.epoch)
    if tenant.stops(Stop.ENTRY):
        raise NoTenant(f"{tenant.slug} is gone.")
    if tenant.alias not in settings.SHARD_ALIASES:
        raise ShardDown(tenant.alias, f"{tenant.alias.upper()}_DATABASE_URL is not set")
    context = Context(
        plane=Plane.TENANT,
        alias=tenant.alias,
        schema=checked_schema_name(tenant.schema),
        organisation=tenant,
        actor=actor,
        request_id=request_id or (outer.request_id if outer else ""),
        source=source or (outer.source if outer else ""),
    )
    if inside is not None:
        with _using(context), transaction.atomic(using=context.alias):
            yield context
        return
    with _admitted(context) as stack:
        entered = stack.context
        yield entered
    connections[entered.alias].rest()  # type: ignore[attr-defined]  # our backend's


@contextmanager
def act_as(actor: Actor) -> Iterator[Context]:
    """Change the actor for a block, inside the organisation already entered."""
    with _using(replace(required(), actor=actor)) as context:
        yield context


def become(actor: Actor) -> None:
    """Change the actor for the rest of the current context: what authentication does in a request.

    The enclosing `enter` restores the outer context when it ends.
    """
    _current.set(replace(required(), actor=actor))


@contextmanager
def control_plane(*, actor: Actor | None = None, request_id: str = "", source: str = "") -> Iterator[Context]:
    """Work in the control plane: `default` and the models of both planes lead to it."""
    outer = _current.get()
    if outer is not None and outer.plane is Plane.TENANT:
        raise WrongTenant("The control plane's people are not reached from inside an organisation.")
    context = Context(plane=Plane.CONTROL, alias=CONTROL, request_id=request_id, source=source)
    with _using(replace(context, actor=actor) if actor else context) as entered:
        yield entered


@contextmanager
def on_shard(alias: str) -> Iterator[Context]:
    """Work on a shard without a tenant: only functions of its schema `enclave` can be called there."""
    with (
        _using(Context(plane=Plane.SHARD, alias=alias, schema="enclave")) as context,
        transaction.atomic(using=alias),
    ):
        yield context


@contextmanager
def as_owner(alias: str, schema: str) -> Iterator[Context]:
    """Work as the owner of a schema, for migrations and indexes. Needs a process with the owner's login.

    Opens no transaction: some of that work cannot run inside one.
    """
    with _using(Context(plane=Plane.OWNER, alias=alias, schema=checked_schema_name(schema))) as context:
        yield context


def verify_instance(instance: "Model", alias: str) -> None:
    """Raise WrongTenant if a row loaded for one tenant is about to be used for another."""
    schema: Any = getattr(instance, "_enclave_schema", None)
    context = _current.get()
    if schema and context is not None and context.plane is Plane.TENANT and schema != context.schema:
        raise WrongTenant(f"{instance._meta.label} was loaded for another organisation.")
