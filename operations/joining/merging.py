"""Doing a merge: one organisation becomes part of another one, which works on meanwhile.

    asked     a copy of the one beside the other, all clashes found, the copy dropped
    approved  nobody gets into the one any more; its trail says why, and ends
    staged    the copy is there and it is decided which row is which; rows are carried over, then files,
              then its trail is attached
    done      the copy stays, so that it can be undone

Each step may be repeated. What goes wrong after the first row came is undone by itself, and the organisation
is opened again. Needs the owner's login.
"""

from datetime import datetime

import psycopg
from django.conf import settings
from django.db import transaction
from django.utils import timezone

from accounts.actions.directory import repair
from operations.actions.fleet import note_made
from operations.joining import clashes, comparing, content, machine, staging, trails
from operations.joining.carrying import carry
from operations.joining.link import column, opened
from operations.joining.problems import CannotJoin
from operations.joining.removing import is_owned_without, take_back
from operations.joining.shape import Place
from operations.joining.staging import Both
from operations.models import JoiningStep, Merge, OperatorAct
from operations.models.joining import UNDONE_WITHIN
from operations.restoring import places, swapping
from operations.restoring.loaded import bring_to_template
from records.indexes import rules
from records.models import Collection
from tenants import hosts
from tenants.context import Actor, enter
from tenants.models import Organisation
from tenants.placement import State, Tenant
from tenants.schema import wanted_version


def run_all(*, at: datetime) -> int:
    """Go on with every merge that something is to be done for; return how many."""
    return machine.go_on(Merge, run, at=at)


def run(merge: Merge) -> None:
    """Take a merge as far as it can come by itself, from wherever it stands. Raises Busy."""
    machine.alone(merge, _do, _give_up)


def _do(merge: Merge) -> None:
    if merge.step == JoiningStep.ASKED:
        _look(merge)
    if merge.step == JoiningStep.APPROVED:
        _stage(merge)
    if merge.step == JoiningStep.STAGED:
        _join(merge)
    if merge.step == JoiningStep.UNDOING:
        _undo(merge)
    elif merge.step == JoiningStep.DONE and merge.undo_until and merge.undo_until <= timezone.now():
        _close(merge)


def both_of(merge: Merge) -> Both:
    """Return the two organisations as plain values."""
    return Both(comes=merge.absorbed.placement(), here=merge.into.placement())


def place_of(merge: Merge) -> Place:
    """Return where its rows come from, and since when."""
    return Place(merge.staged, merge.began_at or timezone.now())


def _look(merge: Merge) -> None:
    """Find all clashes, while both are at work, and leave nothing behind."""
    machine.name_anew(merge)
    both, place = both_of(merge), place_of(merge)
    try:
        found = _staged(merge, both, place)
    finally:
        staging.drop(merge.shard, merge.staged)
    if Merge.objects.filter(pk=merge.pk, step=JoiningStep.ASKED).update(
        step=JoiningStep.FOUND, result={**merge.result, **machine.told(found)}, progress=""
    ):
        merge.refresh_from_db()
    machine.refuse_stopped(found, f"merge {merge.absorbed.slug}")


def _staged(merge: Merge, both: Both, place: Place) -> clashes.Found:
    merge.note(progress="Copying")
    staging.load(both, place)
    staging.decide(both, place)
    merge.note(progress="Looking for clashes")
    found = comparing.find(both, place)
    clashes.keep(merge.shard, merge.pk, found)
    return found


def _stage(merge: Merge) -> None:
    """Make the copy that the rows come from. Nobody has been inside since before it began."""
    both = both_of(merge)
    _end_trail(merge, both.comes)
    machine.name_anew(merge)
    merge.note(began_at=timezone.now())
    found = _staged(merge, both, place_of(merge))
    merge.note(result={**merge.result, **machine.told(found)})
    command = f"merge {merge.absorbed.slug}"
    machine.refuse_stopped(found, command, since="Changed since it was approved. ")
    merge.note(step=JoiningStep.STAGED)


def _end_trail(merge: Merge, tenant: Tenant) -> None:
    """Let whoever is inside come out, and say in its trail what becomes of it. Once."""
    if merge.result.get("ended"):
        return
    details = {"into": merge.into.name, "reason": merge.reason}
    swapping.say_at_the_end(
        places.owner_address(tenant.alias),
        tenant.schema,
        code="organisation.absorbed_into",
        by=merge.approved_by,
        details=details,
        work=str(merge.pk),
    )
    merge.note(result={**merge.result, "ended": True})


