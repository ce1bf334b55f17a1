"""Asking for the jobs of an import, each only from the state that it follows."""

from datetime import datetime

from django.db import transaction

from accounts.identity.models import User
from jobs.actions import enqueue
from jobs.models import Job
from records.imports.designs import choices_of, stamp_of
from records.imports.destinations import where
from records.imports.refusals import CheckAgain, NotNow, SameFile
from records.imports.rights import check_may_import, holder_now
from records.models import Import, ImportState
from records.models.imports import INSIDE

READ, CHECK, LOAD, UNDO = (
    "records.import_read",
    "records.import_check",
    "records.import",
    "records.import_undo",
)


def start(row: Import, kind: str, label: str, *, to: ImportState, by: User, total: int = 0) -> Job:
    """Enqueue a job of an import and note both; the row must be locked by the caller."""
    job = enqueue(kind, payload={"import": str(row.pk)}, label=label, by=by)
    if total:
        Job.objects.filter(pk=job.pk).update(total=total)
    row.job, row.state = job, to
    row.save(update_fields=["job", "state"])
    return job


def locked(row: Import, *states: ImportState) -> Import:
    """Return the row as it is now, locked. Raises NotNow unless it is in one of the states."""
    now = Import.objects.select_for_update(of=("self",)).select_related("collection").get(pk=row.pk)
    if now.state not in states:
        raise NotNow
    return now


def start_loading(row: Import, *, by: User, at: datetime) -> Job:
    """Begin to load what a check found good.

    Raises NotNow, CheckAgain if something changed since the check, SameFile if the rows of this file
    are in the collection already, NotAllowedAnyMore.
    """
    with transaction.atomic():
        now = locked(row, ImportState.CHECKED)
        there = where(now)
        check_may_import(holder_now(by.pk, at=at), there, choices_of(now))
        if now.stamp != stamp_of(now, there.version):
            raise CheckAgain
        if twin_of(now) is not None and not now.again:
            raise SameFile
        label = f"Import {now.filename} into {there.name}"
        return start(now, LOAD, label, to=ImportState.APPLYING, by=by, total=now.good)


def twin_of(row: Import) -> Import | None:
    """Return another import of the same file whose rows are in the same table, if there is one.

    For a file that is to become a new collection: in any table.
    """
    others = Import.objects.filter(digest=row.digest, state__in=INSIDE, collection__deleted_at=None)
    if row.room:
        others = others.filter(room=row.room)
    elif row.collection_id is not None:
        others = others.filter(collection_id=row.collection_id)
    return others.exclude(pk=row.pk).select_related("collection").order_by("-id").first()
