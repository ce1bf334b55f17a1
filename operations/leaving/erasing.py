"""Erasing the data of who is gone, with a proof. Needs the owner's login.

Each step may be repeated: a run that was killed goes on from its beginning, and finds less to do. The proof
says what was there (before the first thing goes) and that nothing of it is left (looked up at the end).
What base back-ups and their log still have goes with them, within days; the proof says until when.
"""

import logging
import shutil
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import psycopg
from django.conf import settings
from django.db import DatabaseError, transaction
from django.utils import timezone

from operations.actions import backups
from operations.actions.leaving import refuse_part
from operations.actions.restores import home_of
from operations.leaving import exporting
from operations.leaving.problems import CannotLeave
from operations.leaving.shelf import path_of
from operations.models import (
    BackfillState,
    Erasure,
    ErasureStep,
    ExportStep,
    Move,
    MoveStep,
    OperatorAct,
    Restore,
    SignUp,
)
from operations.restoring import bundle, places, swapping
from operations.restoring.alone import alone_with
from operations.restoring.problems import Busy
from tenants import hosts
from tenants.models import Organisation, QuestionState
from tenants.models.directory import DirectoryEntry
from tenants.placement import State

logger = logging.getLogger(__name__)
Proof = dict[str, Any]


def run_due(*, at: datetime) -> int:
    """Take every erasure whose day has come to its end; return how many were."""
    done = 0
    for erasure in Erasure.objects.due(at=at).select_related("organisation"):
        try:
            run(erasure)
        except Busy:
            continue
        except (psycopg.Error, DatabaseError, OSError, CannotLeave, bundle.Differs) as problem:
            logger.warning("the erasure of %s has not ended: %s", erasure.organisation.slug, problem)
            erasure.note(error=f"{problem}"[:2000])
            continue
        done += 1
    return done


def run(erasure: Erasure) -> None:
    """Erase an organisation from wherever it stands. Raises CannotLeave, Busy."""
    organisation = erasure.organisation
    alias, schema = str(organisation.shard_id), erasure.schema_name
    with alone_with(alias, schema):
        if not begin(erasure):
            return
        address = places.owner_address(alias)
        if "was" not in erasure.result:
            erasure.note(result={**erasure.result, "was": _what_is_there(organisation, address, schema)})
        swapping.close(address, schema)
        bundle.drop(address, schema)
        _drop_kept(organisation)
        _remove_files(organisation, schema)
        _forget(organisation)
        left = _what_is_left(organisation, address, schema)
        if any(left.values()):
            raise CannotLeave(f"Something of {organisation.slug} is still there: {left}")
        _end(erasure, left)


def begin(erasure: Erasure) -> bool:
    """Pass the point of no return; return whether there is anything to do. Raises CannotLeave."""
    if erasure.step == ErasureStep.APPROVED and erasure.not_before <= timezone.now():
        # The copy that a move left behind is dropped by the owner's worker now, and not some days later.
        left = Move.objects.filter(organisation=erasure.organisation_id, step=MoveStep.KEPT)
        if left.update(keep_until=timezone.now()):
            raise CannotLeave("The copy that a move left behind goes first, and then this goes on.")
    with transaction.atomic(using="control"):
        organisation = Organisation.objects.select_for_update().get(pk=erasure.organisation_id)
        erasure.refresh_from_db()
        if erasure.step == ErasureStep.ERASING:
            return True
        if erasure.step != ErasureStep.APPROVED or erasure.not_before > timezone.now():
            return False
        if organisation.state != State.GONE or organisation.schema_name != erasure.schema_name:
            raise CannotLeave(f"{organisation.name} is {organisation.state}, and is not erased.")
        refuse_part(organisation)
        if Restore.objects.open().filter(organisation=organisation).exists():
            raise CannotLeave("A restore of it is open; that has to end first.")
        if organisation.exports.filter(step=ExportStep.ASKED).exists():
            raise CannotLeave("An export of it is being written; that has to end first.")
        if Move.objects.under_way().filter(organisation=organisation).exists():
            raise CannotLeave("It is being moved; that has to end first.")
        erasure.note(step=ErasureStep.ERASING, error="")
    return True