def _join(merge: Merge) -> None:
    both, place = both_of(merge), place_of(merge)
    total = sum(merge.result.get("rows", {}).values())
    came: dict[str, int] = {}

    def tell(step: str, rows: int) -> None:
        came[step] = rows
        merge.note(progress=f"{sum(came.values()):,} of {total:,} rows"[:120])

    try:
        content.bring(both.comes.schema, both.here.schema)
        rows = carry(both, place, by=merge.approved_by, tell=tell)
    except psycopg.errors.IntegrityError as problem:
        # Which one it was is the organisation's; which rule it met is the table's.
        what = problem.diag.constraint_name or problem.diag.table_name
        raise CannotJoin(f"Somebody has taken meanwhile what a row needs ({what}).") from problem
    merge.note(progress="Attaching its trail")
    told = {"name": merge.absorbed.name, "reason": merge.reason}
    head = trails.attach(both, place, by=merge.approved_by, details=told)
    plan_indexes(both, place)
    now = timezone.now()
    with transaction.atomic(using="control"):
        OperatorAct.write(merge.into, "merged", who=merge.approved_by, reason=merge.reason)
        merge.note(
            step=JoiningStep.DONE,
            result={
                **merge.result,
                "came": {name: count for name, count in rows.items() if count},
                "head": head,
            },
            undo_until=now + UNDONE_WITHIN,
            progress="",
            error="",
        )
    repair(merge.into)
    hosts.forget()


def plan_indexes(both: Both, place: Place) -> None:
    """Ask for the indexes of the collections that came."""
    with opened(both.here.alias) as connection:
        query = f"SELECT id FROM {place.staged}.records_collection ORDER BY id"
        ids = [str(key) for key in column(connection, query)]
    for key in ids:
        with enter(both.here, actor=Actor.system("Enclave")):
            collection = Collection.objects.filter(pk=key).first()
            if collection is not None:
                rules.plan(collection)


def _undo(merge: Merge) -> None:
    both, place, by = both_of(merge), place_of(merge), machine.undone_by(merge)

    def tell(step: str, rows: int) -> None:
        merge.note(progress=f"Taking back: {step.removeprefix('remove ')}, {rows:,}"[:120])

    if "stay" not in merge.result and not is_owned_without(both, place):
        why = f"Nobody would own {merge.into.name}: make somebody an owner who was there before."
        merge.note(step=JoiningStep.DONE, error=why, progress="")
        return
    # What was taken back is known before the copy goes, without which nothing can be.
    if "stay" not in merge.result:
        stay = take_back(both, place, by=by, tell=tell)
        told = {"name": merge.absorbed.name, "stay": sum(stay.values())}
        trails.detach(both, place, by=by, details=told)
        merge.note(result={**merge.result, "stay": stay})
    _reopen(merge, code="organisation.came_apart", by=by)
    staging.drop(merge.shard, merge.staged)
    step = JoiningStep.FAILED if merge.result.get("gave_up") else JoiningStep.UNDONE
    merge.note(step=step, ended_at=timezone.now(), progress="")
    repair(merge.into)


def _reopen(merge: Merge, *, code: str, by: str) -> None:
    """Let its people into the organisation again that was to become part of another one."""
    absorbed = merge.absorbed
    alias, schema = str(absorbed.shard_id), str(absorbed.schema_name)
    if merge.result.get("ended"):
        details = {"into": merge.into.name}
        address = places.owner_address(alias)
        swapping.say_at_the_end(address, schema, code=code, by=by, details=details, work=str(merge.pk))
    # Whoever is gone is left out of migrations, and may have been for a month.
    bring_to_template(alias, schema)
    reason = str(merge.result.get("undo_reason") or merge.error or merge.reason)
    with transaction.atomic(using="control"):
        locked = Organisation.objects.select_for_update().get(pk=absorbed.pk)
        if locked.part_of_id == merge.into_id:
            locked.move_to(State(merge.state_before), reason=f"It is no part of {merge.into.name}.")
            Organisation.objects.filter(pk=locked.pk).update(part_of=None, release=settings.RELEASE)
            note_made(locked, version=wanted_version())
            OperatorAct.write(locked, merge.state_before, who=by, reason=reason)
    hosts.forget()


def _close(merge: Merge) -> None:
    staging.drop(merge.shard, merge.staged)
    merge.note(step=JoiningStep.CLOSED, ended_at=timezone.now())


def _give_up(merge: Merge, problem: str) -> None:
    """End a merge that cannot go on; after the first row came it is undone."""
    merge.refresh_from_db()
    if merge.step in (JoiningStep.STAGED, JoiningStep.UNDOING):
        if merge.step == JoiningStep.UNDOING:
            merge.note(error=problem[:2000])
            return  # tried again with the next turn
        result = {**merge.result, "gave_up": True}
        merge.note(step=JoiningStep.UNDOING, error=problem[:2000], result=result)
        _undo(merge)
        return
    staging.drop(merge.shard, merge.staged)
    if merge.step == JoiningStep.APPROVED:
        _reopen(merge, code="organisation.stays_apart", by=merge.approved_by)
    if merge.step != JoiningStep.CANCELLED:
        merge.note(step=JoiningStep.FAILED, error=problem[:2000], ended_at=timezone.now(), progress="")
