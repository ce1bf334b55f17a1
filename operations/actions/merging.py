"""Merging two organisations: one operator asks, another one who has seen the clashes approves.

The doing is operations.joining.merging, in a process of the owner's; what else is done about one is in
operations.actions.joining.
"""

from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.identity.models import User
from operations.actions.joining import (
    GO_ON,
    note,
    refuse_approval,
    refuse_closed,
    refuse_joining,
    refuse_unready,
    said_why,
)
from operations.actions.waking import wake_owner
from operations.joining.problems import CannotJoin
from operations.models import JoiningStep, Merge, OperatorAct
from tenants import hosts
from tenants.models import Organisation
from tenants.names import new_schema_name
from tenants.placement import State

_GIVING = (State.TRIAL, State.ACTIVE, State.SUSPENDED, State.LEAVING)


def plan(absorbed: Organisation, into: Organisation) -> None:
    """Raise CannotJoin where the control plane alone can say that the two cannot be merged."""
    if absorbed.pk == into.pk:
        raise CannotJoin("An organisation cannot become part of itself.")
    for organisation in (absorbed, into):
        refuse_joining(organisation)
    _refuse_unfit(absorbed, into)


def _refuse_unfit(absorbed: Organisation, into: Organisation) -> None:
    if absorbed.state not in _GIVING:
        raise CannotJoin(f"{absorbed.name} is {absorbed.state}.")
    refuse_closed(into)
    for organisation in (absorbed, into):
        refuse_unready(organisation)
    if absorbed.region and absorbed.region != into.shard.region:
        raise CannotJoin(
            f"The data of {absorbed.name} has to stay in {absorbed.region}, and {into.name} is elsewhere."
        )
    if absorbed.customer != into.customer:
        raise CannotJoin(
            "One of the two lives on a server of its customer's own, and the other one does not."
        )


def ask(absorbed: Organisation, into: Organisation, *, reason: str, by: User) -> Merge:
    """Write down that an operator wants this, and have all clashes found. Nobody notices anything yet."""
    said = said_why(reason)
    try:
        with transaction.atomic(using="control"):
            # In the order of their keys, so that two who ask for the two ways round wait for each other.
            pair = (
                Organisation.objects.select_for_update().filter(pk__in=[absorbed.pk, into.pk]).order_by("pk")
            )
            locked = {one.pk: one for one in pair}
            plan(locked[absorbed.pk], locked[into.pk])
            merge = Merge.objects.create(
                absorbed=absorbed,
                into=into,
                reason=said,
                asked_by=by.email,
                asked_at=timezone.now(),
                staged=new_schema_name(),
                shard=into.shard_id,
            )
            note(merge, "ask for", by.email)
    except IntegrityError as problem:
        raise CannotJoin("A merge of one of the two is asked for already.") from problem
    wake_owner(GO_ON)
    return merge


def approve(merge: Merge, *, by: User, typed: str) -> None:
    """Let a merge begin; `typed` is the address of the organisation that becomes part of the other one.

    From here on nobody gets into it.
    """
    with transaction.atomic(using="control"):
        locked = Merge.objects.select_for_update().get(pk=merge.pk)
        refuse_approval(locked, by=by, typed=typed)
        absorbed = Organisation.objects.select_for_update().get(pk=locked.absorbed_id)
        into = Organisation.objects.get(pk=locked.into_id)
        _refuse_unfit(absorbed, into)
        merge.note(
            step=JoiningStep.APPROVED,
            approved_by=by.email,
            approved_at=timezone.now(),
            state_before=absorbed.state,
        )
        absorbed.move_to(State.GONE, reason=f"It becomes part of {into.name}.")
        OperatorAct.write(absorbed, State.GONE.value, who=by.email, reason=merge.reason)
        Organisation.objects.filter(pk=absorbed.pk).update(part_of=into)
        note(merge, "approve", by.email)
    hosts.forget()
    wake_owner(GO_ON)
