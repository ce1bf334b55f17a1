"""Bringing organisations back to a moment, beside the live ones, and exchanging the two.

Each step is written down before the next begins and may be repeated, so a run that was killed goes on
with `resume`. Until the exchange, which is one transaction, the live schema is not touched: whatever
fails before it leaves the organisation as it was. Needs the owner's login, and for a base back-up the
login of back-ups.
"""

import logging
import shutil
import time
from collections.abc import Iterable
from datetime import datetime
from functools import partial
from pathlib import Path

import psycopg
from django.db import DatabaseError
from django.utils import timezone

from operations.actions.recovering import Recovery
from operations.actions.restores import home_of, lost_by, note, refuse_moving, refuse_undo
from operations.models import Restore, RestoreStep
from operations.models.backup import KEPT_FOR
from operations.restoring import bundle, places, residence, swapping
from operations.restoring.alone import alone_with
from operations.restoring.gently import resting
from operations.restoring.loaded import bring_to_today, missing_files
from operations.restoring.problems import Busy
from tenants import hosts
from tenants.models import Organisation
from tenants.names import new_schema_name
from tenants.schema import labels

logger = logging.getLogger(__name__)


def run_all(restores: Iterable[Restore]) -> list[Restore]:
    """Take restores to their ends, from wherever each is, and return them as they are then.

    Those that go back to the same moment of the same server are read from one recovery of it. One that
    somebody else is at, or that cannot end now, keeps nobody from theirs.
    """
    wanted = sorted(restores, key=lambda one: (one.to_time, _home_then(one)))
    with Recovery(places.folder() / "recovering") as recovery:
        for restore in wanted:
            try:
                _run(restore, recovery)
            except Busy:
                restore.refresh_from_db()
            except (psycopg.Error, DatabaseError, OSError):
                logger.exception("restore %s has not ended; it goes on with the next look", restore.pk)
                restore.refresh_from_db()
    return wanted


def resume() -> list[Restore]:
    """Finish what a dead process left, or what was asked of the owner's worker, and return them."""
    return run_all(Restore.objects.unfinished().select_related("organisation"))


def _run(restore: Restore, recovery: Recovery) -> None:
    """Take one to its end. What fails before the exchange is dropped, and the reason kept."""
    organisation = restore.organisation
    with alone_with(str(organisation.shard_id), str(organisation.schema_name)):
        restore.refresh_from_db()
        undoing = restore.step == RestoreStep.DONE
        try:
            _go_on(restore, recovery)
        except Busy:
            raise
        except Exception as problem:
            # What was exchanged, though the answer was lost, is finished by `resume` and never dropped.
            early = (RestoreStep.APPROVED, RestoreStep.READ, RestoreStep.LOADED, RestoreStep.DONE)
            if restore.step not in early or _swaps(restore) > undoing:
                raise
            logger.exception("restore %s failed; the organisation is as it was", restore.pk)
            (_fail_undo if undoing else _fail)(restore, f"{type(problem).__name__}: {problem}"[:2000])


def _go_on(restore: Restore, recovery: Recovery) -> None:
    if restore.step == RestoreStep.DONE:
        if "undo" in restore.result:
            _undo(restore)
        return
    steps = (
        (RestoreStep.APPROVED, partial(_read, recovery=recovery)),
        (RestoreStep.READ, _load),
        (RestoreStep.LOADED, _swap),
        (RestoreStep.SWAPPED, _finish),
    )
    for step, do in steps:
        if restore.step == step:
            began = time.monotonic()
            do(restore)
            seconds = {**restore.result.get("seconds", {}), str(restore.step): time.monotonic() - began}
            restore.note(result={**restore.result, "seconds": seconds})


def folder_of(restore: Restore) -> Path:
    """Return where the bundle of a restore is put while it runs."""
    return places.folder() / "restores" / str(restore.pk)


def _read(restore: Restore, *, recovery: Recovery) -> None:
    """Read the organisation out of the back-up into a bundle; a bundle that was given is one already."""
    if not restore.bundle:
        target = folder_of(restore)
        shutil.rmtree(target, ignore_errors=True)
        address = recovery.address(_home_then(restore), restore.to_time)
        restore.note(result={**restore.result, "recovered_at": str(recovery.began)})
        bundle.write(address, str(restore.organisation.schema_name), target, labels=labels())
    lost = lost_by(restore.organisation, restore.to_time)
    restore.note(step=RestoreStep.READ, result={**restore.result, "entries_after": lost})


def _home_then(restore: Restore) -> str:
    """Return the shard on which the organisation lived at the moment that it goes back to."""
    return residence.shard_at(restore.organisation, restore.to_time)


