"""Doing a split: a part of one organisation becomes an organisation of its own, and the rest works on.

    asked     a copy beside it, what is chosen worked out, what has two claims found, the copy dropped
    approved  the new organisation is made, closed; what goes is put out of sight; the copy is made
    staged    rows are carried into the new one, with their files and the history of what they are about
    done      the new one is open, those who went are out of the old one; what went lies in its bin
    closed    it is deleted there

Each step may be repeated. What goes wrong before it is done is put back. Needs the owner's login.
"""

from collections.abc import Callable
from datetime import datetime

from django.db import transaction
from django.utils import timezone

from accounts.actions.directory import repair
from operations.actions.provisioning import Wish, provision
from operations.joining import claims, clashes, content, machine, parting, staging, trails
from operations.joining.carrying import carry
from operations.joining.link import column, inside, opened
from operations.joining.merging import plan_indexes
from operations.joining.picking import Picks, pick
from operations.joining.shape import Place
from operations.joining.staging import Both
from operations.models import JoiningStep, OperatorAct, Split
from operations.models.joining import UNDONE_WITHIN
from operations.restoring import swapping
from tenants import hosts
from tenants.models import Organisation
from tenants.placement import State, Tenant


def run_all(*, at: datetime) -> int:
    """Go on with every split that something is to be done for; return how many."""
    return machine.go_on(Split, run, at=at)


def run(split: Split) -> None:
    """Take a split as far as it can come by itself, from wherever it stands. Raises Busy."""
    machine.alone(split, _do, _give_up)


def _do(split: Split) -> None:
    if split.step == JoiningStep.ASKED:
        _look(split)
    if split.step == JoiningStep.APPROVED:
        _begin(split)
    if split.step == JoiningStep.STAGED:
        _divide(split)
    if split.step == JoiningStep.UNDOING:
        _undo(split)
    elif split.step == JoiningStep.DONE and split.undo_until and split.undo_until <= timezone.now():
        _close(split)


def place_of(split: Split) -> Place:
    """Return where the rows come from, and since when they belong elsewhere."""
    return Place(split.staged, split.effective_at, picked=True)


def both_of(split: Split) -> Both:
    """Return the two organisations as plain values; the new one is there."""
    assert split.made is not None
    return Both(comes=split.source.placement(), here=split.made.placement())


def look(source: Tenant, place: Place, picks: Picks, *, tell: Callable[[str], object]) -> clashes.Found:
    """Find what has two claims, in a copy, while everybody is at work; nothing is left behind."""
    tell("Copying")
    try:
        staging.load(Both(source, source), place)
        with opened(source.alias) as connection, connection.transaction():
            pick(connection, place, picks)
        tell("Looking for what has two claims")
        return claims.find(source.alias, place, picks)
    finally:
        staging.drop(source.alias, place.staged)


def _look(split: Split) -> None:
    machine.name_anew(split)
    source, picks = split.source.placement(), Picks.read(split.picks)
    found = look(source, place_of(split), picks, tell=lambda what: split.note(progress=what))
    clashes.keep(split.shard, split.pk, found)
    told = machine.told(found)
    if Split.objects.filter(pk=split.pk, step=JoiningStep.ASKED).update(
        step=JoiningStep.FOUND, result={**split.result, **told}, progress=""
    ):
        split.refresh_from_db()
    machine.refuse_stopped(found, f"split {split.source.slug}")


def _begin(split: Split) -> None:
    """Make the new organisation and the copy; what goes is out of sight from here on."""
    machine.name_anew(split)
    source, place, picks = split.source.placement(), place_of(split), Picks.read(split.picks)
    if split.made is None:
        _make(split, picks)
    both = both_of(split)
    parting.put_aside(source, picks.collections, by=split.approved_by)
    staging.load(both, place)
    with opened(split.shard) as connection, connection.transaction():
        pick(connection, place, picks)
    found = claims.find(split.shard, place, picks, are_aside=True)
    clashes.keep(split.shard, split.pk, found)
    split.note(result={**split.result, **machine.told(found)})
    machine.refuse_stopped(found, f"split {split.source.slug}")
    staging.decide(both, place)
    with opened(split.shard) as connection, connection.transaction():
        pick(connection, place, picks)
    split.note(step=JoiningStep.STAGED)


def _make(split: Split, picks: Picks) -> None:
    """Make the new organisation on the same shard, closed until its rows are there."""
    source = split.source
    with opened(split.shard) as connection:
        query = f"SELECT email || chr(10) || name FROM {source.schema_name}.identity_user WHERE id = %s"
        email, name = str(column(connection, query, [picks.owner])[0]).split("\n", 1)

    def keep(made: Organisation) -> None:
        made.move_to(State.SUSPENDED, reason=f"It is being split off from {source.name}.")
        split.note(made=made)

    wish = Wish(
        slug=split.slug,
        name=split.name,
        owner_email=email,
        owner_name=name,
        shard=split.shard,
        region=str(source.region),
        customer=str(source.customer),
    )
    provision(wish, also=keep)
    split.refresh_from_db()


