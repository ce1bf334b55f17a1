"""Changing the state of an organisation from the console, with a reason."""

from django.db import transaction

from accounts.identity.models import User
from operations.actions.exports import want_export
from operations.actions.joining import refuse_joining
from operations.joining.problems import CannotJoin
from operations.models import Erasure, Merge, OperatorAct, Split
from operations.models.act import label_of
from operations.models.joining import TAKEN
from tenants import hosts
from tenants.models import Organisation, Release, Shard
from tenants.placement import State
from tenants.refusals import Refusal

# From which state an organisation may come into which.
ALLOWED: dict[State, frozenset[State]] = {
    State.TRIAL: frozenset({State.ACTIVE, State.SUSPENDED, State.LEAVING}),
    State.ACTIVE: frozenset({State.SUSPENDED, State.LEAVING}),
    State.SUSPENDED: frozenset({State.ACTIVE, State.LEAVING}),
    State.LEAVING: frozenset({State.ACTIVE, State.GONE}),
    # While its data is there: see operations.actions.leaving.
    State.GONE: frozenset({State.ACTIVE}),
}


class WrongState(Refusal):
    """The organisation is not in a state from which this is possible."""

    code = "wrong-state"


def change_state(*, organisation: Organisation, to: State, reason: str, by: User) -> OperatorAct:
    """Move an organisation to another state and write down who did it and why. Raises WrongState."""
    with transaction.atomic(using="control"):
        locked = Organisation.objects.select_for_update().get(pk=organisation.pk)
        if to not in ALLOWED[State(locked.state)]:
            raise WrongState(f"{locked.name} is {locked.state} and cannot become {to.value}.")
        _refuse_part(locked)
        if to is State.GONE:
            _refuse_joined(locked)
        if locked.state == State.GONE and Erasure.objects.past_return(locked).exists():
            raise WrongState(f"The data of {locked.name} is erased. It comes back from its export only.")
        locked.move_to(to, reason=reason)
        if to is State.LEAVING:
            want_export(locked, by=by.email)
        act = note(organisation=locked, act=to.value, reason=reason, by=by)
    hosts.forget()
    return act


def _refuse_part(organisation: Organisation) -> None:
    """Raise WrongState for who is a part of another one: its people are there, and so is its work."""
    merge = Merge.objects.filter(absorbed=organisation, step__in=TAKEN).select_related("into").first()
    if merge is not None:
        raise WrongState(f"{organisation.name} is a part of {merge.into}. Undo the merge instead.")
    for work in (Merge.objects.under_way(), Split.objects.under_way()):
        if work.of(organisation).exists():
            raise WrongState(f"{organisation.name} is being merged or split; wait until that has ended.")
    if organisation.part_of is not None:
        raise WrongState(f"{organisation.name} has become a part of {organisation.part_of}, for good.")


def _refuse_joined(organisation: Organisation) -> None:
    """Raise WrongState for who has taken in another one for a while yet: undoing that has to get in."""
    try:
        refuse_joining(organisation)
    except CannotJoin as problem:
        raise WrongState(str(problem)) from problem


def note(*, organisation: Organisation, act: str, reason: str, by: User | None) -> OperatorAct:
    """Write down an operator's act on an organisation; `by` None is whoever has the command line."""
    return _note(organisation, label_of(organisation), act=act, reason=reason, by=by)


def note_shard(*, shard: Shard, act: str, reason: str, by: User) -> OperatorAct:
    """Write down an operator's act on a shard."""
    return _note(None, f"Shard {shard.alias}", act=act, reason=reason, by=by)


def note_fleet(*, act: str, reason: str, by: User) -> OperatorAct:
    """Write down an operator's act on all organisations."""
    return _note(None, "All organisations", act=act, reason=reason, by=by)


def note_release(*, release: Release, act: str, reason: str, by: User) -> OperatorAct:
    """Write down an operator's act on a release."""
    return _note(None, f"Release {release.name}", act=act, reason=reason, by=by)


def note_other(*, label: str, act: str, reason: str, by: User | None) -> OperatorAct:
    """Write down an act on something else; by nobody who signed in, it was a command on the server."""
    return _note(None, label, act=act[:60], reason=reason, by=by)


def _note(
    organisation: Organisation | None, label: str, *, act: str, reason: str, by: User | None
) -> OperatorAct:
    return OperatorAct.objects.create(
        operator=by,
        operator_label=by.email if by is not None else "Command line",
        organisation=organisation,
        organisation_label=label,
        act=act,
        reason=reason.strip(),
    )