def _load(restore: Restore) -> None:
    """Load it beside the live schema, compare, bring it to today's migrations, and settle it."""
    organisation, alias = restore.organisation, str(restore.organisation.shard_id)
    if not restore.other_schema:
        restore.note(other_schema=new_schema_name(), result={**restore.result, "shard": alias})
    address, schema = places.owner_address(alias), restore.other_schema
    source = Path(restore.bundle) if restore.bundle else folder_of(restore)
    manifest = bundle.load(address, source, schema)
    with resting():
        migrated = bring_to_today(organisation, schema)
    with resting():
        settled = swapping.settle(address, schema, by=restore.approved_by)
    result = {
        **restore.result,
        **settled,
        "tables": len(manifest.tables),
        "rows": manifest.rows,
        "migrated": migrated,
        "files_missing": missing_files(organisation, schema),
    }
    restore.note(step=RestoreStep.LOADED, result=result)


def _swap(restore: Restore) -> None:
    if not _swaps(restore):
        refuse_moving(restore.organisation)
    head = swapping.exchange(
        places.owner_address(str(restore.organisation.shard_id)),
        str(restore.organisation.schema_name),
        restore.other_schema,
        done=0,
        code="organisation.restored",
        by=restore.approved_by,
        details={"to": restore.to_time.isoformat(), "reason": restore.reason, "asked_by": restore.asked_by},
    )
    _follow(restore.organisation)
    result = {**restore.result, **({"replaced": head} if head else {})}
    restore.note(step=RestoreStep.SWAPPED, result=result)


def _follow(organisation: Organisation) -> None:
    """Say in the control plane at which epoch of its placement the shard has the organisation now.

    The exchange raised it: whoever believes the one before is refused, looks again, and has forgotten
    with it what it knew of the schema. May be repeated.
    """
    epoch = swapping.placed_epoch(
        places.owner_address(str(organisation.shard_id)), str(organisation.schema_name)
    )
    Organisation.objects.filter(pk=organisation.pk, epoch__lt=epoch).update(epoch=epoch)
    hosts.forget()


def _finish(restore: Restore) -> None:
    shutil.rmtree(folder_of(restore), ignore_errors=True)
    now = timezone.now()
    restore.note(step=RestoreStep.DONE, ended_at=now, kept_until=now + KEPT_FOR)
    note(restore, "restore", restore.approved_by)


def _undo(restore: Restore) -> None:
    """Exchange the two back."""
    organisation, wish = restore.organisation, restore.result["undo"]
    address = places.owner_address(str(organisation.shard_id))
    if _swaps(restore) == 1:
        refuse_undo(restore)
        bring_to_today(organisation, restore.other_schema)
        swapping.settle(address, restore.other_schema, by=wish["by"])
    swapping.exchange(
        address,
        str(organisation.schema_name),
        restore.other_schema,
        done=1,
        code="organisation.restore_undone",
        by=wish["by"],
        details={"reason": wish["reason"]},
    )
    _follow(organisation)
    result = {key: value for key, value in restore.result.items() if key != "undo"}
    restore.note(step=RestoreStep.UNDONE, ended_at=timezone.now(), result={**result, "undone": wish})
    note(restore, "undo restore", wish["by"], reason=wish["reason"])


def drop_old(*, at: datetime) -> int:
    """Drop what was replaced so long ago that nobody can have it back; return how many.

    Its trail stays: it is written into a bundle first, without the private parts, which may be erased.
    """
    dropped = 0
    for restore in Restore.objects.overdue(at=at).select_related("organisation"):
        organisation = restore.organisation
        try:
            with alone_with(home_of(restore), str(organisation.schema_name)):
                archived = _archive_trail(restore)
                _drop(restore)
                result = {**restore.result, "trail": str(archived)}
                restore.note(other_schema="", kept_until=None, result=result)
        except Busy:
            continue
        dropped += 1
    return dropped


def _archive_trail(restore: Restore) -> Path:
    """Write the trail of a kept schema into a bundle, and return where it is. May be repeated."""
    name = f"{restore.organisation.slug}-trail-{restore.pk}"
    target = places.folder() / "bundles" / name
    if (target / "manifest.json").exists():
        return target
    shutil.rmtree(target, ignore_errors=True)
    address = places.owner_address(home_of(restore))
    bundle.write(address, restore.other_schema, target, labels=labels(), only=bundle.TRAIL)
    return target


def _swaps(restore: Restore) -> int:
    """Return how often the other schema has been exchanged with the live one."""
    return swapping.swaps_of(places.owner_address(home_of(restore)), restore.other_schema)


def _fail(restore: Restore, problem: str) -> None:
    if restore.other_schema:
        _drop(restore)
    shutil.rmtree(folder_of(restore), ignore_errors=True)
    restore.note(step=RestoreStep.FAILED, error=problem, ended_at=timezone.now(), other_schema="")


def _fail_undo(restore: Restore, problem: str) -> None:
    result = {key: value for key, value in restore.result.items() if key != "undo"}
    restore.note(result=result, error=problem)


def _drop(restore: Restore) -> None:
    bundle.drop(places.owner_address(home_of(restore)), restore.other_schema)