def _divide(split: Split) -> None:
    both, place = both_of(split), place_of(split)
    came: dict[str, int] = {}
    total = sum(split.result.get("rows", {}).values())

    def tell(step: str, rows: int) -> None:
        came[step] = rows
        split.note(progress=f"{sum(came.values()):,} of {total:,} rows"[:120])

    with opened(split.shard) as connection:
        query = f"SELECT path FROM ({trails.files_going(place)}) AS files"
        paths = {str(path) for path in column(connection, query)}
    content.bring(both.comes.schema, both.here.schema, only=paths)
    rows = carry(both, place, by=split.approved_by, tell=tell)
    parting.settle_in(both, place, by=split.approved_by)
    split.note(progress="Attaching the history of what goes")
    details = {"name": split.source.name, "since": split.effective_at.isoformat(), "reason": split.reason}
    trails.attach_excerpt(both, place, by=split.approved_by, details=details)
    plan_indexes(both, place)
    split.note(result={**split.result, "let_go": True})
    parting.let_go(both, place, by=split.approved_by)
    _tell_source(split, "organisation.split", by=split.approved_by)
    _open(split, {name: count for name, count in rows.items() if count})


def _tell_source(split: Split, code: str, *, by: str) -> None:
    schema = str(split.source.schema_name)
    with opened(split.shard) as connection, inside(connection, schema, by=by):
        if not staging.is_done(connection, split.staged, code):
            details = {"name": split.name, "since": split.effective_at.isoformat(), "reason": split.reason}
            swapping.record(connection, schema, code, details)
            staging.note_done(connection, split.staged, code)


def _open(split: Split, rows: dict[str, int]) -> None:
    assert split.made is not None
    with transaction.atomic(using="control"):
        made = Organisation.objects.select_for_update().get(pk=split.made.pk)
        made.move_to(State(split.source.state), reason=f"It was split off from {split.source.name}.")
        for organisation, act in ((made, made.state), (split.source, "split")):
            OperatorAct.write(organisation, act, who=split.approved_by, reason=split.reason)
        split.note(
            step=JoiningStep.DONE,
            result={**split.result, "came": rows},
            undo_until=timezone.now() + UNDONE_WITHIN,
            progress="",
            error="",
        )
    hosts.forget()
    for organisation in (split.source, made):
        repair(organisation)


def _close(split: Split) -> None:
    """Delete what went, where it was."""

    def tell(step: str, rows: int) -> None:
        split.note(progress=f"Deleting {step.rpartition(' ')[2]}: {rows:,}"[:120])

    # Known before the copy goes, without which nothing more can be removed.
    if not split.result.get("removed"):
        parting.remove(both_of(split), place_of(split), by=split.approved_by, tell=tell)
        split.note(result={**split.result, "removed": True})
    staging.drop(split.shard, split.staged)
    split.note(step=JoiningStep.CLOSED, ended_at=timezone.now(), progress="")


def _undo(split: Split) -> None:
    """Close the new organisation, and put everything back where it was."""
    by, reason = machine.undone_by(split), str(split.result.get("undo_reason") or split.reason)
    if split.made is not None:
        with transaction.atomic(using="control"):
            made = Organisation.objects.select_for_update().get(pk=split.made.pk)
            if made.state != State.GONE:
                made.move_to(State.GONE, reason=f"It is a part of {split.source.name} again.")
                Organisation.objects.filter(pk=made.pk).update(part_of=split.source)
                OperatorAct.write(made, State.GONE.value, who=by, reason=reason)
        hosts.forget()
    source, picks = split.source.placement(), Picks.read(split.picks)
    parting.bring_back(source, picks.collections, by=by)
    if split.result.get("let_go"):
        parting.take_in_again(both_of(split), place_of(split), by=by)
        split.note(result={**split.result, "let_go": False})
    _tell_source(split, "organisation.split_undone", by=by)
    staging.drop(split.shard, split.staged)
    split.note(
        step=JoiningStep.FAILED if split.result.get("gave_up") else JoiningStep.UNDONE,
        ended_at=timezone.now(),
        progress="",
    )
    for organisation in (split.source, split.made):
        if organisation is not None and organisation.state != State.GONE:
            repair(organisation)


def _give_up(split: Split, problem: str) -> None:
    """End a split that cannot go on; what was begun is put back."""
    split.refresh_from_db()
    if split.step == JoiningStep.UNDOING or split.step == JoiningStep.DONE:
        split.note(error=problem[:2000])
        return  # tried again with the next turn
    if split.step in (JoiningStep.APPROVED, JoiningStep.STAGED):
        result = {**split.result, "gave_up": True}
        split.note(step=JoiningStep.UNDOING, error=problem[:2000], result=result)
        _undo(split)
        return
    staging.drop(split.shard, split.staged)
    if split.step != JoiningStep.CANCELLED:
        split.note(step=JoiningStep.FAILED, error=problem[:2000], ended_at=timezone.now(), progress="")