def _what_is_there(organisation: Organisation, address: str, schema: str) -> Proof:
    """Count what will go, and keep the end of its trail: a digest, and no word of what it says."""
    with bundle.pinned(address) as connection:
        counted = bundle.digests(connection, schema)
        head = swapping.head_of(connection, schema)
    files = Path(settings.MEDIA_ROOT) / schema
    done = organisation.exports.filter(step=ExportStep.DONE).first()
    return {
        "rows": {name: about["rows"] for name, about in counted.items()},
        "trail": head,
        "files": sum(path.is_file() for path in files.rglob("*")),
        "last_export": {"sha256": done.sha256, "of": done.asked_at.isoformat()} if done else None,
    }


def _drop_kept(organisation: Organisation) -> None:
    """Drop what restores have replaced and kept, and bundles of the organisation."""
    schemas = {str(organisation.schema_name)}
    for restore in Restore.objects.filter(organisation=organisation).exclude(other_schema=""):
        bundle.drop(places.owner_address(home_of(restore)), restore.other_schema)
        schemas.add(restore.other_schema)
        restore.note(other_schema="", kept_until=None)
    for restore in Restore.objects.filter(organisation=organisation, result__has_key="trail"):
        shutil.rmtree(restore.result["trail"], ignore_errors=True)
    for found in _bundles_of(schemas):
        shutil.rmtree(found)


def _bundles_of(schemas: set[str]) -> Iterator[Path]:
    for manifest in (places.folder() / "bundles").glob("*/manifest.json"):
        try:
            if bundle.read_manifest(manifest.parent).schema in schemas:
                yield manifest.parent
        except bundle.Differs:
            continue  # of another format: whose it is nobody can say


def _remove_files(organisation: Organisation, schema: str) -> None:
    place = Path(settings.MEDIA_ROOT) / schema
    if place.exists():
        shutil.rmtree(place)
    for export in organisation.exports.filter(step=ExportStep.DONE):
        exporting.remove(export)


_Rows = tuple[tuple[str, Callable[[Organisation], Any]], ...]
# What the control plane knows of its people and of what they answered.
_ROWS: _Rows = (
    ("addresses of its people", lambda one: DirectoryEntry.objects.filter(organisation=one)),
    ("sign-ups", lambda one: SignUp.objects.filter(organisation=one)),
    ("questions", lambda one: QuestionState.objects.filter(organisation=one)),
    ("backfills", lambda one: BackfillState.objects.filter(organisation=one)),
)


def _forget(organisation: Organisation) -> None:
    with transaction.atomic(using="control"):
        for _, rows in _ROWS:
            rows(organisation).delete()
        Organisation.objects.filter(pk=organisation.pk).update(
            people_count=0, size_bytes=0, last_active_at=None, figures_at=None
        )


def _what_is_left(organisation: Organisation, address: str, schema: str) -> dict[str, int]:
    """Look up everything again that should be gone."""
    with psycopg.connect(address, autocommit=True) as connection:
        (schemas, roles, placed) = connection.execute(
            "SELECT (SELECT count(*) FROM pg_namespace WHERE nspname = %(name)s), "
            "(SELECT count(*) FROM pg_roles WHERE rolname = %(name)s), "
            "(SELECT count(*) FROM enclave.placed WHERE schema_name = %(name)s)",
            {"name": schema},
        ).fetchone() or (1, 1, 1)
    return {
        "schemas": schemas,
        "roles": roles,
        "placements": placed,
        "folders of files": int((Path(settings.MEDIA_ROOT) / schema).exists()),
        "exports": sum(path_of(export).exists() for export in organisation.exports.all()),
        "kept by restores": Restore.objects.filter(organisation=organisation)
        .exclude(other_schema="")
        .count(),
        "bundles": len(list(_bundles_of({schema}))),
        **{name: rows(organisation).count() for name, rows in _ROWS},
    }


def _end(erasure: Erasure, left: dict[str, int]) -> None:
    now = timezone.now()
    result = {**erasure.result, "left": left, "in_back_ups_until": (now + backups.KEPT_FOR).isoformat()}
    organisation = erasure.organisation
    with transaction.atomic(using="control"):
        erasure.note(step=ErasureStep.DONE, result=result, error="", ended_at=now)
        OperatorAct.write(organisation, "erased", who=erasure.approved_by, reason=erasure.reason)
    hosts.forget()
